"""`grouper emit` as a user runs it, and what it prints."""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from referencing import Registry, Resource
from support import commands
from support.builders import inventory, parameter
from support.commands import written

import grouper
from grouper.reports.python.layout import literal, quoted
from grouper.reports.python.module import python_code
from grouper.reports.python.name_lists import name_items

ROOT = Path(__file__).parents[2]
MODEL = "examples/yolov5s.pt"
RUN = ["--epochs", "10", "--steps-per-epoch", "500"]
MANY = """
optimizer AdamW as rest lr=1e-3 betas=(0.9, 0.99) weight_decay=0.01
optimizer torch.optim.adamw:AdamW as other lr=1e-3 weight_decay=0.01
optimizer SGD as hidden lr=0.02 momentum=0.95 nesterov=true
warmup epochs=1 momentum=0.85
schedule step milestones=(3, 6, 9) gamma=0.3
allow GR322
allow GR101 model.0.bn.*
model.1.* -> stem freeze
model.2.* and ndim >= 2 -> two optimizer=hidden schedule=cosine
override model.2.*bn* -> other optimizer=other lr=0.1 warmup_start=3 schedule=wsd
{model.{3..24}.*,model.0.conv.weight} -> "a 'b' \\"c\\"" schedule=inverse_sqrt
"""


def run(capsys, *arguments):
    return commands.run(capsys, "emit", *arguments)


def test_python_as_users_see_it(capsys, golden):
    status, out, err = run(capsys, MODEL, "yolo-finetune", "--as", "python", *RUN)
    assert (status, err) == (0, "")
    golden("cli/emit.py.txt", out)


def test_python_of_several_optimizers(tmp_path, capsys, golden):
    status, out, err = run(capsys, MODEL, written(tmp_path, MANY), "--as", "python", *RUN)
    assert (status, err) == (0, "")
    golden("cli/emit_many.py.txt", out)


def test_json_as_programs_see_it(tmp_path, capsys, golden):
    status, out, err = run(capsys, MODEL, written(tmp_path, MANY), *RUN)
    assert (status, err) == (0, "")
    golden("cli/emit.json", out)
    value = json.loads(out)
    valid(value)
    assert value["run"] == {"epochs": 10, "steps_per_epoch": 500}
    assert [optimizer["name"] for optimizer in value["optimizers"]] == ["rest", "other", "hidden"]
    assert value["unmatched"] == ["model.0.bn.weight", "model.0.bn.bias"]
    assert all(name.startswith("model.1.") for name in value["frozen"])
    without = json.loads(run(capsys, MODEL, written(tmp_path, MANY))[1])
    valid(without)
    assert without["run"] is without["groups"][0]["course"] is None


def valid(value):
    files = [ROOT / "docs" / f"{name}.schema.json" for name in ("report", "plan", "groups")]
    schemas = [json.loads(file.read_text()) for file in files]
    registry = Registry().with_resources((s["$id"], Resource.from_contents(s)) for s in schemas)
    jsonschema.Draft202012Validator(schemas[-1], registry=registry).validate(value)


def test_a_file_is_written_whole_and_said(tmp_path, capsys):
    file = tmp_path / "groups.py"
    arguments = [MODEL, "yolov5", "--as", "python", "--out", str(file)]
    assert run(capsys, *arguments) == (0, f"wrote {file}\n", "")
    assert run(capsys, *arguments, "-q") == (0, "", "")
    assert os.listdir(tmp_path) == ["groups.py"]
    assert file.read_text("utf-8") == run(capsys, MODEL, "yolov5", "--as", "python")[1]
    assert run(capsys, MODEL, "yolov5", "--out", "no/such/folder/groups.json")[0] == 2


@pytest.mark.parametrize(("text", "code"), [("*.bias -> bias lr=1", "GR101"), ("a => b", "GR001")])
def test_errors_are_the_report_and_leave_no_file(text, code, tmp_path, capsys):
    rules, out = written(tmp_path, text), tmp_path / "groups.py"
    for flags in ([], ["--ignore", code], ["-q"], ["--as", "python", "--out", str(out)]):
        status, printed, err = run(capsys, MODEL, rules, *flags)
        assert (status, printed) == (1, "")
        assert code in err
        assert "failed: 1 error" in err
    assert not out.exists()
    status, printed, _ = run(capsys, MODEL, rules, "--format", "json")
    assert status == 1
    assert not json.loads(printed)["ok"]


