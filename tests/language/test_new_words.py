"""Words that are keywords only where their statement goes on as such, and recipes that use all."""

from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import SELECTORS

from grouper.language.syntax import tree
from grouper.language.syntax.format import format_file
from grouper.language.syntax.parser import parse
from grouper.text.source import Source

RECIPES = sorted((Path(__file__).parent / "recipes").glob("*.rules"))
# Words that begin or join something somewhere, and forms in which each of them is a name.
WORDS = (
    "for", "tag", "base_model", "optional", "has", "where", "after", "count", "rank", "lr", "numel",
    "shape", "window", "model", "pi", "step",
)  # fmt: skip
FORMS = (
    "{} -> x",
    "{}.weight -> x",
    "*.{} -> x",
    "{}.* -> x",
    "{}.{{i}}.* -> x{{i}}",
    "{}* -> x",
    "{} and y.* -> x",
    "y.* and {} -> x",
    "{} or y.* -> x",
    "not {} -> x",
    "({}) -> x",
    "else {} -> x",
    "else {}.* -> x",
    "override {} -> x",
    "in {} -> x",
    "in {}.0 -> x",
    "@{} -> x",
    "in @{} -> x",
    "{{{},b}}.* -> x",
    '"{}" -> x',
    "y -> {}",
    "y -> {}.1",
    "y -> {} lr=1",
    "y -> x {}=1",
    "split {} {{ y -> x }}",
    "let {} = 1",
    "optimizer SGD as {}",
    "allow GR101 {}",
    "expect count({}) == 1",
)


def read(text):
    parsed = parse(Source(text))
    assert not parsed.findings, (text, [finding.message for finding in parsed.findings])
    return parsed.file


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("form", FORMS)
def test_a_word_is_a_name_wherever_no_statement_goes_on(word, form):
    file = read(form.format(word))
    (statement,) = file.statements
    assert type(statement) is type(read(form.format("name")).statements[0])
    assert read(format_file(file)) == file


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_parse_and_format(path):
    file = read(path.read_text("utf-8"))
    text = format_file(file)
    assert read(text) == file
    assert format_file(read(text)) == text


def test_the_words_as_keywords():
    file = read(
        'for "small.json"; base_model "tiny.pt"; tag param_group, use_muon\n'
        "optional override else a.{i}.* where (i + 1) % 6 == 0 and not i // 2 < 3 or i >= count(i)"
        " -> top lr=rates[i] schedule=step(size=10, gamma=0.5)\n"
        "has no_weight_decay and not has marked -> x lr*=base_model.shape[0] / shape[0]\n"
        "schedule weight_decay cosine final=10\n"
        "expect lr(head) / lr(body) in 5..10 after warmup\n"
    )
    target, base, tag, top, has, schedule, expect = file.statements
    assert (target, base) == (tree.For("small.json"), tree.BaseModel("tiny.pt"))
    assert tag == tree.Tag(("param_group", "use_muon"))
    assert (top.optional, top.override, top.otherwise) == (True, True, True)
    assert isinstance(top.condition, tree.Or)
    assert isinstance(has.selector, tree.And)
    assert (schedule.key, schedule.name) == ("weight_decay", "cosine")
    assert expect.after_warmup
    assert read(format_file(file)) == file


SIGNS = st.sampled_from(["+", "-", "*", "/", "//", "%", "**"])
COMPARISONS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
EXPRESSIONS = st.recursive(
    st.sampled_from(["1", "0.5", "i", "two", "pi", "fan_in", "shape[0]", "base_model.fan_in"])
    | st.sampled_from(["count(i)", "rank(s, b)", "max(i)", "numel(head)", "rates[i]", "-3", "1e-3"])
    | st.sampled_from(["base_model.shape[1]", '"word"', "true", "(1, 2)", "step(size=3, gamma=i)"]),
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, SIGNS, inner),
        st.builds("({})".format, inner),
        st.builds("{}({})".format, st.sampled_from(["floor", "sqrt", "cos"]), inner),
    ),
    max_leaves=5,
)
CLAIMS = st.builds("{} {} {}".format, EXPRESSIONS, COMPARISONS, EXPRESSIONS)
CONDITIONS = st.lists(
    st.builds("{}{}".format, st.sampled_from(["", "not "]), CLAIMS), min_size=1, max_size=3
).flatmap(lambda parts: st.sampled_from([" and ", " or "]).map(lambda join: join.join(parts)))
OPTIONS = st.lists(
    st.builds("{}{}{}".format, st.sampled_from(["lr", "eps", "until_step"]),
              st.sampled_from(["=", "*="]), EXPRESSIONS),
    max_size=2,
).map(" ".join)  # fmt: skip
NEW_RULES = st.builds(
    "{}{}{}{} -> {} {}".format,
    st.sampled_from(["", "optional "]),
    st.sampled_from(["", "override ", "else "]),
    SELECTORS | st.sampled_from(["has plain", "not has where_to and in layers.{i}", "{a,b{i}}.*"]),
    st.just("") | CONDITIONS.map(" where {}".format),
    st.sampled_from(["layer{i}", "head", "{i}x{j}"]),
    OPTIONS,
)
STATEMENTS = st.one_of(
    NEW_RULES,
    st.sampled_from(
        [
            'for "a b.json"',
            'base_model "tiny.pt"',
            "tag one, two",
            "strict",
            "allow GR101 has plain",
        ]
        + [
            "warmup share=0.1 start=lr / 32 shape=cosine",
            "schedule curve final=1e-5/lr after=warmup",
        ]
        + ["schedule weight_decay cosine final=0.4/weight_decay cycles=2"]
        + ["optimizer Muon as hidden lr=0.02 schedule=wsd(decay=0.2, shape=sqrt) from_epoch=2"]
        + ["let rates = (0.1, 0.2)", "expect lr(head) / lr(body) in 5..10 after warmup"]
    ),
    st.builds("let x = {}".format, EXPRESSIONS),
    st.builds("expect {}".format, CLAIMS),
    st.lists(NEW_RULES, min_size=1, max_size=3)
    .filter(lambda rules: not any("override" in rule for rule in rules))
    .map(lambda rules: "split s {{ {} }}".format("; ".join(rules))),
)


def spans(node):
    """Every node that has a place, from the outside in."""
    if isinstance(node, tuple):
        for one in node:
            yield from spans(one)
    elif is_dataclass(node):
        if getattr(node, "span", None) is not None:
            yield node
        for field in fields(node):
            if "span" not in field.name:
                yield from spans(getattr(node, field.name))


@settings(max_examples=150, deadline=None)
@given(st.lists(STATEMENTS, min_size=1, max_size=5))
def test_what_is_formatted_reads_as_before_and_places_are_exact(statements):
    text = "\n".join(statements)
    file = read(text)
    formatted = format_file(file)
    assert read(formatted) == file
    assert format_file(read(formatted)) == formatted
    for node in spans(file.statements):
        assert node.span.source.text[node.span.start : node.span.end] == node.span.text
        if isinstance(node, tree.Rule | tree.Expect | tree.Let | tree.Schedule | tree.Tag):
            assert read(node.span.text).statements == (node,)
