"""Every block in the README and in docs/ is what it says: rules fit a model, code and commands run.

A block that cannot run here stands in NOT_RUN, with the reason and with what is tested instead.
"""

import difflib
import json
import math
import os
import shlex
import warnings
from pathlib import Path

import pytest

os.environ.setdefault("YOLO_OFFLINE", "true")
torch = pytest.importorskip("torch")
from support import torchvision_stub  # noqa: E402

torchvision_stub.mend()
pytest.importorskip("timm")
pytest.importorskip("ultralytics")

from support import fitting_models as fitting  # noqa: E402
from support.pages import BLOCKS, ELSEWHERE, ROOT, blocks, rules_before  # noqa: E402
from support.run_pages import given, ultralytics_runs  # noqa: E402

import grouper  # noqa: E402
from grouper.cli.main import main  # noqa: E402
from grouper.text.findings import Severity  # noqa: E402

LANGUAGES = {"", "python", "console", "text", "json", "yaml", "diff"}
# Rules that show what goes wrong, or a part of a file; by page and first line.
FAULTY = {
    ("README.md", "model.24.* -> head lr=0.01"): {"GR101"},
    ("commands.md", "model.24.* -> head lr=0.01; *.bias -> bias warmup_start=0.1"): {"GR101"},
    ("yolov5.md", "model.24.* -> head lr=0.01; *.bias -> bias warmup_start=0.1"): {"GR101"},
}
PART_OF = {("yolov5.md", "model.{0..9}.* -> backbone freeze"): 'include "yolov5"\n'}
# Blocks and commands that do not run here; by page and line, with what holds them instead.
# Code that needs a run or a model of its own; by page and first line, the test that has them.
CODE_ELSEWHERE = {
    (
        "training.md",
        'optimizer, scheduler = grouper.build(model, "my.rules", steps=10_000)',
    ): "tests/train/test_build.py",
    (
        "training.md",
        'report = grouper.check(whole, "my.rules")'
        "  # on the meta device, if that is where the whole is",
    ): "tests/train/test_parts.py",
}
NOT_RUN = {
    ("README.md", "pip install -c tests/constraints.txt"): ".ci/run does it, and runs these tests",
    ("yolov5.md", "$ pip install path/to/grouper"): "test_installs.py builds what pip does",
    ("yolov5.md", "$ git apply"): "tests/oracles/train_yolov5.py applies the patch, records runs",
    ("yolov5.md", "$ python train.py"): "tests/oracles/train_yolov5.py runs it with the patch",
    ("commands.md", "$ grouper"): "test_commands_page.py runs them and compares what they print",
}  # fmt: skip
COMMANDS = [
    (block, line)
    for block in blocks("console")
    for line in block.text.splitlines()
    if line.startswith("$ ") or block.page == "README.md"
]


def ids(block):
    return block.place if hasattr(block, "place") else block


def left_out(block, line):
    """The entry of NOT_RUN that a line falls under."""
    entries = ((page, start) for page, start in NOT_RUN if page == block.page)
    return next((entry for entry in entries if line.startswith(entry[1])), None)


