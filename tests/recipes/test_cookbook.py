"""Every recipe of docs/cookbook.md: no finding on a model of its kind, and the plan that is drawn.

`pytest --update` draws the plans anew.
"""

import io
import re
import textwrap

import pytest

pytest.importorskip("torch")
from support.torchvision_stub import mend

mend()
for package in ("transformers", "timm", "ultralytics", "peft"):
    pytest.importorskip(package)

# ruff: noqa: E402
from rich.console import Console
from support.cookbook_models import model
from support.fitting_models import language_model
from support.pages import ROOT

import grouper
from grouper.cli.main import main
from grouper.language.resolve.resolve import assignment
from grouper.model.formats.snapshot import dumps
from grouper.reports.plan import curves
from grouper.reports.plan.braille import ASCII
from grouper.reports.plan.tracks import tracks_of
from grouper.text.findings import Severity

PAGE = ROOT / "docs" / "cookbook.md"
RECIPE = re.compile(
    r"### (?P<title>.+?)\n.*?<!-- (?P<run>.+?) -->\n"
    r"```\n(?P<rules>.*?)```\n(?P<drawn>```text\n.*?```\n)?",
    re.DOTALL,
)
RECIPES = list(RECIPE.finditer(PAGE.read_text("utf-8")))
HEIGHT = 8  # of a drawing, in lines
WIDTH = 76
MOST_NAMES = 8


def of_run(text):
    """A model's name, the length of a run, and the variables."""
    name, length, *settings = text.split(", ")
    if found := re.fullmatch(r"(\d+) epochs of (\d+)", length):
        run = {"epochs": int(found[1]), "steps_per_epoch": int(found[2])}
    else:
        run = {"steps": int(length.removesuffix(" steps"))}
    return name, run, dict(map(assignment, settings))


def drawing(plan, monkeypatch):
    """The curves as text, smaller than the command draws them, in characters of every font."""
    monkeypatch.setattr(curves, "HEIGHTS", {"lr": HEIGHT, "momentum": 4})
    monkeypatch.setattr(curves, "ink_for", lambda _: ASCII)
    out = Console(file=io.StringIO(), width=WIDTH, color_system=None, legacy_windows=False)
    curves.print_curves(plan, tracks_of(plan), out)
    lines = [line.rstrip() for line in out.file.getvalue().strip("\n").splitlines()]
    names = [f"{track.mark}  {', '.join(track.groups)}" for track in tracks_of(plan)]
    if len(names) > MOST_NAMES:
        names[4:-3] = [f"   ... {len(names) - 7} more ..."]
    shown = (textwrap.shorten(name, WIDTH, placeholder=" ...") for name in names)
    return "\n".join([*lines, "", *shown])


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe["title"])
def test_a_recipe_is_clean_and_drawn(recipe, tmp_path, monkeypatch, request):
    name, run, variables = of_run(recipe["run"])
    (tmp_path / "small.json").write_text(dumps(language_model(16)))
    path = tmp_path / "my.rules"
    path.write_text(recipe["rules"], "utf-8")
    report = grouper.check(model(name), grouper.load(path, **variables))
    assert not [f for f in report.findings if f.severity is not Severity.NOTE], report
    assert main(["fmt", "--check", str(path)]) == 0
    plan = grouper.plan(report.inventory, report, **run)
    assert not plan.findings
    drawn = f"```text\n{drawing(plan, monkeypatch)}\n```\n"
    if request.config.getoption("--update"):
        page = PAGE.read_text("utf-8")
        head = recipe[0].removesuffix(recipe["drawn"] or "")
        PAGE.write_text(page.replace(recipe[0], head + drawn), "utf-8")
    else:
        assert recipe["drawn"] == drawn


def test_every_shipped_recipe_is_on_the_page():
    families = "efficientnet maxvit mobilenet nfnet regnet xcit swin convnext resnet"
    known = {f"{family}-layer-decay" for family in families.split()} | {
        "mup-sgd", "no-decay", "transformers-no-decay", "ultralytics-adamw", "ultralytics-musgd",
        "yolov5", "yolov5-adamw",
    }  # fmt: skip
    shipped = {path.stem for path in (ROOT / "rules").glob("*.rules")}
    named = set(re.findall(r'include "(.+?)"', PAGE.read_text("utf-8")))
    assert shipped - known <= named