@pytest.mark.parametrize(
    "flags", [["--epochs", "3"], ["--epochs", "x", "--steps-per-epoch", "3"]], ids=["half", "word"]
)
def test_lengths_that_are_none(flags, capsys):
    status, out, err = run(capsys, MODEL, "yolov5", *flags)
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_nothing_loads_torch():
    code = (
        "import sys\nfrom grouper.cli.main import main\n"
        f"assert main({['emit', MODEL, 'yolov5', '--as', 'python', *RUN]}) == 0\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


segments = st.sampled_from(
    ["model", "layers", "0", "1", "2", "3", "10", "01", "cv1", "cv2", "w", "b"]
)
odd = st.text(min_size=1, max_size=4)
names = st.lists(
    st.lists(segments | odd, min_size=1, max_size=5).map(".".join), max_size=25, unique=True
)


@given(names, st.integers(0, 5))
def test_folded_names_are_exactly_the_names(given_names, depth):
    items = name_items(given_names, depth)
    found = eval(f"[{', '.join(items)}]")
    assert len(found) == len(given_names)
    assert set(found) == set(given_names)


@given(st.text() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.booleans())
def test_literals_are_their_values(value):
    assert eval(literal((value, (value,), None))) == (value, (value,), None)
    assert literal(value).isprintable()


@given(st.text(alphabet="'\"\\ab\n\x1b\u202e\U000e0001\ud800é"))
def test_quoted_text_is_harmless_and_exact(text):
    assert eval(quoted(text)) == text
    assert quoted(text).isprintable()


PIECES = [
    "model", "layers", "0", "1", "2", "3", "4", "10", "conv", "cv1", "weight", "bias", "a-b",
    'with "quotes"', "it's", "back\\slash", "{braces}", "\x1b[31m", "\u202e", "é",
    "a_rather_long_segment", "x" * 120, "y y" * 40,
]  # fmt: skip


def generated(seed):
    """A model and rules of any kind, with names that are none of a decent model."""
    pick = random.Random(seed)
    names = {
        ".".join(pick.choices(PIECES[: pick.choice([12, len(PIECES)])], k=pick.randint(1, 5)))
        for _ in range(pick.randint(1, 40))
    }
    ties = pick.sample(sorted(names), 2) if len(names) > 3 and pick.random() < 0.5 else []
    groups = [(name,) for name in sorted(names) if name not in ties]
    groups += [tuple(ties)] if ties else []
    made = [
        parameter(group, pick.choice([(4,), (4, 3), (2, 3, 1, 1), ()]),
                  trainable=pick.choice([True, True, True, False]))
        for group in groups
    ]  # fmt: skip
    kind = pick.choice(["linear final=0.1", "cosine", "step size=3", "step milestones=(5,)",
                        f"step milestones={tuple(range(1, 40))}", "exponential gamma=0.9",
                        "exponential final=0.5", "polynomial power=2", "wsd", "inverse_sqrt",
                        "constant"])  # fmt: skip
    every = pick.choice(["", " every=step"])
    optimizers = pick.choice(
        ["", "optimizer SGD lr=0.1 momentum=0.9", "optimizer my.own.package:Class.Inner lr=1e-5",
         "optimizer SGD as one lr=0.1\noptimizer AdamW as two lr=1e-3 betas=(0.9, 0.999)"]
    )  # fmt: skip
    rule = pick.choice(["*.0.* -> zero lr=0.3", "else -> most", "ndim == 2 -> flat lr=1",
                        "numel > 3 -> large lr*=0.5", "*1* -> ones freeze"])  # fmt: skip
    several = " optimizer=two" if "as two" in optimizers else ""
    text = (
        f"{optimizers}\nwarmup {pick.choice(['steps=10', 'epochs=1 momentum=0.5', 'steps=0'])}\n"
        f"schedule {kind}{every}\noverride {rule}\n"
        f"* -> all lr=0.1{several}\nallow GR104\nallow GR106\n"
    )
    return inventory(*made, path=f"some/{pick.choice(PIECES)}.pt"), grouper.parse(text, "any.rules")


def test_code_is_formatted_and_lint_clean(tmp_path):
    ruff = shutil.which("ruff", path=os.path.dirname(sys.executable))
    if ruff is None:
        pytest.skip("ruff is not installed")
    for seed in range(150):
        model, rules = generated(seed)
        report = grouper.check(model, rules)
        if not report.ok:
            continue
        plan = None
        if seed % 3 and all("lr" in group.options for group in report.grouping.groups):
            plan = grouper.plan(model, rules, steps_per_epoch=7, epochs=20)
        (tmp_path / f"made_{seed}.py").write_text(python_code(report, plan), "utf-8")
    assert len(list(tmp_path.iterdir())) > 60
    config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    for command in (["format", "--diff"], ["check", "--output-format", "concise"]):
        done = subprocess.run(
            [ruff, *command, *config, str(tmp_path)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_optimizers_that_python_cannot_name(tmp_path):
    rules = grouper.parse("optimizer a.b:lambda lr=1\n* -> all")
    report = grouper.check(inventory("a.weight"), rules)
    with pytest.raises(ValueError, match="its name is not valid Python"):
        python_code(report)
