"""The parser: every construct, spans, limits, and files that nobody meant."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import RULES, SELECTORS

from grouper.language import shipped
from grouper.language.syntax import grammar, tree
from grouper.language.syntax.format import format_file
from grouper.language.syntax.parser import MAX_FAULTS, parse, parse_expression, parse_selector
from grouper.language.syntax.regexes import fault
from grouper.language.syntax.unparse import expression_text, selector_text
from grouper.language.syntax.write_table import write_table
from grouper.text.source import Source

WHOLE = """\
# a file with everything
include "warmup.rules"
let base  = 0.01  # a variable
let decay = 5e-4
optimizer SGD lr=base momentum=0.937 nesterov=true betas=(0.9, 0.95)
optimizer my.package:Muon as hidden lr=0.02
warmup epochs=3 min_steps=100 start=0 momentum=0.8
schedule linear final=0.01 every=step
split part {
    in @Detect -> head
    else       -> body lr*=0.1
}
split kind { *.bias -> bias warmup_start=0.1; else @*Norm* -> norm
    else -> weight
        weight_decay=decay
        # between options
        eps=1e-8
}
model.{conv1,conv{2,3}}.{0..9}.[a-c]?{i}.{j:1..3} -> block{i} lr=base * 64 / fan_in
/layers\\.(\\d+)/ or "exact name" and not (tied or trainable) -> "my label" freeze
override ndim == 2 and shape[0] >= 80 and dtype == float16 -> lr=max(base, 2**-3)
strict
expect head.lr / body.lr in 5..10
expect count(head) == 3
allow GR101 model.0.*
in.weight -> in_projection
(a or
 b) -> over_two_lines lr=(1 +
    2)
