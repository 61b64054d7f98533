"""The pre-commit hooks, run by pre-commit itself on a scratch repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pre_commit")

from grouper.cli.main import main

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
GOOD = "optimizer SGD lr=0.01\n* -> all\n"
BAD = "optimizer SGD lr=0.01\n* -> all lr==1\n"
CONFIG = """\
repos:
  - repo: {hooks}
    rev: {rev}
    hooks:
      - id: grouper-check
      - id: grouper-fmt
"""


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def hooks(tmp_path_factory):
    """A repository with this project's hooks, as a user names one in `repo:`.

    pre-commit installs what stands in it into an environment of its own; here that is a command
    that runs this checkout, so that nothing need be fetched.
    """
    folder = tmp_path_factory.mktemp("hooks")
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", folder)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "grouper-rules"\nversion = "1"\n[project.scripts]\n'
        'grouper = "stand_in:main"\n[build-system]\nrequires = []\nbuild-backend = "backend"\n'
        'backend-path = ["."]\n'
    )
    paths = [str(ROOT), *(path for path in sys.path if "site-packages" in path)]
    (folder / "stand_in.py").write_text(
        f"import sys\nsys.path[:0] = {paths!r}\nfrom grouper.__main__ import main\n"
    )
    (folder / "backend.py").write_text(BACKEND)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "hooks")
    return folder


# The smallest that builds a wheel of one module, for environments without an index.
BACKEND = """
import zipfile
from pathlib import Path


def build_wheel(folder, config_settings=None, metadata_directory=None):
    info = "grouper_rules-1.dist-info"
    files = {
        "stand_in.py": Path("stand_in.py").read_text(),
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: grouper-rules\\nVersion: 1\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{info}/entry_points.txt": "[console_scripts]\\ngrouper = stand_in:main\\n",
    }
    record = "".join(f"{name},,\\n" for name in [*files, f"{info}/RECORD"])
    name = "grouper_rules-1-py3-none-any.whl"
    with zipfile.ZipFile(Path(folder) / name, "w") as wheel:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(path, text)
    return name
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Where pre-commit keeps the hooks' environment: made once for all tests here."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def commit(hooks, home, tmp_path):
    """`commit({"a.rules": text})`: exit status and output of the hooks on these files."""
    git(tmp_path, "init", "-q")
    config = CONFIG.format(hooks=hooks, rev=git(hooks, "rev-parse", "HEAD"))

    def run(files, more=""):
        (tmp_path / ".pre-commit-config.yaml").write_text(config + more)
        for name, text in files.items():
            (tmp_path / name).write_bytes(text.encode())
        git(tmp_path, "add", "-A")
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", "--color=never"],
            cwd=tmp_path,
            env={**os.environ, "PRE_COMMIT_HOME": str(home), "PIP_NO_INDEX": "1"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.parametrize("number", [1, 2, 3])
def test_sound_files_pass(commit, number):
    status, said = commit({f"{name}.rules": GOOD for name in "abc"[:number]})
    assert status == 0, said
    assert said.count("Passed") == 2


@pytest.mark.parametrize("number", [1, 2, 3])
def test_one_that_is_not_sound_stops_the_commit(commit, number):
    files = {f"{name}.rules": GOOD for name in "bac"[:number]}
    status, said = commit({**files, "b.rules": BAD})
    assert status == 1
    assert " --> b.rules:2:10" in said, said
    assert "a.rules" not in said
    assert (f"{number} files: {number - 1} sound, 1 with errors" in said) == (number > 1)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_files_are_formatted_and_the_commit_stops(commit, number, tmp_path):
    status, said = commit({f"{name}.rules": "* ->   all   lr=1\n" for name in "abc"[:number]})
    assert status == 1
    assert "files were modified by this hook" in said
    for name in "abc"[:number]:
        assert (tmp_path / f"{name}.rules").read_text() == "* -> all lr=1\n"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_model_may_be_given_to_all(commit, number, tmp_path):
    model = str(tmp_path / "model.json")
    assert main(["params", str(ROOT / "examples" / "yolov5s.pt"), "--save", model]) == 0
    again = "      - id: grouper-check\n        args: [--model, model.json]\n"
    assert commit({f"{name}.rules": GOOD for name in "abc"[:number]}, again)[0] == 0
    status, said = commit({"a.rules": "optimizer SGD lr=0.01\nnot.there -> all\n"}, again)
    assert status == 1
    assert "GR105" in said


def test_files_that_are_no_rules_are_left_alone(commit):
    status, said = commit({"a.txt": "* ->   all", "rules.py": "x=1\n"})
    assert status == 0
    assert said.count("no files to check") == 2
