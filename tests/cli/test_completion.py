"""Completion in real shells: bash, zsh and fish."""

import os
import re
import shutil
import subprocess
import sys
import time

import pytest

from grouper.checks.catalog import ALL
from grouper.cli.completion import SHELLS
from grouper.cli.main import COMMANDS
from grouper.cli.shells.tree import shipped_names

CASES = {
    "grouper che": {"check"},
    "grouper ": set(COMMANDS),
    "grouper check --form": {"--format"},
    "grouper check --format s": {"sarif"},
    "grouper check --format=ju": {"junit"},
    "grouper rule GR10": {code.id for code in ALL if code.id.startswith("GR10")},
    "grouper help expl": {"explain"},
    "grouper completion ": set(SHELLS),
    "grouper groups m.pt a.r": {"a.rules"},
    "grouper groups --key m m.pt a.r": {"a.rules"},
    "grouper groups m.pt yolo": {name for name in shipped_names() if name.startswith("yolo")},
    "grouper check m": {"m.pt"},
    "grouper fmt a": {"a.rules"},
    "grouper emit m.pt a.rules --as py": {"python"},
    "grouper params --vers": set(),
    "grouper --ver": {"--version"},
}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("completion")
    for shell in SHELLS:
        done = subprocess.run(
            [sys.executable, "-m", "grouper", "completion", shell], capture_output=True, check=True
        )
        (folder / shell).write_bytes(done.stdout)
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("a.rules", "m.pt", "x.txt"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def needs(shell):
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


def in_bash(script, line):
    """Call the function as readline does, with the words split where bash splits them."""
    words = [word for word in re.split(r"\s+|(=)", line) if word]
    words += [""] if line.endswith((" ", "=")) else []
    listed = " ".join(f"'{word}'" for word in words)
    code = f"source {script}; COMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}\n"
    code += "_grouper; printf '%s\\n' \"${COMPREPLY[@]}\""
    done = subprocess.run(["bash", "--norc", "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
    return set(done.stdout.split())


def in_fish(script, line):
    code = f"source {script}; complete -C '{line}'"
    done = subprocess.run(["fish", "--no-config", "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
    words = {one.split("\t")[0] for one in done.stdout.splitlines()}
    return {word.removeprefix("--format=") for word in words}


@needs("bash")
@pytest.mark.parametrize(("line", "expected"), CASES.items())
def test_bash(line, expected, scripts, folder):
    assert in_bash(scripts / "bash", line) == expected


@needs("fish")
@pytest.mark.parametrize(("line", "expected"), CASES.items())
def test_fish(line, expected, scripts, folder):
    assert in_fish(scripts / "fish", line) == expected


@needs("zsh")
def test_zsh(scripts, folder):
    """zsh completes in its line editor alone, so it is typed into on a terminal of its own."""
    with Terminal(["zsh", "-f", "-i"]) as zsh:
        zsh.type("PS1='$ '; unsetopt beep; autoload -Uz compinit; compinit -u -D\n")
        zsh.type("zstyle ':completion:*' list-colors ''; LISTMAX=0; clear\n")
        zsh.type(f"source {scripts / 'zsh'}\n")
        for line, expected in CASES.items():
            shown = zsh.completed(line, expected)
            for word in expected:
                assert word in shown, (line, shown)
            for word in {"x.txt", "sarif", "monitor"} - expected:
                assert word not in shown, (line, shown)


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, command):
        import pty

        self.master, slave = pty.openpty()
        environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": os.getcwd()}
        environment |= {"COLUMNS": "200", "LINES": "100"}
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self):
        self.read()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def type(self, text, expected=()):
        os.write(self.master, text.encode())
        return self.read(expected)

    def completed(self, line, expected):
        """What stands on the screen after a tab."""
        shown = self.type(f"{line}\t", expected)
        self.type("\x15")  # empties the line
        return shown

    def read(self, expected=(), quiet=0.2):
        """What is printed until the expected words are there, and nothing more has come for a
        while; after ten seconds, whatever there is."""
        import select

        printed, deadline = b"", time.monotonic() + 10
        while True:
            ready, _, _ = select.select([self.master], [], [], quiet)
            if ready:
                printed += os.read(self.master, 65536)
            text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", printed.decode("utf-8", "replace"))
            done = bool(text) and not ready and all(word in text for word in expected)
            if done or time.monotonic() > deadline:
                return text
