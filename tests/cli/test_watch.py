"""`check --watch` in a process of its own: it sees every file that a check depends on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grouper.cli.watched_files import watched_files

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a signal of POSIX")


class Watching:
    """A running `grouper check --watch`, and what it printed so far."""

    def __init__(self, folder, *arguments):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
        self.file = folder / "printed"
        command = [sys.executable, "-m", "grouper", "check", *arguments, "--watch"]
        with open(self.file, "wb") as out:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=out, cwd=folder, env=environment,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def wait_for(self, text, times=1):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.file.read_text("utf-8").count(text) >= times:
                return
            assert self.process.poll() is None, self.file.read_text("utf-8")
            time.sleep(0.05)
        raise AssertionError(f"not printed: {text}\n{self.file.read_text('utf-8')}")

    def end(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(10)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "part.rules").write_text("model.24.* -> head lr=1\n")
    (tmp_path / "my.rules").write_text('include "part.rules"\nelse -> body lr=2\n')
    (tmp_path / "m.pt").write_bytes((ROOT / "examples" / "yolov5s.pt").read_bytes())
    return tmp_path


def test_every_change_is_checked_until_ctrl_c(folder):
    with Watching(folder, "m.pt", "my.rules", "--key", "model") as watching:
        watching.wait_for("ok: 2 groups")
        (folder / "my.rules").write_text('include "part.rules"\n')
        watching.wait_for("failed: 1 error")
        (folder / "part.rules").write_text("* -> all lr=1\n")
        watching.wait_for("ok: 1 group\n")
        (folder / "new.rules").write_text("model.24.* -> head lr=1; else -> a lr=1\n")
        os.replace(folder / "new.rules", folder / "part.rules")  # as editors write
        watching.wait_for("ok: 2 groups", 2)
        (folder / "m.pt").write_bytes(b"no model")
        watching.wait_for("error[GR401]")
        (folder / "my.rules").unlink()
        watching.wait_for("there is no rules file `my.rules`")
        assert watching.end() == 2
        assert "Traceback" not in watching.file.read_text("utf-8")
        assert "\x1b" not in watching.file.read_text("utf-8")  # it is no terminal


def test_the_last_status_counts(folder):
    with Watching(folder, "m.pt", "my.rules", "--key", "model") as watching:
        watching.wait_for("ok: 2 groups")
        assert watching.end() == 0
    (folder / "my.rules").write_text("model.0.* -> a lr=1\n")
    with Watching(folder, "m.pt", "my.rules", "--key", "model") as watching:
        watching.wait_for("failed:")
        assert watching.end() == 1


def test_a_project_and_its_models_are_watched(folder):
    (folder / "pyproject.toml").write_text("[tool.grouper]\nnothing = 1\n")
    with Watching(folder, "my.rules") as watching:
        watching.wait_for("has no key `nothing`")
        (folder / "pyproject.toml").write_text(
            '[tool.grouper.files."my.rules"]\nmodel = "m.pt"\nkey = "model"\n'
        )
        watching.wait_for("ok: 2 groups")
        assert watching.end() == 0


def test_which_files_are_watched(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "my.rules").write_text('for "m.pt"\ninclude "part.rules"\ninclude "gone.rules"\n')
    assert watched_files("m.pt", ["my.rules"]) == ("m.pt", "my.rules", "part.rules")
    assert watched_files(None, ["my.rules"])[-1].endswith("m.pt")
    assert watched_files(None, ["nothing.rules"]) == ("nothing.rules",)


def test_the_lock_is_watched_where_it_is_compared(folder):
    with Watching(folder, "m.pt", "my.rules", "--key", "model", "--locked") as watching:
        watching.wait_for("there is no lock")
        command = [sys.executable, "-m", "grouper", "lock", "m.pt", "my.rules", "--key", "model"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, check=True, cwd=folder, env=environment, capture_output=True)
        watching.wait_for("ok: 2 groups")
        assert watching.end() == 0


def test_standard_input_cannot_be_watched(folder):
    command = [sys.executable, "-m", "grouper", "check", "-", "--watch"]
    done = subprocess.run(command, input=b"* -> a lr=1", capture_output=True, cwd=ROOT)
    assert done.returncode == 2
    assert b"can be read only once" in done.stderr
