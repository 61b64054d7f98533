"""`grouper plan` as a user runs it: table, curves, CSV, JSON and pictures."""

import csv
import io
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from referencing import Registry, Resource
from rich.cells import cell_len
from rich.console import Console
from support import commands
from support.commands import written

import grouper
from grouper.model.read import read
from grouper.reports.plan.curves import print_curves
from grouper.reports.plan.table import print_table
from grouper.reports.plan.tracks import tracks_of

ROOT = Path(__file__).parents[2]
MODEL = "examples/yolov5s.pt"
RUN = ["--epochs", "100", "--steps-per-epoch", "500"]
SHORT = ["--epochs", "2", "--steps-per-epoch", "3"]
TOLD = [*SHORT, "--set", "epochs=2"]  # the rules, too, know how short the run is
LAYERS = """
optimizer AdamW lr=1e-3 betas=(0.9, 0.999)
warmup epochs=1 momentum=0.8
schedule wsd decay=0.3 final=0.05 every=step
model.{i}.* -> layer{i} lr=1e-3 * 0.8 ** (max(i) - i)
"""
UNLIKE = """
optimizer AdamW lr=1e-3 betas=(0.9, 0.999)
schedule step milestones=(5, 8) gamma=0.1
*.bias -> bias schedule=cosine warmup_steps=30
else   -> weight warmup_steps=50 warmup_momentum=0.5
override *.weight and @*Norm* -> a_label_that_is_as_long_as_some_people_write_them lr=2e-3
"""
CONSTANT = "optimizer Adagrad lr=0.1\n* -> all"
TEXTS = {"layers": LAYERS, "unlike": UNLIKE, "constant": CONSTANT}


def run(capsys, *arguments):
    return commands.run(capsys, "plan", *arguments)


@pytest.mark.parametrize("columns", [80, 120])
def test_the_plan_as_users_see_it(columns, capsys, golden, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    status, out, err = run(capsys, MODEL, "yolo-finetune.rules", *RUN)
    assert (status, err) == (0, "")
    golden(f"cli/plan_{columns}.txt", out)


@pytest.mark.parametrize("name", TEXTS)
def test_plans_of_many_kinds(name, tmp_path, capsys, golden):
    rules = written(tmp_path, TEXTS[name])
    status, out, err = run(capsys, MODEL, rules, "--epochs", "10", "--steps-per-epoch", "50")
    assert (status, err) == (0, "")
    golden(f"cli/plan_{name}.txt", out)


@cache
def inventory():
    return read(MODEL)


@pytest.mark.parametrize("name", ["yolo-finetune", *TEXTS])
@pytest.mark.parametrize("length", [(1, 1), (1, 2), (1, 50), (3, 100), (300, 1250)])
def test_nothing_is_wider_than_the_terminal(name, length):
    rules = grouper.parse(TEXTS[name]) if name in TEXTS else grouper.load(name)
    epochs, steps = length
    plan = grouper.plan(inventory(), rules, epochs=epochs, steps_per_epoch=steps)
    shown = tracks_of(plan)
    for columns in (40, 66, 80, 200):
        out = Console(file=io.StringIO(), width=columns, color_system=None, highlight=False)
        print_table(plan, shown, out)
        sentences = out.file.getvalue().index("start")  # a terminal wraps these itself
        print_curves(plan, shown, out)
        drawing = out.file.getvalue()[sentences:].splitlines()
        assert max(map(cell_len, drawing)) <= columns


def test_ascii_where_the_stream_has_nothing_else(capsys, golden, tmp_path):
    command = [sys.executable, "-m", "grouper", "plan", MODEL, written(tmp_path, UNLIKE)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*command, "--epochs", "10", "--steps-per-epoch", "50"],
        capture_output=True, env=environment, check=True, cwd=ROOT,
    )  # fmt: skip
    golden("cli/plan_ascii.txt", done.stdout.decode("ascii"))


def test_each_curve_has_its_mark_and_its_colour(capsys, monkeypatch):
    _, out, _ = run(capsys, MODEL, "yolo-finetune.rules", *RUN)
    drawing = out[out.index(" lr  (") : out.index(" momentum  (")]
    for mark in "abc":
        assert sum(mark in line.partition("│")[2] for line in drawing.splitlines()) >= 1
    monkeypatch.delenv("NO_COLOR")
    _, out, _ = run(capsys, MODEL, "yolo-finetune.rules", *RUN, "--color", "always")
    for mark, code in zip("abc", ("36", "35", "33"), strict=True):
        assert f"\x1b[{code}m{mark}\x1b[0m" in out


