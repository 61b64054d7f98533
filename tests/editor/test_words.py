"""Every grammar has the words of grouper/language/syntax/keywords.py, and no others; the scanner
divides text as the parser does."""

import json
import re

import pytest
from editor.corpus import EVERY, RIGHT, ROOT

from grouper.editor import words
from grouper.editor.scan import all_tokens, scan
from grouper.editor.tokens import Kind
from grouper.language import shipped
from grouper.language.arithmetic import FUNCTIONS
from grouper.language.expressions import OF_CAPTURES, OF_LABELS
from grouper.language.facts import FACTS
from grouper.language.syntax.grammar import parser
from grouper.language.syntax.keywords import CONTEXTUAL, KEYWORDS
from grouper.language.syntax.statements import Statement, cut
from grouper.text.source import Source

ALL = KEYWORDS | CONTEXTUAL


def words_in(text):
    """The words of ours that a grammar's patterns name, whatever else is in them."""
    return set(re.findall(r"(?<![A-Za-z_#.\\-])[a-z_]{2,}(?![A-Za-z_.])", text))


def test_the_grammar_has_these_keywords():
    text = shipped.grammar_path().read_text("utf-8")
    plain = re.findall(r'^_?[A-Z]+(?:\.\d)?: "(\w+)" _END$', text, re.MULTILINE)
    several = re.findall(r'^PROPERTY.*?: \("(\w+)" \| "(\w+)"\)', text, re.MULTILINE)[0]
    contextual = re.findall(r"^_?[A-Z_]+\.\d: /([a-z_]+)\(\?=\[", text, re.MULTILINE)
    constants = re.findall(r"^CONSTANT.*?: /\(([^)]*)\)", text, re.MULTILINE)[0].split("|")
    assert {*plain, *several, *contextual, *constants} == ALL


def test_the_textmate_grammar_has_these_keywords():
    path = ROOT / "editors" / "vscode" / "syntaxes" / "grouper.tmLanguage.json"
    keywords = set()
    for rule in rules_of(json.loads(path.read_text("utf-8"))):
        names = json.dumps([rule.get("name", ""), rule.get("captures"), rule.get("beginCaptures")])
        if "keyword." in names or "constant.language" in names:
            keywords |= words_in(rule.get("match") or rule.get("begin") or "")
    assert keywords == ALL


def rules_of(value):
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from rules_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from rules_of(inner)


def test_the_vim_syntax_has_these_keywords():
    text = (ROOT / "editors" / "vim" / "syntax" / "grouper.vim").read_text("utf-8")
    lines = re.findall(
        r"^syntax (?:match|keyword) grouper(?:Statement|Word|Constant) (.*)$", text, re.M
    )
    found = set().union(*(words_in(re.sub(r"nextgroup=.*|\\[a-z]", "", line)) for line in lines))
    assert found == ALL


def test_every_word_is_explained():
    assert set(words.KEYWORDS) == ALL
    assert set(words.FACTS) == set(FACTS)
    assert set(words.FUNCTIONS) == {*FUNCTIONS, *OF_CAPTURES, *OF_LABELS}


@pytest.mark.parametrize("name", RIGHT)
def test_the_scanner_divides_text_as_the_parser_does(name):
    source = Source(RIGHT[name])
    found = {token.start: token for token in all_tokens(cut(source), scan(cut(source)))}
    for item in spans(cut(source).items):
        interactive = parser().parse_interactive(item.text, start="statement")
        for token in interactive.iter_parse():
            if token.type == "GLOB" or token.type not in ("LSQB", "RSQB", "DOT"):
                mine = found[item.start + token.start_pos]
                assert mine.text == str(token), (mine, token)


def spans(items):
    for item in items:
        if isinstance(item, Statement):
            yield item.span
        else:
            yield item.head
            yield from spans(item.items)


@pytest.mark.parametrize("name", EVERY)
def test_the_lexer_gives_every_character_once(name):
    lexers = pytest.importorskip("pygments.lexers")
    from grouper.editor.pygments_lexer import GrouperLexer

    text = EVERY[name]
    found = list(GrouperLexer().get_tokens_unprocessed(text))
    assert "".join(value for _, _, value in found) == text
    assert [start for start, _, _ in found] == [
        sum(len(value) for _, _, value in found[:i]) for i in range(len(found))
    ]
    if name in RIGHT:
        assert not [value for _, kind, value in found if "Error" in str(kind)]
    assert lexers


def test_rich_colours_rules_by_the_lexer():
    pytest.importorskip("pygments")
    from rich.console import Console
    from rich.syntax import Syntax

    from grouper.editor.pygments_lexer import GrouperLexer

    console = Console(force_terminal=True, color_system="truecolor", width=80)
    with console.capture() as capture:
        console.print(Syntax("model.* -> head lr=0.1  # all\n", GrouperLexer()))
    assert "\x1b[" in capture.get()
    assert "head" in capture.get()


def test_the_scanner_never_calls_a_right_file_wrong():
    for text in RIGHT.values():
        tokens = all_tokens(cut(Source(text)), scan(cut(Source(text))))
        assert not [token for token in tokens if token.kind is Kind.ERROR]
