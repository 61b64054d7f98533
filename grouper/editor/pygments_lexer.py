"""A Pygments lexer: rich, Sphinx, MkDocs and Jupyter highlight rules files with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pygments import token
from pygments.lexer import Lexer

from grouper.editor.scan import all_tokens, scan
from grouper.editor.tokens import Kind
from grouper.language.syntax.statements import cut
from grouper.text.source import Source

_TYPES = {
    Kind.COMMENT: token.Comment.Single,
    Kind.STRING: token.String.Double,
    Kind.REGEX: token.String.Regex,
    Kind.NUMBER: token.Number,
    Kind.CONSTANT: token.Keyword.Constant,
    Kind.KEYWORD: token.Keyword,
    Kind.OPERATOR: token.Operator,
    Kind.PUNCTUATION: token.Punctuation,
    Kind.GLOB: token.Name,
    Kind.CLASS: token.Name.Class,
    Kind.FACT: token.Name.Builtin,
    Kind.MARK: token.Name.Decorator,
    Kind.LABEL: token.Name.Label,
    Kind.KEY: token.Name.Attribute,
    Kind.WORD: token.Name.Variable,
    Kind.REFERENCE: token.Name.Label,
    Kind.FUNCTION: token.Name.Function,
    Kind.VARIABLE: token.Name.Variable,
    Kind.OPTIMIZER: token.Name.Class,
    Kind.ALIAS: token.Name.Class,
    Kind.SCHEDULE: token.Name.Function,
    Kind.SPLIT: token.Name.Namespace,
    Kind.TAG: token.Name.Attribute,
    Kind.CODE: token.Name.Constant,
    Kind.ERROR: token.Error,
}


class GrouperLexer(Lexer):
    """The lexer of grouper's rules files."""

    name = "grouper"
    aliases: ClassVar[list[str]] = ["grouper"]
    filenames: ClassVar[list[str]] = ["*.rules"]
    mimetypes: ClassVar[list[str]] = ["text/x-grouper"]

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, Any, str]]:
        """All characters, each in exactly one `(offset, type, text)`."""
        pieces = cut(Source(text))
        at = 0
        for word in all_tokens(pieces, scan(pieces)):
            if word.start > at:
                yield at, token.Whitespace, text[at : word.start]
            yield word.start, _TYPES[word.kind], word.text
            at = word.end
        if at < len(text):
            yield at, token.Whitespace, text[at:]
