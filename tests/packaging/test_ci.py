"""The page on checks for every change: its files are valid, the hooks and the action run."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from grouper.reports.formats import REPORTS

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ci.md").read_text("utf-8")
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
EXAMPLES = {
    name: yaml.safe_load(text)
    for name, text in re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)
}
POSIX = pytest.mark.skipif(os.name != "posix", reason="the steps are of bash")


def valid(value, schema):
    """Validate by the schemas that the package `check-jsonschema` carries."""
    pytest.importorskip("check_jsonschema")
    jsonschema = pytest.importorskip("jsonschema")
    folder = files("check_jsonschema").joinpath("builtin_schemas", "vendor")
    jsonschema.validate(value, json.loads(folder.joinpath(f"{schema}.json").read_text("utf-8")))


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (ACTION, "github-actions"),
        (EXAMPLES[".github/workflows/rules.yml"], "github-workflows"),
        (EXAMPLES[".github/workflows/scan.yml"], "github-workflows"),
        (EXAMPLES[".gitlab-ci.yml"], "gitlab-ci"),
    ],
    ids=["action", "workflow", "scan", "gitlab"],
)
def test_files_are_valid(value, schema):
    if True in value:  # `on`, which YAML 1.1 takes for a truth value
        value = {**value, "on": value[True]}
        del value[True]
    valid(value, schema)


def test_the_page_names_what_there_is():
    formats = re.findall(r"^\| `(\w+)` \| ", PAGE.split("| `--format` |")[1], re.MULTILINE)
    assert set(formats) == set(REPORTS.renderers)
    inputs = PAGE.split("| input | is |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` ", inputs, re.MULTILINE) == list(ACTION["inputs"])
    steps = EXAMPLES[".github/workflows/rules.yml"]["jobs"]["check"]["steps"]
    assert set(steps[1]["with"]) <= set(ACTION["inputs"])
    hooks = {h["id"] for h in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    (repository,) = EXAMPLES[".pre-commit-config.yaml"]["repos"]
    assert {hook["id"] for hook in repository["hooks"]} == hooks
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target


def test_the_snapshot_and_the_settings_of_the_page(tmp_path, monkeypatch, capsys):
    from grouper.cli.main import main

    for name in ("examples", "rules"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "snapshots").mkdir()
    monkeypatch.chdir(tmp_path)
    for command in re.findall(r"^\$ grouper (.*)$", PAGE, re.MULTILINE):
        assert main(command.split()) == 0
        assert capsys.readouterr() == ("", "")
    settings = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1]
    (tmp_path / "pyproject.toml").write_text(settings, "utf-8")
    assert main(["check", "rules/yolov5.rules", "rules/yolo-finetune.rules"]) == 0
    assert "177 tensors" in capsys.readouterr().out


@pytest.fixture
def repository(tmp_path):
    """A repository with a snapshot, and rules of which one does not fit it."""
    folder = tmp_path / "scratch"
    (folder / "rules").mkdir(parents=True)
    shutil.copy(ROOT / "examples" / "yolov5s.pt", folder / "model.pt")
    (folder / "rules" / "a b.rules").write_text("* -> all lr=0.1\n")
    (folder / "rules" / "c.rules").write_text("* -> all lr=0.1\n")
    committed(folder)
    return folder


def committed(folder):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "begin"]):
        subprocess.run([*git, *command], cwd=folder, check=True)


def copy_of_the_sources(folder):
    """A repository with what git knows here, as it stands here."""
    for name in tracked():
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    committed(folder)


def tracked():
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def step(number, folder, **inputs):
    """Run a step of the action as a runner does: `bash -e` with its variables filled in."""
    given = {name: str(entry.get("default", "")) for name, entry in ACTION["inputs"].items()}
    given |= inputs
    one = ACTION["runs"]["steps"][number]
    environment = {**os.environ, "RUNNER_TEMP": str(folder / "temp")}
    environment |= {"GITHUB_STEP_SUMMARY": str(folder / "temp" / "page")}
    environment |= {"GITHUB_WORKSPACE": str(folder)}
    environment.pop("PYTHONPATH", None)
    for name, value in one["env"].items():
        path = value.replace("${{ github.action_path }}", str(ROOT))
        environment[name] = re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda m: given[m[1]], path)
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", one["run"]]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """What the action's first step installs; skips where no index is within reach."""
    folder = tmp_path_factory.mktemp("runner")
    (folder / "temp").mkdir()
    done = step(0, folder, python=sys.executable)
    if done.returncode and re.search("No matching distribution|onnection", done.stderr):
        pytest.skip("pip reaches no index")
    assert done.returncode == 0, done.stderr
    return folder / "temp" / "grouper"


