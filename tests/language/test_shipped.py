"""The shipped rules: sound, in canonical form, and documented with every variable."""

import re
from pathlib import Path

import pytest
from support.builders import CONV, DETECT, NORM, inventory, parameter

import grouper
from grouper.cli.main import main

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(path.name for path in (ROOT / "rules").glob("*.rules"))
PAGE = (ROOT / "docs" / "shipped-rules.md").read_text("utf-8")


def documented():
    """{file: {variable: its default as written}}, from the tables of the page."""
    found = {}
    for table in re.findall(r"^\| variable .*\n(?:\|.*\n)+", PAGE, re.M):
        head, _, *rows = ([c.strip() for c in line.split("|")[1:-1]] for line in table.splitlines())
        for column, file in enumerate(head[1:-1], 1):
            values = {row[0].strip("`"): row[column] for row in rows if row[column]}
            found[file.strip("`")] = values
    return found


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_sound_and_in_canonical_form(name):
    based = f'base_model "small.json"\ninclude "{name}"' if name.startswith("mup") else None
    assert (grouper.parse(based) if based else grouper.load(name)).findings == ()
    assert main(["fmt", "--check", str(ROOT / "rules" / name)]) == 0


@pytest.mark.parametrize("name", SHIPPED)
def test_the_page_has_its_variables(name):
    rows = documented()[name]
    variables = grouper.load(name).variables
    assert list(rows) == list(variables)
    again = grouper.parse("\n".join(f"let {key} = {value}" for key, value in rows.items()))
    assert again.variables == variables


def test_the_page_has_no_other_files():
    assert sorted(documented()) == SHIPPED


def test_the_example_of_the_page():
    text = PAGE.partition("include the file")[2].split("```")[1]
    model = inventory(
        parameter("model.0.conv.weight", (8, 3, 3, 3)),
        parameter("model.10.bn.bias", (8,)),
        parameter("model.22.cv2.weight", (8, 8, 1, 1)),
        parameter("model.22.dfl.conv.weight", (1, 16, 1, 1)),
        classes={"model.0.conv": CONV, "model.10.bn": NORM, "model.22": DETECT},
    )
    report = grouper.check(model, grouper.parse(text))
    assert report.ok
    groups = {g.name: (g.options["lr"], len(g.parameters)) for g in report.grouping.groups}
    assert groups == {"weight/head": (0.02, 1), "bias": (0.01, 1)}
    assert len(report.grouping.frozen) == 2
