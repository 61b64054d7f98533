" vim detects `.rules` as `hog`: `setlocal filetype=` overrides this.
autocmd BufRead,BufNewFile *.rules setlocal filetype=grouper