def test_csv_is_the_plan_to_the_last_bit(capsys, golden):
    status, out, err = run(capsys, MODEL, "yolo-finetune.rules", *TOLD, "--csv")
    assert (status, err) == (0, "")
    golden("cli/plan.csv", out)
    rules = grouper.load("yolo-finetune.rules", epochs=2)
    plan = grouper.plan(MODEL, rules, steps_per_epoch=3, epochs=2)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [int(row["step"]) for row in rows] == list(range(6))
    for row in rows:
        for name, values in plan.at(int(row["step"])).items():
            assert {key: float(row[f"{key} {name}"]) for key in values} == values


def test_json_is_the_plan_to_the_last_bit(capsys, golden):
    status, out, err = run(capsys, MODEL, "yolo-finetune.rules", *TOLD, "--json", "--stride", "4")
    assert (status, err) == (0, "")
    golden("cli/plan.json", out)
    value = json.loads(out)
    valid(value)
    assert value["steps"] == [0, 4, 5]
    rules = grouper.load("yolo-finetune.rules", epochs=2)
    plan = grouper.plan(MODEL, rules, steps_per_epoch=3, epochs=2)
    curves = plan.over(value["steps"])
    for group in value["groups"]:
        assert {"lr": group["lr"], "momentum": group["momentum"]} == curves[group["name"]]
    assert out == run(capsys, MODEL, "yolo-finetune", *TOLD, "--format=json", "--stride=4")[1]


def valid(value):
    schemas = [
        json.loads((ROOT / "docs" / f"{n}.schema.json").read_text()) for n in ("report", "plan")
    ]
    registry = Registry().with_resources((s["$id"], Resource.from_contents(s)) for s in schemas)
    jsonschema.Draft202012Validator(schemas[1], registry=registry).validate(value)


@pytest.mark.parametrize("name", TEXTS)
def test_json_is_valid(name, tmp_path, capsys):
    value = json.loads(run(capsys, MODEL, written(tmp_path, TEXTS[name]), *SHORT, "--json")[1])
    valid(value)
    assert (value["groups"][0]["momentum"] is None) == (name == "constant")


def test_files_are_written_whole_and_said(tmp_path, capsys):
    table, values = str(tmp_path / "plan.csv"), str(tmp_path / "plan.json")
    arguments = [MODEL, "yolo-finetune", *TOLD, "--csv", table, "--json", values]
    assert run(capsys, *arguments) == (0, f"wrote {table}\nwrote {values}\n", "")
    assert run(capsys, *arguments, "-q") == (0, "", "")
    assert sorted(os.listdir(tmp_path)) == ["plan.csv", "plan.json"]
    assert Path(table).read_text() == run(capsys, MODEL, "yolo-finetune", *TOLD, "--csv")[1]
    assert json.loads(Path(values).read_text())["steps"] == list(range(6))


