"""The commands as a user runs them: output, exit status, and nothing half done."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from support.commands import run

ROOT = Path(__file__).parents[2]
FIRST = "model.24.* -> head lr=0.01; *.bias -> bias warmup_start=0.1\n"
MODEL = "examples/yolov5s.pt"


@pytest.fixture
def first(tmp_path, monkeypatch):
    (tmp_path / "first.rules").write_text(FIRST)
    (tmp_path / "yolov5s.pt").symlink_to(ROOT / MODEL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_check_as_users_see_it(first, capsys, golden):
    status, out, err = run(capsys, "check", "yolov5s.pt", "first.rules")
    assert (status, err) == (1, "")
    golden("cli/check.txt", out)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("check_yolov5", ["check", MODEL, "rules/yolov5.rules"]),
        ("groups", ["groups", MODEL, "yolo-finetune.rules"]),
        ("check_rules_alone", ["check", "yolo-finetune"]),
        ("explain", ["explain", MODEL, "rules/yolov5.rules", "model.24.m.0.*"]),
        ("rule", ["rule", "GR102"]),
        ("rules", ["rule"]),
    ],
)
def test_commands(name, arguments, capsys, golden):
    status, out, err = run(capsys, *arguments)
    assert (status, err) == (0, "")
    golden(f"cli/{name}.txt", out)


def test_json_is_valid_and_stable(first, capsys, golden):
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text())
    status, out, _ = run(capsys, "check", "yolov5s.pt", "first.rules", "--format", "json")
    assert status == 1
    value = json.loads(out)
    jsonschema.validate(value, schema)
    assert out == run(capsys, "check", "yolov5s.pt", "first.rules", "--format", "json")[1]
    assert [g["name"] for g in value["groups"]] == ["head", "head/bias", "bias"]
    assert len(value["unmatched"]) == 114
    assert value["double_matched"][0]["composed"] is True
    assert [r["label"] for r in value["double_matched"][0]["rules"]] == ["head", "bias"]
    for rules in ("yolov5.rules", "yolo-finetune.rules"):
        _, out, _ = run(capsys, "groups", "yolov5s.pt", rules, "--format", "json")
        jsonschema.validate(json.loads(out), schema)


def test_names_of_groups(capsys):
    status, out, _ = run(capsys, "groups", MODEL, "yolov5.rules", "--names")
    assert status == 0
    assert out.count("\n") == 177 + 3
    assert "\n    model.24.m.2.bias\n" in out


def test_variables(capsys):
    status, out, _ = run(
        capsys, "groups", MODEL, "yolov5.rules", "--set", "base=2*0.01", "--format", "json"
    )
    assert status == 0
    assert {g["options"]["lr"] for g in json.loads(out)["groups"]} == {0.02}
    status, out, _ = run(capsys, "check", MODEL, "yolov5.rules", "--set", "bsae=1")
    assert status == 1
    assert "did you mean `base`?" in out


def test_select_ignore_strict_and_quiet(first, capsys):
    arguments = ["check", "yolov5s.pt", "first.rules"]
    assert run(capsys, *arguments, "--ignore", "GR101")[0] == 0
    assert run(capsys, *arguments, "--select", "GR104")[0] == 0
    assert run(capsys, *arguments, "--ignore", "unmatched-parameter", "--strict")[0] == 1
    out = run(capsys, *arguments, "-q")[1]
    assert "GR101" in out
    assert "GR104" not in out


FAILURES = {
    "no model": ["check", "none.pt", "yolov5.rules"],
    "a model alone": ["check", MODEL],
    "a model as rules": ["groups", MODEL, MODEL],
    "no rules": ["check", MODEL, "yolov6.rules"],
    "no model in it": ["check", "README.md", "yolov5.rules"],
    "a folder": ["check", "docs", "yolov5.rules"],
    "bad setting": ["check", MODEL, "yolov5.rules", "--set", "base"],
    "bad value": ["check", MODEL, "yolov5.rules", "--set", "base=1/0"],
    "no such key": ["check", MODEL, "yolov5.rules", "--key", "teacher"],
    "no parameter": ["explain", MODEL, "yolov5.rules", "model.24.m.0.bia"],
    "no code": ["rule", "GR1"],
    "too many": ["check", MODEL, MODEL, "yolov5.rules"],
    "unwritable": ["params", MODEL, "--save", "no/such/folder/model.json"],
    "no file to format": ["fmt", "none.rules"],
    "NUL in a path": ["check", "a\0b", "yolov5.rules"],
    "NUL in rules": ["check", MODEL, "a\0b"],
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_cannot_run_says_why_in_one_line(name, capsys):
    status, out, err = run(capsys, *FAILURES[name])
    assert status == 2
    assert out == ""
    assert err.startswith("error")
    assert err.count("\n") == 1


def test_key_takes_another_model(capsys):
    _, out, _ = run(capsys, "check", MODEL, "yolov5.rules", "--key", "ema", "--format", "json")
    assert json.loads(out)["model"]["key"] == "ema"


def test_a_snapshot_is_taken_as_a_model(tmp_path, capsys):
    snapshot = str(tmp_path / "model.json")
    assert run(capsys, "params", MODEL, "--save", snapshot)[0] == 0
    assert os.listdir(tmp_path) == ["model.json"]
    groups = []
    for model in (MODEL, snapshot):
        _, out, _ = run(capsys, "groups", model, "yolo-finetune", "--format", "json")
        groups.append(json.loads(out)["groups"])
    assert groups[0] == groups[1]


def test_params_as_table_and_tree(capsys):
    _, table, _ = run(capsys, "params", MODEL)
    _, tree, _ = run(capsys, "params", MODEL, "--tree")
    assert "model.24.m.2.bias" in table
    assert "Detect" in tree
    assert len(table.splitlines()) == 177


def test_fmt(tmp_path, capsys):
    messy, text = tmp_path / "messy.rules", "a  ->  b   lr = 1  # why\n\n\n\nc->d"
    messy.write_text(text)
    assert run(capsys, "fmt", "--check", str(messy))[0] == 1
    assert messy.read_text() == text
    assert run(capsys, "fmt", str(messy))[0] == 0
    assert messy.read_text() == "a -> b lr=1  # why\n\nc -> d\n"
    assert run(capsys, "fmt", "--check", str(messy))[0] == 0
    messy.write_text("a => b")
    status, _, err = run(capsys, "fmt", str(messy))
    assert status == 1
    assert "GR001" in err
    assert messy.read_text() == "a => b"
    assert os.listdir(tmp_path) == ["messy.rules"]


def test_shipped_rules_are_formatted_and_sound(capsys):
    for path in sorted((ROOT / "rules").glob("*.rules")):
        assert run(capsys, "fmt", "--check", str(path))[0] == 0
        if path.stem not in ("mup", "mup-sgd"):  # parts of files that name a base model
            assert run(capsys, "check", str(path))[0] == 0


def test_strangers_text_does_not_reach_the_terminal(tmp_path, capsys):
    name = "\x1b[31mred\u202e[bold]x[/bold]"
    snapshot = {
        "version": 1, "kind": "\x1b]0;title\x07", "key": None, "order": "module", "buffers": [],
        "remarks": [], "modules": None,
        "parameters": [
            {"names": [name], "shape": [1], "dtype": "float32", "trainable": True,
             "stored": name, "inferred": False}
        ],
    }  # fmt: skip
    model = tmp_path / "model.json"
    model.write_text(json.dumps(snapshot))
    rules = tmp_path / "x.rules"
    rules.write_text("a -> b\n\x1b[2J -> c\n")
    for arguments in (["check", str(model), str(rules)], ["params", str(model)]):
        _, out, err = run(capsys, *arguments)
        assert not {"\x1b", "\x07", "\u202e"} & set(out + err)
    rules.write_text("a -> b\n")
    _, out, _ = run(capsys, "check", str(model), str(rules), "--color", "never")
    assert "[bold]x[/bold]" in out.replace("\n", "")
    assert not {"\x1b", "\x07", "\u202e"} & set(out)


def process(*arguments, **options):
    command = [sys.executable, "-m", "grouper", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, **options)


def test_colours_obey(monkeypatch):
    environment = {**os.environ}
    environment.pop("NO_COLOR")
    arguments = ["check", MODEL, "yolov5.rules"]
    assert "\x1b[" not in process(*arguments, env=environment).stdout
    assert "\x1b[" in process(*arguments, "--color", "always", env=environment).stdout
    forced = {**environment, "FORCE_COLOR": "1"}
    assert "\x1b[" in process(*arguments, env=forced).stdout
    assert "\x1b[" not in process(*arguments, "--color", "never", env=forced).stdout


def test_a_reader_that_goes_away_is_no_traceback():
    command = f"{sys.executable} -m grouper params {MODEL} | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT)
    assert "Traceback" not in done.stderr


def test_usage_is_status_two():
    assert process("check").returncode == 2
    assert process("frobnicate").returncode == 2
    assert process("--version").stdout.startswith("grouper 0.")
