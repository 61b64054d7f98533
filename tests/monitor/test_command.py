"""`grouper monitor` as a user runs it: what it shows, its exit status, and files of strangers."""

import fcntl
import io
import json
import math
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest

from grouper.cli.main import main
from grouper.monitor.record import (
    GroupFacts,
    Header,
    Measurement,
    Record,
    header_line,
    record_line,
)
from grouper.monitor.sparkline import trend

ROOT = Path(__file__).parents[2]
GROUPS = ("head/bias", "head/weight", "body/bias", "body/weight")
SOUND = {
    "lr": 0.01,
    "momentum": 0.937,
    "gradient_norm": 1.0,
    "weight_norm": 12.5,
    "update_ratio": 1e-3,
    "zero_gradients": 0.0,
    "nonfinite_gradients": 0.0,
}


def facts():
    return {
        name: GroupFacts(3, 765, f"yolo.rules:{line}:16") for line, name in enumerate(GROUPS, 8)
    }


def measured(step, **changes):
    """Every group at a step, sound but for the changes by group."""
    swing = 1 + 0.5 * math.sin(step / 40)
    groups = {}
    for name in GROUPS:
        given = {**SOUND, "gradient_norm": swing, "update_ratio": 1e-3 * swing}
        groups[name] = Measurement(**given | changes.get(name.replace("/", "_"), {}))
    return groups


def a_run(steps=30, untouched=(), **changes):
    lines = [header_line(Header(facts(), 0, 10))]
    lines += [
        record_line(Record(10 * i, measured(10 * i, **changes), untouched)) for i in range(steps)
    ]
    return "".join(f"{line}\n" for line in lines)


DEAD = {"gradient_norm": None, "update_ratio": 0.0, "zero_gradients": None}
DEAD["nonfinite_gradients"] = None
EXPLODED = {"gradient_norm": math.nan, "nonfinite_gradients": 0.5, "update_ratio": math.nan}
RUNS = {
    "sound": a_run(),
    "warned": a_run(untouched=("model.9.cv1.conv.weight",), body_bias={"update_ratio": 2e-7}),
    "wrong": a_run(
        head_bias=DEAD, body_weight=EXPLODED, untouched=("model.24.m.0.bias", "model.24.m.1.bias")
    )
    + '{"step":300,"gro',
    "empty": header_line(Header(facts())) + "\n",
}


