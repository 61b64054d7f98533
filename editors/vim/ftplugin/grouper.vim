if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal commentstring=#\ %s
setlocal comments=:#
setlocal expandtab shiftwidth=4 softtabstop=4
setlocal formatoptions-=t formatoptions+=croql
setlocal iskeyword=@,48-57,_
if executable('grouper')
  setlocal formatprg=grouper\ fmt\ -
  setlocal makeprg=grouper\ check\ %:S
  setlocal errorformat=%E%trror[GR%n]\ %m,%W%tarning[GR%n]\ %m,%I%tote[GR%n]\ %m,%C\ -->\ %f:%l:%c,%-G%.%#
endif

let b:undo_ftplugin = 'setlocal commentstring< comments< expandtab< shiftwidth< softtabstop<'
      \ . ' formatoptions< iskeyword< formatprg< makeprg< errorformat<'
