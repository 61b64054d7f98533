"""How the command line ends, whatever it is given and wherever its output goes."""

import json
import os
import subprocess
import sys

import pytest

CHECK = ["check", "examples/yolov5s.pt", "yolov5"]
POSIX = pytest.mark.skipif(os.name != "posix", reason="pipes and devices of POSIX")


def grouper(*arguments, shell=None, cwd=None, **options):
    """Run grouper in a process of its own; `shell` is a command line in which `$G` runs it."""
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    environment["G"] = f"{sys.executable} -m grouper"
    command = ["bash", "-c", shell] if shell else [sys.executable, "-m", "grouper", *arguments]
    return subprocess.run(
        command, capture_output=True, env=environment, cwd=cwd, timeout=60, **options
    )


@POSIX
@pytest.mark.parametrize(
    ("shell", "status"),
    [
        ("set -o pipefail; $G params examples/yolov5s.pt | head -c 10 >/dev/null", {141, 0}),
        ("$G check examples/yolov5s.pt yolov5 >&-", {2}),
        ("$G check examples/yolov5s.pt yolov5 >/dev/full", {2}),
        ("$G --help >/dev/full", {2}),
        ("$G check examples/yolov5s.pt yolov5 2>&- >/dev/null", {0}),
    ],
)
def test_output_that_goes_nowhere(shell, status):
    done = grouper(shell=shell)
    assert done.returncode in status, done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stderr.count(b"\n") <= 1


@pytest.mark.parametrize("flag", ["--select", "--ignore"])
def test_an_unknown_code_is_an_error(flag):
    done = grouper(*CHECK, flag, "nonsense")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"there is no finding `nonsense`" in done.stderr


@pytest.mark.parametrize("code", ["GR1", "gr101", "unmatched-parameter", "GR101,GR203"])
def test_prefixes_and_lower_case_name_codes(code, tmp_path):
    rules = tmp_path / "half.rules"
    rules.write_text("model.0.* -> a lr=1\n")
    assert grouper("check", "examples/yolov5s.pt", rules).returncode == 1
    done = grouper("check", "examples/yolov5s.pt", rules, "--ignore", code)
    assert done.returncode == 0


def test_a_pipe_gets_whole_names_one_a_line():
    done = grouper("params", "examples/yolov5s.pt")
    lines = done.stdout.decode().splitlines()
    names = [line.split("\t")[0] for line in lines]
    assert "model.24.m.0.weight" in names
    assert all("\t" in line for line in lines[1:])


@POSIX
def test_a_link_stays_a_link(tmp_path):
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("{}")
    link.symlink_to(real)
    assert grouper("params", "examples/yolov5s.pt", "--save", link).returncode == 0
    assert link.is_symlink()
    assert json.loads(real.read_text())["version"] == 1


@POSIX
def test_fmt_writes_through_links_and_keeps_line_ends(tmp_path):
    real, link = tmp_path / "real.rules", tmp_path / "link.rules"
    real.write_bytes(b"*   -> all lr=1\r\n")
    link.symlink_to(real)
    assert grouper("fmt", link).returncode == 0
    assert link.is_symlink()
    assert real.read_bytes() == b"* -> all lr=1\r\n"
    assert grouper("fmt", "--check", real).returncode == 0


def test_fmt_never_loses_what_it_cannot_read(tmp_path):
    file = tmp_path / "latin.rules"
    content = "# caf\xe9\n* -> all lr=1\n".encode("latin-1")
    file.write_bytes(content)
    done = grouper("fmt", file)
    assert done.returncode == 2
    assert b"is not UTF-8" in done.stderr
    assert file.read_bytes() == content


@pytest.mark.parametrize("count", [1, 2, 3])
def test_any_number_of_rules_files(count, tmp_path):
    files = []
    for number in range(count):
        file = tmp_path / f"{number}.rules"
        file.write_text("* -> all lr=1\n")
        files.append(file)
    assert grouper("check", *files).returncode == 0
    done = grouper("check", "--model", "examples/yolov5s.pt", *files, "--format", "json")
    assert done.returncode == 0
    if count > 1:
        reports = [json.loads(line) for line in done.stdout.splitlines()]
        assert [report["ok"] for report in reports] == [True] * count


def test_rules_name_the_model_that_they_are_for(tmp_path):
    rules = tmp_path / "mine.rules"
    model = os.path.relpath("examples/yolov5s.pt", tmp_path)
    rules.write_text(f'for "{model}"\nmodel.0.* -> stem lr=1\n')
    done = grouper("check", rules)
    assert done.returncode == 1
    assert b"unmatched-parameter" in done.stdout
    rules.write_text('for "missing.pt"\n* -> all lr=1\n')
    assert grouper("check", rules).returncode == 2


def test_rules_come_from_standard_input():
    done = grouper("check", "examples/yolov5s.pt", "-", input=b"* -> all lr=1\n")
    assert done.returncode == 0


@POSIX
@pytest.mark.parametrize(
    ("shell", "status"),
    [
        ("$G check examples/yolov5s.pt /dev/stdin <<< '* -> all lr=1'", 0),
        ("$G check examples/yolov5s.pt <(echo '* -> all lr=1')", 0),
        ("cat rules/yolov5.rules | $G groups examples/yolov5s.pt /dev/stdin", 0),
        ("$G check examples/yolov5s.pt <(echo 'a.* -> all lr=1')", 1),
        ("mkfifo $T/pipe; $G check examples/yolov5s.pt $T/pipe", 2),
        ("$G check examples/yolov5s.pt /dev/null", 2),
    ],
)
def test_rules_come_from_pipes_that_are_open(shell, status, tmp_path):
    done = grouper(shell=f"T={tmp_path}; {shell}")
    assert done.returncode == status, done.stderr
    assert b"no rules file" not in done.stderr


def test_an_address_is_not_repeated():
    done = grouper("check", "https://user:secret@host.example/a.rules")
    assert done.returncode == 2
    assert b"secret" not in done.stdout + done.stderr


HOSTILE = ["", "\u202e", "no such file", "/", "\udcff", "-", "--", "x=" + "9" * 400]


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize(
    "command",
    [
        ("check",), ("check", "examples/yolov5s.pt"), ("params",), ("fmt",), ("rule",),
        ("groups", "examples/yolov5s.pt"), ("check", "yolov5", "--set"),
        ("plan", "examples/yolov5s.pt", "yolov5", "--epochs"), ("monitor",),
        ("explain", "examples/yolov5s.pt", "yolov5"), ("emit", "examples/yolov5s.pt"),
    ],
)  # fmt: skip
def test_hostile_words_are_one_line_and_status_two(command, word, capsys, monkeypatch):
    from grouper.cli.main import main

    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115
    status = main([*command, word])
    err = capsys.readouterr().err
    assert status in (0, 1, 2)
    if status == 2:
        assert err.startswith("error")
        assert err.count("\n") == 1
