"""Mistakes of our own making on 51 other models, kind by kind: found, led on, and mended."""

import gzip
import json
import re
from functools import cache
from pathlib import Path

import pytest

import grouper
from grouper.checks.verified_edits import apply
from grouper.model.formats import snapshot
from grouper.text.findings import Severity

HERE = Path(__file__).parent
LEAST = 5  # of each kind
FOLLOWED = 3  # edits, one behind the other


def read():
    """(kind, model, lines, words, wrong, right, whether edits give it) of each."""
    found, kind = [], ""
    text = (HERE / "own_mistakes.txt").read_text("utf-8")
    for block in re.split(r"(?m)^(?=## |@ )", text)[1:]:
        if block.startswith("## "):
            kind = block[3:].strip()
            continue
        head, _, body = block.partition("\n")
        _, model, lines, *words = head.split(" ", 3)
        wrong, sign, right = ([*re.split(r"(?m)^(=>~?)\n", body), "", ""])[:3]
        lines = tuple(map(int, lines.split("|")))
        words = words[0].split("|") if words else [""]
        found.append((kind, model, lines, words, wrong, right, sign == "=>"))
    return found


CASES = read()
NAMES = [f"{kind}-{model}-{index}" for index, (kind, model, *_) in enumerate(CASES)]


@cache
def models():
    return json.loads(gzip.decompress((HERE / "own_models.json.gz").read_bytes()))


@cache
def inventory(model):
    return snapshot.loads(json.dumps(models()[model]), f"{model}.json")


def check(model, text):
    return grouper.check(inventory(model), grouper.parse(text, "own.rules"))


def said(report):
    return [f for f in report.findings if f.severity is not Severity.NOTE]


def given(report):
    return report.grouping and {
        parameter.name: (group.optimizer, {**group.options, **group.plan})
        for group in report.grouping.groups
        for parameter in group.parameters
    }


def mended(model, text, meant):
    for _ in range(FOLLOWED):
        edits = next((f.edits for f in check(model, text).findings if f.edits), None)
        if not edits:
            return False
        text = apply(text, edits)
        if given(check(model, text)) == meant:
            return True
    return False


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_mistake_of_ours(case, request):
    kind, model, lines, words, wrong, right, mends = case
    if kind == "missed":
        request.applymarker(pytest.mark.xfail(strict=True))
    report = check(model, wrong)
    findings = report.findings if kind.endswith("(note)") else said(report)
    found = [f for f in findings if f.span is not None and f.span.line in lines]
    assert found, [(f.code.id, f.span and f.span.line, f.message) for f in report.findings]
    texts = [
        " ".join([f.message, f.help or "", *f.notes, *(e.replacement for e in f.edits)])
        for f in found
    ]
    assert any(word in text for word in words for text in texts), texts
    if right:
        meant = check(model, right)
        assert not said(meant), [(f.code.id, f.message) for f in said(meant)]
        assert not mends or mended(model, wrong, given(meant))


def test_each_kind_has_enough_of_them():
    kinds = [kind for kind, *_ in CASES if kind != "missed"]
    assert min(kinds.count(kind) for kind in kinds) >= LEAST
