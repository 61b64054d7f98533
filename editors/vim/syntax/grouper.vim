" Rules files of grouper. The keywords are those of grouper/language/syntax/keywords.py; a test
" compares them.
if exists('b:current_syntax')
  finish
endif

syntax case match
syntax iskeyword @,48-57,_

" Anything not matched below is a name: a glob in a selector, a word in an expression.
syntax match grouperGlob /\%([A-Za-z0-9_.*?:]\|\[[^] ]\+\]\|{[^{} ]*\%({[^{} ]*}[^{} ]*\)*}\|->\@!\)\+/
syntax match grouperClass /@\%([A-Za-z0-9_.*?]\|\[[^] ]\+\]\|{[^{} ]*\%({[^{} ]*}[^{} ]*\)*}\)*/
syntax match grouperRegex /\%(^\|[ (]\)\@1<=\/\%([^\/\\]\|\\.\)\+\//

syntax match grouperStatement /\%(^\|[;{}]\)\@1<=\s*\%(let\|include\|optimizer\|warmup\|schedule\|split\|strict\|expect\|allow\)\%([A-Za-z0-9_.*?[{:]\|->\@!\)\@!/ nextgroup=grouperName skipwhite
syntax match grouperStatement /\%(^\|[;{}]\)\@1<=\s*\%(for\|base_model\)\%(\s*"\)\@=/
syntax match grouperStatement /\%(^\|[;{}]\)\@1<=\s*tag\%(\s\+\%(and\>\|or\>\)\@!\h\w*\s*\%([,;#]\|$\)\)\@=/
syntax match grouperStatement /\%(^\|[;{}]\)\@1<=\s*optional\%(\s\+\%(->\|and\>\|or\>\|where\>\)\@![^ ;#]\)\@=/
syntax match grouperWord /[A-Za-z0-9_.*?:\]}-]\@1<!\%(else\|override\|as\|in\|not\|and\|or\|where\|after\|trainable\|tied\|freeze\)\%([A-Za-z0-9_.*?[{:]\|->\@!\)\@!/
syntax match grouperWord /[A-Za-z0-9_.*?:\]}-]\@1<!has\%(\s\+\%(and\>\|or\>\|where\>\)\@!\h\)\@=/
syntax match grouperFact /[A-Za-z0-9_.*?:\]}-]\@1<!\%(ndim\|numel\|dtype\|fan_in\|fan_out\)\%(\s*[=!<>]\)\@=/
syntax match grouperFact /[A-Za-z0-9_.*?:\]}-]\@1<!shape\%(\s*\[\)\@=/
syntax match grouperName /\h\w*/ contained

syntax match grouperArrow /->/ nextgroup=grouperLabel,grouperString,grouperKey,grouperWord skipwhite
syntax match grouperLabel /\%(freeze\>\)\@!\%([A-Za-z_]\|{\h\w*}\)\%([A-Za-z0-9_.-]\|{\h\w*}\)*\%(\s*\*\?=\)\@!/ contained
syntax match grouperKey /\<\h\w*\%(\s*\*\?==\@!\)\@=/ nextgroup=grouperOperator skipwhite
syntax match grouperFunction /\<\h\w*\%((\)\@=/
syntax match grouperNumber /[A-Za-z0-9_.*?]\@1<!\%(\d\+\%(\.\d*\)\?\|\.\d\+\)\%([eE][+-]\?\d\+\)\?[A-Za-z0-9_.*]\@!/
syntax keyword grouperConstant true false none
syntax match grouperOperator /\*\?==\@!/ contained nextgroup=grouperNumber,grouperConstant,grouperFunction,grouperValue,grouperString skipwhite
syntax match grouperValue /\h\w*/ contained contains=grouperConstant,grouperFunction
syntax match grouperCompare /[=!<>]=\|[<>]/
syntax region grouperString start=/"/ skip=/\\./ end=/"/ oneline
syntax match grouperComment /#.*$/ contains=@Spell,grouperTodo
syntax keyword grouperTodo TODO FIXME XXX contained

highlight default link grouperGlob Normal
highlight default link grouperClass Type
highlight default link grouperRegex String
highlight default link grouperStatement Statement
highlight default link grouperWord Keyword
highlight default link grouperFact Identifier
highlight default link grouperName Identifier
highlight default link grouperArrow Operator
highlight default link grouperLabel Label
highlight default link grouperKey Identifier
highlight default link grouperFunction Function
highlight default link grouperNumber Number
highlight default link grouperConstant Constant
highlight default link grouperOperator Operator
highlight default link grouperCompare Operator
highlight default link grouperString String
highlight default link grouperComment Comment
highlight default link grouperTodo Todo

let b:current_syntax = 'grouper'