"""


def tree_of(text):
    parsed = parse(Source(text))
    assert not parsed.findings, [finding.message for finding in parsed.findings]
    return parsed.file


def test_everything_parses_and_formats():
    file = tree_of(WHOLE)
    assert len(file.statements) == 18
    assert [c.text for c in file.comments] == [
        "# a file with everything",
        "# a variable",
        "# between options",
    ]
    text = format_file(file)
    assert tree_of(text) == file
    assert format_file(tree_of(text)) == text


def test_the_first_file_of_the_language():
    first, second = tree_of(
        "model.24.* -> head lr=0.01; *.bias -> bias warmup_start=0.1"
    ).statements
    assert isinstance(first, tree.Rule)
    assert first.label == tree.Label((tree.Text("head"),))
    assert first.options == (tree.Option("lr", "=", tree.Number(0.01)),)
    assert second.span.text == "*.bias -> bias warmup_start=0.1"


@given(st.lists(RULES, max_size=6))
def test_formatting_changes_no_tree_and_is_done_once(lines):
    file = tree_of("\n".join(lines))
    text = format_file(file)
    assert tree_of(text) == file
    assert format_file(tree_of(text)) == text


COMMENTS = st.text(st.characters(codec="ascii", exclude_characters="\n\r\x00"), max_size=8)


@given(st.lists(st.tuples(RULES, COMMENTS, st.integers(0, 3)), max_size=5))
def test_formatting_keeps_comments(lines):
    text = "".join(f"# {own}\n{rule} # {own}{chr(10) * blank}\n" for rule, own, blank in lines)
    parsed = parse(Source(text))
    if parsed.findings:
        return  # a comment of control characters
    again = parse(Source(format_file(parsed.file)))
    assert [c.text for c in again.file.comments] == [c.text for c in parsed.file.comments]
    assert format_file(again.file) == format_file(parsed.file)


@given(SELECTORS)
def test_spans_slice_back_to_their_text(text):
    def walk(node):
        yield node
        for child in getattr(node, "operands", ()):
            yield from walk(child)
        if isinstance(node, tree.Not):
            yield from walk(node.operand)

    selector = parse_selector(text)
    assert parse_selector(selector_text(selector)) == selector
    for node in walk(selector):
        assert parse_selector(node.span.text) == node


numbers = st.one_of(st.integers(0, 10**6), st.floats(0, 1e6, allow_nan=False)).map(tree.Number)
expressions = st.recursive(
    st.one_of(
        numbers,
        st.sampled_from(["base", "fan_in", "i"]).map(tree.Word),
        st.sampled_from([True, False, None]).map(tree.Constant),
        st.text(st.characters(codec="ascii", exclude_categories=["C"])).map(tree.String),
        st.builds(tree.Attribute, st.sampled_from(["head", "a b"]), st.just("lr")),
    ),
    lambda inner: st.one_of(
        st.builds(tree.Unary, st.sampled_from("+-"), inner),
        st.builds(tree.Binary, st.sampled_from(["+", "-", "*", "/", "**"]), inner, inner),
        st.builds(tree.Call, st.just("max"), st.lists(inner, max_size=3).map(tuple)),
        st.lists(inner, max_size=3).map(tuple).map(tree.Tuple),
        st.builds(tree.Subscript, st.just(tree.Word("shape")), inner),
    ),
    max_leaves=8,
)


@given(expressions)
def test_expressions_print_back(expression):
    assert parse_expression(expression_text(expression)) == expression


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(.*\.)*x", r"(\w+)*\.b", r"(a|b|ab)*c", "(a?)*"])
def test_regexes_that_could_run_for_ever_are_refused(pattern):
    assert fault(pattern).costly


@pytest.mark.parametrize(
    "pattern",
    [
        r"(\w+\.)*bias",
        r"^(?!.*bn).*weight$",
        r"layers\.(\d+)\..*(q|k)_proj",
        ".*attn.*weight",
        r"(?P<i>\d+)\.(weight|bias)",
        r"(weight|bias)$",
        r"\bbn\d*\b",
    ],
)
def test_regexes_that_people_write_are_accepted(pattern):
    assert fault(pattern) is None


HEAVY = [
    "let x = " + "(" * 10_000 + "1" + ")" * 10_000,
    "(" * 10_000,
    "let x = 9**9**9",
    "let x = " + "9" * 100_000,
    "let x = " + "-" * 10_000 + "1",
    "let x = " + "+".join("1" * 10_000),
    "not " * 10_000 + "a -> b",
    "{a,b,c,d}" * 20 + " -> x",
    "/(a+)+$/ -> x",
    "split a {\n" * 3_000,
    "let x = 1\n" * 20_000,
    "split a {\n" + "let x = 1\n" * 5_000 + "}",
    "(\n" * 20_000,
    "a -> b lr=" * 5_000,
    '"' * 50_000,
    "{" * 50_000,
    "x" * (5 << 20),
]


@pytest.mark.parametrize("text", HEAVY, ids=range(len(HEAVY)))
def test_no_file_takes_long(text):
    start = time.perf_counter()
    parsed = parse(Source(text))
    assert time.perf_counter() - start < 5  # about a second at most on an idle machine
    assert len(parsed.findings) <= MAX_FAULTS + 1


def test_the_table_gives_the_parser_that_the_grammar_gives(tmp_path, monkeypatch):
    text = shipped.grammar_path().read_text("utf-8")
    table = tmp_path / "rules.table"
    write_table(table, text)
    loaded = grammar._from_table(text, table)
    built = grammar.build(text)
    for line in ("*.bias -> bias lr*=0.1", "expect head.lr in 1..2", 'include "a.rules"'):
        assert loaded.parse(line, start="statement") == built.parse(line, start="statement")
    for selector in ("not ({a,b}.* or in @Norm) and ndim == 2", "*.bias or numel > 3"):
        trees = [p.parse(selector, start="_selector") for p in (loaded, built)]
        assert trees[0] == trees[1]
    assert grammar._from_table(text + " ", table) is None, "a table of another grammar"
    table.write_bytes(table.read_bytes()[:100])
    assert grammar._from_table(text, table) is None, "a table cut short"
    assert grammar._from_table(text, tmp_path / "none") is None


def test_the_grammar_has_no_hidden_conflicts():
    pytest.importorskip("interegular")
    grammar.build(shipped.grammar_path().read_text("utf-8"), strict=True)


def mutated(seed):
    """A rules file with a few random changes."""
    random_ = random.Random(seed)
    text = WHOLE
    pieces = [*'{}[]()"/#;\n-> =*.,@', "->", "split x {", "else ", "\x00", "é", "\t", "9" * 30]
    for _ in range(random_.randint(1, 6)):
        at = random_.randrange(len(text) + 1)
        kind = random_.randrange(4)
        if kind == 0:
            text = text[:at] + random_.choice(pieces) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + random_.randint(1, 12) :]
        elif kind == 2:
            other = random_.randrange(len(text) + 1)
            text = text[:at] + text[other : other + 30] + text[at:]
        else:
            text = text[:at] + chr(random_.randrange(32, 0x2FF)) + text[at + 1 :]
    return text


def survives(seeds):
    from grouper.language.resolve.resolve import resolve

    for seed in seeds:
        text = mutated(seed)
        start = time.perf_counter()
        rules = resolve(Source(text, "mutated.rules"))
        taken = time.perf_counter() - start
        assert taken < 5, f"seed {seed} took {taken:.1f} s"
        for finding in rules.findings:
            for label in finding.labels:
                assert 0 <= label.span.start <= label.span.end <= len(label.span.source.text)


def test_mutated_files_give_findings_and_never_a_traceback():
    survives(range(1500))


@pytest.mark.nightly
def test_twenty_thousand_mutated_files():
    survives(range(20_000))


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_any_text_gives_findings(text):
    parse(Source(text))