@pytest.mark.parametrize("format", ["png", "svg"])
def test_pictures_are_the_same_every_time(format, tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    files = [tmp_path / f"{name}.{format}" for name in "ab"]
    for file in files:
        assert run(capsys, MODEL, "yolo-finetune", *RUN, "--plot", str(file), "-q") == (0, "", "")
    first, second = (file.read_bytes() for file in files)
    assert first == second
    if format == "png":
        assert first.startswith(b"\x89PNG")
        return
    text = first.decode()
    ElementTree.fromstring(text)
    assert {"head/bias", "body/bias, body/norm, body/weight", "momentum", "step"} <= words(text)
    assert "dc:date" not in text


def words(svg):
    space = "{http://www.w3.org/2000/svg}"
    return {"".join(node.itertext()) for node in ElementTree.fromstring(svg).iter(f"{space}text")}


NAMES = ["=1+1", "@cmd", "+a", "-b", "_hidden", "$x^2$", "a<b>&c", "\x1b[31mred\x07", "\u202eevil"]


def test_strangers_names_do_no_harm(tmp_path, capsys):
    text = "optimizer SGD lr=0.1\n" + "\n".join(
        f'"{name}.w" -> "{name}" lr=0.{i}1' for i, name in enumerate(NAMES)
    )
    snapshot = {
        "version": 1, "kind": "state dict", "key": None, "order": "module", "buffers": [],
        "remarks": [], "modules": None,
        "parameters": [
            {"names": [f"{name}.w"], "shape": [1], "dtype": "float32", "trainable": True,
             "stored": f"{name}.w", "inferred": False}
            for name in NAMES
        ],
    }  # fmt: skip
    model, rules = tmp_path / "model.json", written(tmp_path, text)
    model.write_text(json.dumps(snapshot))
    for output in ([], ["--csv"], ["--json"]):
        status, out, err = run(capsys, str(model), rules, *SHORT, *output)
        assert (status, err) == (0, "")
        assert not {"\x1b", "\x07", "\u202e"} & set(out)
        if output == ["--json"]:
            assert [group["name"] for group in json.loads(out)["groups"]] == NAMES
        if output == ["--csv"]:
            cells = {cell for row in csv.reader(io.StringIO(out)) for cell in row}
            assert not [cell for cell in cells if cell[0] in "=+-@\t\r"]
            assert {"lr =1+1", "lr @cmd", "lr \\u001b[31mred\\u0007"} <= cells
    pytest.importorskip("matplotlib")
    picture = tmp_path / "plan.svg"
    status, _, err = run(capsys, str(model), rules, *SHORT, "--plot", str(picture))
    assert (status, err) == (0, "")
    assert {"=1+1", "_hidden", "$x^2$", "a<b>&c", "\\u001b[31mred\\u0007"} <= words(
        picture.read_text("utf-8")
    )


FAULTS = {
    "unmatched": ("*.bias -> bias lr=1", "GR101"),
    "conflict": ("optimizer SGD lr=1\n* -> a lr=1\n* -> b lr=2", "GR102"),
    "syntax": ("a => b", "GR001"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be_planned_is_the_report(name, tmp_path, capsys):
    text, code = FAULTS[name]
    rules = written(tmp_path, text)
    for flags in ([], ["--ignore", code], ["--plot", "plan.png"], ["-q"]):
        status, out, err = run(capsys, MODEL, rules, *SHORT, *flags)
        assert (status, err) == (1, "")
        assert code in out
        assert "failed: 1 error" in out
    for flags in (["--format", "json"], ["--json"]):
        status, out, _ = run(capsys, MODEL, rules, *SHORT, *flags)
        assert status == 1
        assert not json.loads(out)["ok"]
        assert code in [finding["code"] for finding in json.loads(out)["findings"]]
    status, out, err = run(capsys, MODEL, rules, *SHORT, "--csv")
    assert (status, out) == (1, "")
    assert code in err


def test_an_lr_that_is_missing(tmp_path, capsys):
    rules = written(tmp_path, "optimizer SGD momentum=0.9\n* -> all")
    status, out, err = run(capsys, MODEL, rules, *SHORT)
    assert status == 1
    assert "error[GR203] missing-lr" in out
    assert err.startswith("error: the group `all` has no `lr`")
    assert err.count("\n") == 1
    status, out, _ = run(capsys, MODEL, rules, *SHORT, "--json")
    assert status == 1
    assert not json.loads(out)["ok"]


def test_rates_beyond_all_numbers(tmp_path, capsys):
    rules = written(tmp_path, "optimizer SGD lr=1\nschedule exponential gamma=9\n* -> all")
    length = ["--epochs", "999999", "--steps-per-epoch", "1"]
    for more in ([], ["--json"], ["--csv"]):
        status, out, err = run(capsys, MODEL, rules, *length, *more, "--stride", "9999")
        assert (status, out) == (2, "")
        assert "overflows" in err


def test_rates_that_cannot_be_drawn(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    rules = written(tmp_path, "optimizer SGD lr=1e-320\nwarmup steps=5 start=1.7e308\n* -> all")
    picture = tmp_path / "plan.svg"
    status, out, err = run(capsys, MODEL, rules, *SHORT, "--plot", str(picture))
    assert (status, out) == (2, "")
    assert err.startswith("error: the numbers are too large")
    assert not picture.exists()


def test_warnings_are_errors_when_asked(tmp_path, capsys):
    rules = written(tmp_path, "* -> all lr=1 momentun=0.9")
    status, out, _ = run(capsys, MODEL, rules, *SHORT)
    assert status == 0
    assert "\n\nwarning[GR030]" in out
    status, out, _ = run(capsys, MODEL, rules, *SHORT, "-q")
    assert status == 0
    assert out.startswith("warning[GR030]")
    status, out, _ = run(capsys, MODEL, rules, *SHORT, "--strict")
    assert status == 1
    assert "error[GR030]" in out


def test_variables_and_keys(capsys):
    flags = ["--set", "base=0.5", "--key", "model", "--json"]
    value = json.loads(run(capsys, MODEL, "yolov5", *SHORT, *flags)[1])
    assert value["groups"][0]["course"]["lr"] == 0.5
    assert [finding["code"] for finding in value["findings"]] == ["GR211"]
    value = json.loads(run(capsys, MODEL, "yolov5", *SHORT, "--key", "ema", "--json")[1])
    assert value["model"]["key"] == "ema"
    assert [group["name"] for group in value["groups"]] == ["bias", "norm", "weight"]


FAILURES = {
    "no length": [],
    "half a length": ["--epochs", "3"],
    "no epochs": ["--epochs", "0", "--steps-per-epoch", "3"],
    "a word": ["--epochs", "many", "--steps-per-epoch", "3"],
    "a fraction": ["--epochs", "3", "--steps-per-epoch", "1.5"],
    "digits that are not ASCII": ["--epochs", "²", "--steps-per-epoch", "1"],
    "too long": ["--epochs", "9" * 5000, "--steps-per-epoch", "1"],
    "too many rows": ["--epochs", "99999", "--steps-per-epoch", "99999", "--csv"],
    "no stride": [*SHORT, "--csv", "--stride", "0"],
    "two outputs": [*SHORT, "--csv", "--json"],
    "no picture": [*SHORT, "--plot", "plan.jpg"],
    "no extension": [*SHORT, "--plot", "plan"],
    "unwritable": [*SHORT, "--csv", "no/such/folder/plan.csv"],
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_cannot_run_says_why_in_one_line(name, capsys):
    status, out, err = run(capsys, MODEL, "yolov5", *FAILURES[name])
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_pictures_need_matplotlib(tmp_path, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    picture = tmp_path / "plan.png"
    status, out, err = run(capsys, MODEL, "yolov5", *SHORT, "--plot", str(picture))
    assert (status, out) == (2, "")
    assert "`pip install matplotlib`" in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_only_pictures_load_matplotlib_and_nothing_loads_torch():
    code = (
        "import sys\nfrom grouper.cli.main import main\n"
        f"assert main({['plan', MODEL, 'yolov5', *RUN]}) == 0\n"
        "assert not {'torch', 'numpy', 'matplotlib'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", code]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def test_a_run_with_nothing_to_train(tmp_path, capsys):
    rules = written(tmp_path, "* -> all freeze; allow GR113")
    status, out, _ = run(capsys, MODEL, rules, *SHORT)
    assert status == 0
    assert "nothing to plan" in out
    value = json.loads(run(capsys, MODEL, rules, *SHORT, "--json")[1])
    assert value["groups"] == []
    valid(value)
    assert run(capsys, MODEL, rules, *SHORT, "--csv")[1].startswith("step,epoch\n0,0\n")
    if pytest.importorskip("matplotlib"):
        status, _, err = run(capsys, MODEL, rules, *SHORT, "--plot", str(tmp_path / "a.png"))
        assert status == 2
        assert "nothing" in err


def test_a_run_in_steps(tmp_path, capsys):
    pytest.importorskip("torch")
    from grouper.cli.main import main

    rules = tmp_path / "a.rules"
    rules.write_text("optimizer SGD lr=1; warmup steps=2; schedule linear; * -> all")
    yolo = str(Path(__file__).parents[2] / "examples" / "yolov5s.pt")
    assert main(["plan", yolo, str(rules), "--steps", "1000"]) == 0
    shown = capsys.readouterr().out
    assert "  1,000 steps\n" in shown
    assert "epoch" not in shown
    assert main(["plan", yolo, str(rules), "--steps", "4", "--csv"]) == 0
    assert [line.split(",")[2] for line in capsys.readouterr().out.split()[-4:]] != ["1"] * 4
    assert main(["plan", yolo, str(rules), "--steps", "4", "--epochs", "2"]) == 2
    assert "--steps is the length of the whole run; it cannot go with --epochs" in (
        capsys.readouterr().err
    )
    assert main(["plan", yolo, "yolov5.rules", "--steps", "4"]) != 0
    assert "a run of steps alone has no epochs" in "".join(capsys.readouterr())
    assert main(["emit", yolo, str(rules), "--steps", "4", "--as", "python"]) == 0
    made: dict[str, object] = {}
    exec(capsys.readouterr().out, made)
    assert made["plan"](3)["all"]["lr"] == pytest.approx(0.25)
