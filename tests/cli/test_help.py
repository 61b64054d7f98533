"""Help, near names for what is misspelt, and examples that run."""

import argparse
import re
import shlex
import shutil

import pytest
from support.commands import run

from grouper.cli.exit import STATUSES
from grouper.cli.main import COMMANDS
from grouper.cli.parser import build, subparsers
from grouper.version import __version__

PARSERS = subparsers(build(COMMANDS))
EXAMPLES = [
    line.strip().partition("  # ")[0]
    for parser in (build(COMMANDS), *PARSERS.values())
    for line in parser.epilog.splitlines()
    if line.strip().startswith("grouper ")
]
GOES_ON = (
    "--watch",
    "--follow",
    "--serve",
    "monitor",
    " > ",
)  # or needs a run that nobody recorded


@pytest.fixture
def folder(tmp_path, monkeypatch):
    shutil.copy("examples/yolov5s.pt", tmp_path / "model.pt")
    shutil.copy("examples/yolov5s.pt", tmp_path / "last.pt")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    text = "let base = 0.01\noptimizer SGD lr=base\nmodel.24.* -> head; else -> body lr*=0.1\n"
    (tmp_path / "my.rules").write_text(text)
    (tmp_path / "old.rules").write_text(text.replace("0.01", "0.02"))
    (tmp_path / "rules" / "a.rules").write_text(text)
    return tmp_path


def test_no_command_is_answered_with_the_help(capsys):
    status, out, error = run(capsys)
    assert (status, error) == (2, "")
    assert out == run(capsys, "--help")[1] == run(capsys, "help")[1]
    assert STATUSES in out
    assert all(re.search(rf"^    {name} ", out, re.MULTILINE) for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_help(name, capsys):
    status, out, _ = run(capsys, name, "--help")
    assert status == 0
    assert out == run(capsys, "help", name)[1]
    assert out.rstrip().endswith(STATUSES)
    assert out.startswith(f"usage: grouper {name} ")


@pytest.mark.parametrize("line", EXAMPLES)
def test_examples_of_the_help_run(line, folder, capsys, monkeypatch):
    words = shlex.split(line)[1:]
    if any(word in line for word in GOES_ON):
        build(COMMANDS).parse_args(words[: words.index(">")] if ">" in words else words)
        return
    if "snapshot.json" in words and "--save" not in words:
        run(capsys, "params", "model.pt", "--key", "model", "--save", "snapshot.json")
    words = [str(folder / "rules" / "a.rules") if w == "rules/*.rules" else w for w in words]
    words = ["model.24.m.0.bias" if w == "head.weight" else w for w in words]
    status, _, error = run(capsys, *words)
    assert status in (0, 1), error


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_the_version(flag, capsys):
    assert run(capsys, flag) == (0, f"grouper {__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("chekc a", "there is no command `chekc`; did you mean `check`? See `grouper --help`"),
        ("zzz", "there is no command `zzz`; see `grouper --help`"),
        (
            "check a --strct",
            "no flag `--strct`; did you mean `--strict`? See `grouper check --help`",
        ),
        ("groups m r --nmaes", "did you mean `--names`?"),
        ("check a --zzzzz=3", "there is no flag `--zzzzz`; see `grouper check --help`"),
        ("check a --format sariff", "did you mean `sarif`?"),
        ("plan m r --epoch 3", "did you mean `--epochs`?"),
        ("groups m r x", "`x` is an unexpected argument; see `grouper groups --help`"),
        ("help chek", "did you mean `check`?"),
        ("completion pwsh", "SHELL takes bash, zsh, fish, not `pwsh`"),
        ("--strict check a", "`--strict` is not a flag of grouper itself"),
        ("groups m", "required: RULES; see `grouper groups --help`"),
    ],
)
def test_misspelt_words(words, says, capsys):
    status, out, error = run(capsys, *words.split())
    assert (status, out) == (2, "")
    assert error.startswith("error: ")
    assert says in error
    assert error.count("\n") == 1


def test_what_is_misspelt_is_printed_safely(capsys):
    for words in (["a\x1b[31m"], ["check", "a", "--\x1b[2J"], ["check", "a", "--format", "\x1b"]):
        status, _, error = run(capsys, *words)
        assert status == 2
        assert "\x1b" not in error


def test_every_flag_says_what_it_is_for():
    for name, parser in PARSERS.items():
        for action in parser._actions:
            if action.option_strings:
                assert action.help not in (None, argparse.SUPPRESS), (name, action.option_strings)


def test_curves_without_braille(capsys):
    command = ["plan", "examples/yolov5s.pt", "yolov5", "--epochs", "3", "--steps-per-epoch", "9"]
    assert not run(capsys, *command)[1].isascii()
    status, out, _ = run(capsys, *command, "--ascii")
    assert status == 0
    assert out.isascii()
    assert "+---" in out
