"""Laws of reports, on generated models and rules."""

import json
from pathlib import Path

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import RULES, models

import grouper
from grouper.reports.json import report_json
from grouper.reports.output import Output
from grouper.reports.terminal import report_lines

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text())
CHECK = jsonschema.Draft202012Validator(SCHEMA)
LINES = st.lists(RULES, max_size=5)


@settings(max_examples=150)
@given(models(), LINES, st.sampled_from(["", "strict", "split s { *.bias -> b; else -> o }"]))
def test_json_is_valid_and_stable(model, lines, more):
    text = "\n".join([more, *lines])
    first, again = (report_json(grouper.check(model, grouper.parse(text))) for _ in range(2))
    assert first == again
    value = json.loads(first)
    CHECK.validate(value)
    if value["ok"]:
        members = [n for g in value["groups"] for n in g["parameters"]] + value["frozen"]
        assert sorted(members) == sorted(p.name for p in model.parameters)


@given(models(), LINES)
def test_every_report_can_be_printed(model, lines):
    report = grouper.check(model, grouper.parse("\n".join(lines), "law.rules"))
    for output in (Output(), Output(terminal=True, color="always", width=40), Output(verbose=True)):
        text = output.text(report_lines(report, output))
        for finding in report.findings:
            assert f"[{finding.code.id}]" in text
        assert ("failed: " in text.splitlines()[-1]) == (not report.ok)


@given(models(), LINES)
def test_findings_have_an_order_and_come_once(model, lines):
    report = grouper.check(model, grouper.parse("\n".join(lines), "law.rules"))
    orders = [finding.order for finding in report.findings]
    assert orders == sorted(orders)
    assert len(set(orders)) == len(orders)