@pytest.mark.parametrize("block", blocks(""), ids=ids)
def test_rules_fit_a_model(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    key = block.page, block.first
    text = PART_OF.get(key, "") + block.text
    fitting.write_companions(tmp_path)
    path = tmp_path / "my.rules"
    path.write_text(text, "utf-8")
    rules = grouper.load(path)
    assert not rules.findings, [finding.message for finding in rules.findings]
    if not rules.rules:  # statements alone: they are those of a file that goes on
        rules = grouper.parse(f"{text}\n{fitting.REST}", str(path))
    reports = {name: grouper.check(model, rules) for name, model in fitting.models().items()}
    faults = {
        name: {f.code.id for f in report.findings if f.severity is not Severity.NOTE}
        for name, report in reports.items()
    }
    expected = FAULTY.get(key, set())
    fits = [name for name, codes in faults.items() if codes == expected]
    closest = min(reports.values(), key=lambda report: len(report.findings))
    assert fits, (faults, [f.message for f in closest.findings])
    report = reports[fits[0]]
    if report.ok and all("lr" in group.options for group in report.grouping.groups):
        with warnings.catch_warnings():
            warnings.simplefilter("error", grouper.GroupingWarning)
            model = fitting.models()[fits[0]]
            plan = grouper.plan(model, report, steps_per_epoch=200, epochs=90)
        assert all(math.isfinite(v["lr"]) for v in plan.at(plan.steps - 1).values())


@pytest.mark.parametrize("block", blocks("python"), ids=ids)
def test_code_runs(block, tmp_path, monkeypatch, request):
    if (block.page, block.first) in CODE_ELSEWHERE:
        assert (ROOT / CODE_ELSEWHERE[block.page, block.first]).exists()
        return
    monkeypatch.chdir(tmp_path)
    rules = fitting.MY_RULES
    if block.page == "ultralytics.md":
        rules = 'include "yolo-finetune"'
    elif block.page == "training.md" and "unfreeze" in block.text:
        rules = rules_before(block)
    Path("my.rules").write_text(rules, "utf-8")
    with ultralytics_runs(tmp_path, monkeypatch) as yolo, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = given(block, tmp_path, yolo, request)
        exec(compile(block.text, block.place, "exec"), names)


@pytest.mark.parametrize(
    ("block", "line"), COMMANDS, ids=[f"{block.place} {line[:40]}" for block, line in COMMANDS]
)
def test_commands_run(block, line, tmp_path, monkeypatch, capsys):
    entry = left_out(block, line)
    if entry is not None:
        assert len(NOT_RUN[entry]) > 20  # a reason, and no excuse
        return
    parts = [part.strip() for part in line.removeprefix("$ ").partition("#")[0].split("&&")]
    ours = [part for part in parts if part.startswith("grouper ")]
    assert ours, f"{line}: neither a command of grouper nor in NOT_RUN"
    monkeypatch.chdir(tmp_path)
    fitting.write_files(tmp_path)
    for command in ours:
        status = main(shlex.split(command.removeprefix("grouper ")))
        assert status == 0, capsys.readouterr()


def test_what_is_not_run_is_there():
    for page, start in NOT_RUN:
        lines = [line for b in blocks("console") if b.page == page for line in b.text.splitlines()]
        assert any(line.startswith(start) for line in lines), (page, start)
    for page, first in [*FAULTY, *PART_OF]:
        assert any((b.page, b.first) == (page, first) for b in blocks("")), (page, first)


def test_pages_with_tests_of_their_own_have_them():
    for page, test in ELSEWHERE.items():
        assert (ROOT / "docs" / page).exists()
        assert (ROOT / test).exists()


def test_no_block_is_of_another_kind():
    assert {block.language for block in BLOCKS} <= LANGUAGES


@pytest.mark.parametrize("block", blocks("json"), ids=ids)
def test_json_is_what_the_monitor_writes(block):
    import jsonschema

    schema = json.loads((ROOT / "docs" / "monitor.schema.json").read_text("utf-8"))
    for line in block.text.splitlines():
        jsonschema.Draft202012Validator(schema).validate(json.loads(line))


@pytest.mark.parametrize("block", blocks("yaml"), ids=ids)
def test_hooks_are_those_that_there_are(block):
    import yaml

    (repo,) = yaml.safe_load(block.text)["repos"]
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert {hook["id"] for hook in repo["hooks"]} == {hook["id"] for hook in hooks}


@pytest.mark.parametrize("block", blocks("diff"), ids=ids)
def test_the_patch_is_the_one_in_examples(block):
    file = (ROOT / "examples" / "yolov5_train.patch").read_text("utf-8")
    assert not list(difflib.unified_diff(block.text.splitlines(), file.splitlines()))


@pytest.mark.parametrize("block", blocks("text"), ids=ids)
def test_output_is_what_is_printed(block):
    printed = {
        "error[GR501]": fitting.disagreement,
        "optimizer state by name": fitting.restored,
        "# What my.rules gives": fitting.locked,
    }
    make = next(make for start, make in printed.items() if block.text.startswith(start))
    assert make() == block.text.rstrip("\n")


def test_the_layer_decay_of_the_language_page_is_timms():
    import timm
    from timm.optim import param_groups_layer_decay

    (block,) = [b for b in blocks("") if b.first == "let decay = 0.75"]
    model = timm.create_model("vit_tiny_patch16_224")
    groups = grouper.param_groups(model, grouper.parse(block.text))
    ours = {
        parameter: (group["lr"] / 1e-3, group["weight_decay"])
        for group in groups
        for _, parameter in group["params"]
    }
    no_decay = model.no_weight_decay()
    theirs = param_groups_layer_decay(model, 0.05, no_weight_decay_list=no_decay, layer_decay=0.75)
    compared = 0
    for group in theirs:
        for parameter in group["params"]:
            scale, decay = ours[parameter]
            assert scale == pytest.approx(group["lr_scale"], rel=1e-12)
            assert decay == group["weight_decay"]
            compared += 1
    assert compared == len(ours) == len(list(model.parameters()))


def test_the_readme_counts_layers_as_that_page_does():
    readme = (ROOT / "README.md").read_text("utf-8")
    page = (ROOT / "docs" / "language.md").read_text("utf-8")
    assert "lr*=0.75 ** (count(i) - rank(i))" in readme
    assert "lr*=decay ** (count(i) - rank(i))" in page
    assert "max(i) - i" not in readme + page
