"""Words that are keywords only where their statement goes on as such, and recipes that use all."""

from pathlib import Path

import pytest

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
