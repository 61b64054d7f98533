"""The functions behind the language server: on right files, wrong ones and what lies between."""

import random

import pytest
from editor.asked import ask_everything
from editor.corpus import RIGHT, WRONG, cuts, edits, workspace

from grouper.editor.diagnose import diagnostics
from grouper.editor.symbols import symbols
from grouper.editor.workspace import Workspace

EVERY = {**RIGHT, **WRONG}


@pytest.mark.parametrize("name", EVERY)
def test_every_request_on_every_file(name):
    text, rng = EVERY[name], random.Random(name)
    files = workspace()
    for offset in {0, len(text), *(rng.randrange(len(text) + 1) for _ in range(12))}:
        ask_everything(files.set("a.rules", text), offset)


@pytest.mark.parametrize("name", RIGHT)
def test_every_request_at_the_end_of_what_is_typed(name):
    files = workspace()
    for text in cuts(RIGHT[name]):
        ask_everything(files.set("a.rules", text), len(text))


def random_edits(count, seed):
    """Edit files at random, ask everything, and compare with a workspace that has seen nothing."""
    rng = random.Random(seed)
    files = workspace()
    names = sorted(RIGHT)
    text = RIGHT[rng.choice(names)]
    for step in range(count):
        if step % 50 == 0 or len(text) > 4000:
            text = RIGHT[rng.choice(names)]
        text = edits(text, rng)
        document = files.set("a.rules", text)
        ask_everything(document, rng.randrange(len(text) + 1))
        if step % 10 == 0:
            fresh = workspace().set("a.rules", text)
            assert _shown(document) == _shown(fresh)


def _shown(document):
    found = [
        (d.finding.code.id, d.span.start, d.span.end, d.message) for d in diagnostics(document)
    ]
    return found, [(s.name, s.span.start, s.span.end) for s in symbols(document)]


@pytest.mark.parametrize("seed", range(4))
def test_random_edits(seed):
    random_edits(40, seed)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 120))
def test_ten_thousand_random_edits(seed):
    random_edits(500, seed)


def test_an_included_file_that_is_open_counts_as_it_is_typed(tmp_path):
    (tmp_path / "base.rules").write_text("let rate = 0.1\n")
    files = Workspace()
    main = str(tmp_path / "main.rules")
    files.set(main, 'include "base.rules"\n* -> all lr=rate\n')
    assert not [d for d in diagnostics(files.document(main)) if "rate" in d.message]
    files.set(str(tmp_path / "base.rules"), "let rates = 0.1\n")
    assert [d for d in diagnostics(files.document(main)) if "rate" in d.message]
    files.close(str(tmp_path / "base.rules"))
    assert not [d for d in diagnostics(files.document(main)) if "rate" in d.message]