@pytest.fixture(autouse=True)
def plain(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    for name, content in RUNS.items():
        (tmp_path / f"{name}.jsonl").write_text(content)


def run(capsys, *arguments):
    status = main(["monitor", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.parametrize(
    ("name", "status"), [("sound", 0), ("warned", 0), ("wrong", 1), ("empty", 0)]
)
def test_a_run_as_users_see_it(name, status, capsys, golden):
    found, out, err = run(capsys, f"{name}.jsonl")
    assert (found, err) == (status, "")
    assert all(len(line) <= 80 for line in out.splitlines() if line.startswith("  "))
    golden(f"monitor/{name}.txt", out)


def test_warnings_count_where_they_are_to(capsys):
    assert run(capsys, "warned.jsonl", "--strict")[0] == 1
    assert run(capsys, "sound.jsonl", "--strict", "-q") == (0, "", "")
    status, out, _ = run(capsys, "wrong.jsonl", "-q")
    assert status == 1
    assert [line.split(":")[0] for line in out.splitlines()] == ["error", "error", "warning"]


def test_letters_that_a_terminal_lacks_are_not_needed(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    assert main(["monitor", "sound.jsonl"]) == 0
    assert b"step 0 to 290" in written.getvalue()


def test_json_of_a_run(capsys, golden):
    status, out, err = run(capsys, "wrong.jsonl", "--format", "json")
    assert (status, err) == (1, "")
    golden("monitor/wrong.json", out)
    value = json.loads(out)
    assert not value["ok"]
    assert [v["kind"] for v in value["verdicts"]] == ["explodes", "dead", "untouched"]
    assert run(capsys, "empty.jsonl", "--format", "json")[0] == 0


HOSTILE = "red\x1b[31m\u202e\n[bold]$x$_"


def test_names_of_strangers_never_reach_the_terminal_as_they_are(capsys, tmp_path):
    header = Header({HOSTILE: GroupFacts(1, 1, HOSTILE)})
    records = [
        Record(i, {HOSTILE: Measurement(**SOUND | DEAD)}, (f"{HOSTILE}.w",)) for i in range(4)
    ]
    path = tmp_path / "hostile.jsonl"
    path.write_text("\n".join([header_line(header), *map(record_line, records), ""]))
    for format in ("text", "json"):
        status, out, _ = run(capsys, "hostile.jsonl", "--format", format, "--color", "never")
        assert status == 1
        assert not set(out) & {"\x1b", "\u202e"}
        assert "[bold]" in re.sub(r"\s", "", out)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\n\0", "`it` was not written by grouper.Monitor"),
        (b'{"a": 1}\n', "`it` was not written by grouper.Monitor"),
        (b'{"version": 7}\n', "`it` was written by a newer version of grouper"),
        (None, "there is no file `it`"),
        ("folder", "`it` is not a regular file"),
        ("pipe", "`it` is not a regular file"),
    ],
)
def test_files_that_the_monitor_did_not_write(content, words, capsys, tmp_path):
    path = tmp_path / "it"
    if content == "folder":
        path.mkdir()
    elif content == "pipe":
        os.mkfifo(path)
    elif content is not None:
        path.write_bytes(content)
    assert run(capsys, "it") == (2, "", f"error: {words}\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sound.jsonl", "--plot", "it.jpg"], "`it.jpg` is not a .png or .svg file"),
        (["empty.jsonl", "--plot", "it.png"], "nothing to draw: no step has been measured yet"),
        (["sound.jsonl", "--follow", "--format", "json"], "--format cannot be used with --follow"),
        (["sound.jsonl", "--follow", "--plot", "it.png"], "--plot cannot be used with --follow"),
        (["no/it.jsonl", "--follow"], "there is no file `no/it.jsonl`"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_nothing(arguments, words, capsys, tmp_path):
    before = sorted(tmp_path.iterdir())
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert sorted(tmp_path.iterdir()) == before


def test_a_picture_that_cannot_be_written_is_said(capsys):
    pytest.importorskip("matplotlib")
    status, out, err = run(capsys, "sound.jsonl", "--plot", "no/it.png")
    assert (status, out) == (2, "")
    assert "`no/it.png` cannot be written" in err


@pytest.mark.parametrize("format", ["png", "svg"])
def test_pictures_of_a_run(format, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    for name in ("one", "two"):
        assert run(capsys, "wrong.jsonl", "--plot", f"{name}.{format}", "-q")[0] == 1
    one = (tmp_path / f"one.{format}").read_bytes()
    assert one == (tmp_path / f"two.{format}").read_bytes()
    if format == "png":
        assert one.startswith(b"\x89PNG")
    else:
        assert all(name in one.decode() for name in (*GROUPS, "update / weight", "gradient norm"))


def test_a_picture_of_more_groups_than_it_can_name(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    names = [f"_$group{i}$" for i in range(60)]
    record = Record(0, {name: Measurement(**SOUND) for name in names})
    (tmp_path / "many.jsonl").write_text(record_line(record) + "\n")
    assert run(capsys, "many.jsonl", "--plot", "many.svg", "-q")[0] == 0
    drawn = (tmp_path / "many.svg").read_text("utf-8")
    assert "_$group0$" in drawn
    assert "the first 40 of 60 groups" in drawn


def following(path, terminal):
    """`grouper monitor --follow` in a process, at a terminal or at a pipe, and where it writes."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "PYTHONUNBUFFERED": "1"}
    run = [sys.executable, "-m", "grouper", "monitor", str(path), "--follow"]
    reads, writes = pty.openpty() if terminal else os.pipe()

    def heeds_ctrl_c():  # what a shell started in the background does not, nor do its children
        signal.signal(signal.SIGINT, signal.default_int_handler)

    process = subprocess.Popen(
        run, env=environment, stdout=writes, stderr=writes, preexec_fn=heeds_ctrl_c
    )
    os.close(writes)
    return process, reads


def seen_until(reads, words, seen=""):
    deadline = time.monotonic() + 60
    while words not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([reads], [], [], 1)[0]:
            seen += os.read(reads, 65536).decode()
    return seen


@pytest.mark.parametrize("terminal", [False, True])
def test_a_run_is_followed_as_it_grows(terminal, tmp_path):
    path = tmp_path / "live.jsonl"
    process, reads = following(path, terminal)
    try:
        seen_until(reads, "waiting for")
        path.write_text(RUNS["warned"])
        seen_until(reads, "moves")
        with path.open("a") as file:
            file.write(record_line(Record(300, measured(300, head_bias=EXPLODED)))[:50])
            file.flush()
            time.sleep(0.6)
            file.write(record_line(Record(300, measured(300, head_bias=EXPLODED)))[50:] + "\n")
        seen = seen_until(reads, "`head/bias` explodes")
        assert ("\x1b[" in seen) == terminal
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 1
    finally:
        process.kill()
        process.wait()
        os.close(reads)


def test_a_file_that_is_replaced_is_read_from_its_start(tmp_path):
    from grouper.cli.run_file import RunFile

    path = tmp_path / "live.jsonl"
    path.write_text(a_run(5))
    file = RunFile(str(path))
    assert file.look().count == 5
    path.write_text(a_run(3))
    assert file.look().count == 3
    path.unlink()
    assert file.look().count == 3
    path.write_text(a_run(4))
    assert file.look().count == 4


def test_trends():
    assert trend([]) == ""
    assert trend([1, 1, 1]) == "▁▁▁"
    assert trend([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert trend(list(range(800))) == "▁▂▃▄▅▆▇█"
    assert trend([1, None, 2, math.nan, math.inf, 1e308, -1e308]) == "▅ ▅!!█▁"
    assert trend([0, 7], plain=True) == "_#"


SHOWING = """
import sys, time
from grouper.monitor.live import LiveTable
from grouper.monitor.record import Header, Measurement, Record
measured = {"a": Measurement(0.1, 0.9, 1.0, 1.0, 1e-3, 0.0, 0.0)}
table = LiveTable()
table.header(Header({}))
bar = None
if "bar" in sys.argv:
    from tqdm import tqdm
    bar = tqdm(total=100, file=sys.stderr)
for step in range(0, 1000, 10):
    if bar:
        bar.update(1)
    table.record(Record(step, measured))
if bar:
    bar.close()
table.close()
"""


def shown(terminal, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "80"}
    reads, writes = pty.openpty() if terminal else os.pipe()
    if terminal:
        fcntl.ioctl(writes, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    found = []

    def read():
        try:
            while piece := os.read(reads, 65536):
                found.append(piece)
        except OSError:
            pass  # how a terminal ends

    reader = threading.Thread(target=read)
    reader.start()
    run = [sys.executable, "-c", SHOWING, *arguments]
    done = subprocess.run(run, env=environment, stderr=writes, check=False)
    os.close(writes)
    reader.join()
    os.close(reads)
    assert done.returncode == 0
    return b"".join(found).decode()


def test_the_live_table_is_for_terminals():
    assert shown(False) == ""
    seen = shown(True)
    assert "step 0 to 990, 100 measured" in seen
    assert seen.count("update /") <= 3  # it is not drawn a hundred times
    assert seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l")  # the cursor is there again


def test_the_live_table_stands_above_a_progress_bar():
    pytest.importorskip("tqdm")
    seen = shown(True, "bar")
    beside, _, after = re.sub(r"\x1b\[[0-9;]*m", "", seen).partition("100/100")
    assert "training: 1 group, step 0 to 0, 1 measured\r\n" in beside
    assert "1/100" in beside.partition("ok: no problems\r\n")[2]  # the bar is below it
    assert "\x1b[1A" not in beside  # nothing is drawn in place
    assert "step 0 to 990, 100 measured" in after