@POSIX
@pytest.mark.slow
def test_the_steps_of_the_action(repository, installed):
    (repository / "temp").mkdir()
    (repository / "temp" / "grouper").symlink_to(installed)
    sound = step(1, repository, rules="rules/*.rules", model="model.pt", args="--key model")
    assert sound.returncode == 0, sound.stderr
    assert sound.stdout.count("ok: 1 group") == 2
    assert (repository / "temp" / "page").read_text("utf-8").count("<h3>") == 2

    (repository / "rules" / "a b.rules").write_text("model.0.* -> stem lr=base%\nmodel.0.* -> a")
    (repository / "rules" / "c.rules").write_text("model.0.* -> stem lr=0.1\n")
    faulty = step(
        1,
        repository,
        rules="rules/a b.rules\nrules/c.rules",
        model="model.pt",
        args=" --key  model ",
    )
    assert faulty.returncode == 1
    errors = [line for line in faulty.stdout.splitlines() if line.startswith("::error ")]
    assert any(line.startswith("::error file=rules/a b.rules,line=1,") for line in errors)
    assert any("file=rules/c.rules," in line and "GR101" in line for line in errors)


@POSIX
@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"rules": "none/*.rules"}, "names no file"),
        ({"rules": "rules/c.rules", "model": "gone.json"}, "could not run"),
        ({"rules": "rules/c.rules", "model": "$(touch hacked)"}, "could not run"),
        ({"rules": "rules/c.rules", "args": "--model `touch hacked`"}, "could not run"),
        ({"rules": "$(touch hacked)\n--model"}, "could not run"),
    ],
)
def test_inputs_of_the_action_are_words_and_not_code(inputs, says, repository, installed):
    (repository / "temp").mkdir()
    (repository / "temp" / "grouper").symlink_to(installed)
    done = step(1, repository, **inputs)
    assert done.returncode == 2
    assert f"::error title=grouper::{'' if 'names' in says else 'grouper '}" in done.stdout
    assert says in done.stdout
    assert not (repository / "hacked").exists()


@POSIX
@pytest.mark.slow
def test_the_hooks_by_pre_commit_itself(repository, tmp_path):
    pytest.importorskip("pre_commit")
    source = tmp_path / "grouper"
    copy_of_the_sources(source)
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=source, check=True, capture_output=True, text=True
    ).stdout.strip()
    hooks = [{"id": "grouper-check"}, {"id": "grouper-fmt"}]
    config = {"repos": [{"repo": str(source), "rev": revision, "hooks": hooks}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    (repository / "pyproject.toml").write_text(
        '[tool.grouper.files."rules/*"]\nmodel = "model.pt"\nkey = "model"\n'
    )

    def commit():
        subprocess.run(["git", "add", "-A"], cwd=repository, check=True)
        environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home")}
        environment.pop("PYTHONPATH", None)
        command = [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color", "never"]
        return subprocess.run(
            command, cwd=repository, env=environment, capture_output=True, text=True
        )

    done = commit()
    if re.search("No matching distribution|onnection", done.stdout + done.stderr):
        pytest.skip("pip reaches no index")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Passed") == 2
    (repository / "rules" / "d.rules").write_text("model.0.*   -> stem lr=1\n")
    done = commit()
    assert done.returncode == 1
    assert done.stdout.count("Failed") == 2
    assert "unmatched-parameter" in done.stdout
    assert (repository / "rules" / "d.rules").read_text() == "model.0.* -> stem lr=1\n"


def test_no_install_fetches_a_strangers_package():
    """On the public index, the name `grouper` belongs to somebody else."""
    for name in tracked():
        path = ROOT / name
        if name in ("CHANGELOG.md", "tests/packaging/test_name.py") or not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        install = r"pip3? install (-\S+ )*['\"]?" + "grouper"
        assert not re.search(install + r"\b(?!-)", text), name


def test_the_citation_is_valid_and_of_this_version():
    from grouper.version import __version__

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    valid(citation, "citation-file-format")
    assert citation["version"] == __version__


def test_what_the_security_page_names_is_there():
    page = (ROOT / "SECURITY.md").read_text("utf-8")
    for name in re.findall(r"\]\(([^)]+)\)|`(tests/[\w/.]+)`", page):
        assert (ROOT / "".join(name)).exists(), name
