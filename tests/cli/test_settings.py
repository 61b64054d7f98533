"""`[tool.grouper]` in pyproject.toml: defaults that flags replace."""

import json
import shutil

import pytest
from support.commands import run

from grouper.cli.setting_kinds import PROJECT, RULES_FILE
from grouper.cli.settings import settings_for

HALF = "model.0.* -> stem lr=base\nelse -> rest lr=base freee=1\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a model, rules in a folder, and the folder of a subpackage."""
    for folder in ("rules", "models", "src/deep"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy("examples/yolov5s.pt", tmp_path / "models" / "m.pt")
    (tmp_path / "rules" / "a.rules").write_text(f"let base = 0.01\n{HALF}")
    monkeypatch.chdir(tmp_path)

    def write(text):
        (tmp_path / "pyproject.toml").write_text(text, "utf-8")

    return write


AS_JSON = ("--format", "json")
WHOLE = """
[project]
name = "mine"

[tool.grouper]
ignore = ["GR03"]

[tool.grouper.files."rules/*.rules"]
model = "models/m.pt"
key = "model"

[tool.grouper.files."rules/a.rules"]
set = { base = 0.5 }
"""


@pytest.mark.parametrize(
    ("folder", "rules"),
    [(".", "rules/a.rules"), ("rules", "a.rules"), ("src/deep", "../../rules/a.rules")],
)
def test_a_project_says_what_its_rules_are_for(
    folder, rules, project, tmp_path, monkeypatch, capsys
):
    project(WHOLE)
    monkeypatch.chdir(tmp_path / folder)
    status, out, error = run(capsys, "check", rules, "--format", "json")
    assert (status, error) == (0, "")
    report = json.loads(out)
    assert report["model"]["parameters"] == 177
    assert report["model"]["key"] == "model"
    assert report["groups"][0]["options"]["lr"] == 0.5
    assert report["findings"] == []


def test_rules_from_elsewhere_belong_to_their_own_project(project, tmp_path, monkeypatch, capsys):
    project(WHOLE)
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    status, out, _ = run(capsys, "check", str(tmp_path / "rules" / "a.rules"), "--format", "json")
    assert status == 0
    assert json.loads(out)["model"]["parameters"] == 177


def test_flags_win(project, capsys):
    project(WHOLE + "\n[tool.other]\n")
    status, out, _ = run(
        capsys, "check", "rules/a.rules", "--ignore", "GR101", "--set", "base=0.2", *AS_JSON,
    )  # fmt: skip
    assert status == 0
    report = json.loads(out)
    assert report["groups"][0]["options"]["lr"] == 0.2
    assert [finding["code"] for finding in report["findings"]] == ["GR030"]
    model = run(capsys, "check", "models/m.pt", "rules/a.rules", "--key", "ema", "--format", "json")
    assert json.loads(model[1])["model"]["key"] == "ema"


def test_strict_has_a_flag_for_both(project, capsys):
    project("[tool.grouper]\nstrict = true\n")
    warned = ("check", "models/m.pt", "rules/a.rules", "--key", "model")
    assert run(capsys, *warned)[0] == 1
    assert run(capsys, *warned, "--no-strict")[0] == 0
    assert run(capsys, "groups", *warned[1:])[0] == 1
    project("[tool.grouper]\nstrict = false\n")
    assert run(capsys, *warned)[0] == 0
    assert run(capsys, *warned, "--strict")[0] == 1


def test_select(project, capsys):
    project('[tool.grouper]\nselect = ["GR1"]\n')
    _, out, _ = run(capsys, "check", "models/m.pt", "rules/a.rules", "--format", "json")
    assert "GR030" not in out
    _, out, _ = run(
        capsys, "check", "models/m.pt", "rules/a.rules", "--select", "GR030", "--format", "json"
    )
    assert "GR030" in out


def test_every_command_that_reads_rules_has_the_variables(project, capsys):
    project(WHOLE)
    for command in ("groups", "emit"):
        out = run(capsys, command, "models/m.pt", "rules/a.rules", "--key", "model")[1]
        assert "0.5" in out
    assert (
        "0.5"
        in run(
            capsys,
            "explain",
            "models/m.pt",
            "rules/a.rules",
            "model.0.conv.weight",
            "--key",
            "model",
        )[1]
    )


P, F = "[tool.grouper]\n", '[tool.grouper.files."rules/a.rules"]\n'
MISTAKES = [
    (
        f"{P}selct = []\n",
        "`pyproject.toml`: [tool.grouper] has no key `selct`; did you mean `select`?",
    ),
    (f"{P}model = 'm'\n", "no key `model`; its keys are `select`, `ignore`, `strict`, `files`"),
    (f"{P}strict = 1\n", "`strict` of [tool.grouper] must be true or false, not 1"),
    (f"{P}ignore = 'GR101'\n", "`ignore` of [tool.grouper] must be a list of codes"),
    (f"{P}ignore = ['GR1011']\n", "`ignore` in pyproject.toml: there is no finding `GR1011`"),
    ("[tool]\ngrouper = 3\n", "`tool.grouper` must be a table, not 3"),
    ('[tool.grouper.files]\n"rules/a.rules" = 3\n', "must be a table, not 3"),
    (f'{F}modle = "x"\n', "has no key `modle`; did you mean `model`?"),
    (F.replace("a.", "b."), "names `rules/b.rules`, but there is no such file"),
    (f'{F}set = ["x=1"]\n', '`set` of [tool.grouper.files."rules/a.rules"] must be a table'),
    (f"{F}set = {{base = {{a = 1}}}}\n", "must be a table of numbers"),
    (f"{F}model = [1]\n", "must be a path, or a list of paths"),
    (f"{F}key = 1\n", "must be the path of a model inside"),
    ("[tool.grouper\n", "`pyproject.toml` is not TOML: "),
    (f"{P}select = 'caf\xe9\n", "is not TOML"),
]


@pytest.mark.parametrize(("text", "says"), MISTAKES)
def test_mistakes_are_told(text, says, project, capsys):
    project(text)
    status, out, error = run(capsys, "check", "rules/a.rules")
    assert (status, out) == (2, "")
    assert says in error
    assert error.count("\n") == 1


def test_a_model_that_is_not_there(project, capsys):
    project('[tool.grouper.files."rules/a.rules"]\nmodel = "snapshots/a.json"\n')
    status, _, error = run(capsys, "check", "rules/a.rules")
    assert status == 2
    assert "there is no model file `snapshots/a.json`" in error


def test_several_models_and_code_that_builds_one(project):
    project('[tool.grouper.files."rules/a.rules"]\nmodel = ["models/m.pt", "timm:resnet18"]\n')
    assert settings_for("rules/a.rules").of("rules/a.rules").models == (
        "models/m.pt", "timm:resnet18",
    )  # fmt: skip


def test_a_project_that_does_not_speak_of_grouper_is_passed_over(project, tmp_path, capsys):
    project(WHOLE)
    (tmp_path / "rules" / "pyproject.toml").write_text("this is not TOML")
    status, out, _ = run(capsys, "check", "rules/a.rules")
    assert status == 0
    assert "177 tensors" in out


def test_a_rules_file_called_by_a_shipped_name(project, capsys):
    project('[tool.grouper.files."yolov5"]\nmodel = "models/m.pt"\nkey = "model"\n')
    assert "177 tensors" in run(capsys, "check", "yolov5")[1]


def test_values_are_those_of_toml(project):
    project(f'{F}set = {{ a = 1, b = true, c = "word", d = [1, 2.5] }}')
    assert settings_for("rules/a.rules").of("rules/a.rules").variables == {
        "a": 1, "b": True, "c": "word", "d": (1, 2.5),
    }  # fmt: skip


def test_the_page_names_every_key():
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "ci.md").read_text("utf-8")
    assert all(f"`{key}`" in page for key in (*PROJECT, *RULES_FILE))
