"""Realistic mistakes, each behind a public thread: found at their line, with words that lead on.

`wrong.rules` is what a person would write, `right.rules` what was meant; `case.toml` has the line
and words of which the finding or its edit must hold one.
"""

import tomllib
from pathlib import Path

import pytest

import grouper
from grouper.checks.verified_edits import apply
from grouper.model.formats import snapshot
from grouper.text.findings import Severity

FOLDER = Path(__file__).parent / "mistakes"
CASES = sorted(path.name for path in FOLDER.iterdir())
# What a mistake's text cannot tell: a rate, another optimizer's, which of two readings is meant.
WITHOUT_EDIT = {
    "l03-tied-embedding-decay", "l13-lora-plus-embedding", "l27-muon-lr-and-adam-lr",
    "l39-unet-without-its-prefix", "v03-backbone-by-name", "v13-unmatched-level-embed",
    "v35-bias-table",
}  # fmt: skip


def check(case, text):
    inventory = snapshot.loads((FOLDER / case / "model.json").read_text("utf-8"), "model.json")
    return grouper.check(inventory, grouper.parse(text, "wrong.rules"))


def said(report):
    return [f for f in report.findings if f.severity is not Severity.NOTE]


def given(report):
    return {
        parameter.name: (group.optimizer, {**group.options, **group.plan})
        for group in report.grouping.groups
        for parameter in group.parameters
    }


@pytest.mark.parametrize("case", CASES)
def test_it_is_found_at_its_line_with_words_that_lead_on(case):
    known = tomllib.loads((FOLDER / case / "case.toml").read_text("utf-8"))
    report = check(case, (FOLDER / case / "wrong.rules").read_text("utf-8"))
    lines = known.get("expect_lines") or [known["expect_line"]]
    found = [f for f in said(report) if f.span is not None and f.span.line in lines]
    assert found, [(f.code.id, f.span and f.span.line, f.message) for f in report.findings]
    words = known.get("help_words") or known["expect_words"]
    texts = [
        " ".join([f.message, f.help or "", *f.notes, *(e.replacement for e in f.edits)])
        for f in found
    ]
    assert any(word in text for word in words for text in texts), texts


@pytest.mark.parametrize("case", CASES)
def test_what_was_meant_is_clean(case):
    report = check(case, (FOLDER / case / "right.rules").read_text("utf-8"))
    assert not said(report), [(f.code.id, f.message) for f in said(report)]


@pytest.mark.parametrize("case", [case for case in CASES if case not in WITHOUT_EDIT])
def test_its_edits_give_what_was_meant(case):
    meant = given(check(case, (FOLDER / case / "right.rules").read_text("utf-8")))
    text = (FOLDER / case / "wrong.rules").read_text("utf-8")
    for _ in range(3):
        edits = next((f.edits for f in check(case, text).findings if f.edits), None)
        assert edits, text
        text = apply(text, edits)
        report = check(case, text)
        if report.grouping is not None and given(report) == meant:
            return
    raise AssertionError(text)


@pytest.mark.parametrize("case", CASES)
def test_an_edit_leaves_less_to_say(case):
    text = (FOLDER / case / "wrong.rules").read_text("utf-8")
    report = check(case, text)
    for finding in report.findings:
        if finding.edits:
            assert len(said(check(case, apply(text, finding.edits)))) < len(said(report))
