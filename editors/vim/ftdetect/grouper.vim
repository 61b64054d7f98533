" vim takes `.rules` for `hog`: `setlocal filetype=` takes it back.
autocmd BufRead,BufNewFile *.rules setlocal filetype=grouper
