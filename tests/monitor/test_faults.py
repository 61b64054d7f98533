"""Full disks, killed processes, faults of its own: training goes on, and files stay readable."""

import gc
import os
import signal
import sys
import time
import warnings
import weakref
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from support.monitor_models import groups_of, small, step  # noqa: E402
from support.monitor_runs import read_run  # noqa: E402

import grouper  # noqa: E402
from grouper.monitor.measure import MeasuredStep  # noqa: E402


@pytest.fixture
def trained():
    model = small()
    return model, torch.optim.SGD(groups_of(model), lr=0.1)


def warned(action):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        action()
    return [str(warning.message) for warning in caught if "monitor" in str(warning.message)]


def steps(model, optimizer, count=3):
    for _ in range(count):
        step(model, optimizer)


@pytest.mark.parametrize("writer", ["path", "csv"])
def test_a_full_disk_gives_one_warning_and_training_goes_on(writer, trained, tmp_path):
    files = {"path": tmp_path / "run.jsonl", writer: "/dev/full"}
    with grouper.Monitor(trained[1], every=1, **files) as monitor:
        (message,) = warned(lambda: steps(*trained))
        assert monitor.step == (1 if writer == "path" else 3)
    assert message.startswith("the monitor stops writing /dev/full: ")
    assert "No space left on device" in message
    assert message.endswith("; training goes on")
    if writer == "csv":
        assert read_run(files["path"]).count == 3


@pytest.mark.parametrize("writer", ["path", "csv"])
def test_a_place_that_cannot_be_written_gives_one_warning(writer, trained, tmp_path):
    (tmp_path / "file").write_text("")
    files = {"path": tmp_path / "run.jsonl", writer: tmp_path / "file" / "run"}

    def train():
        with grouper.Monitor(trained[1], every=1, **files):
            steps(*trained)

    (message,) = warned(train)
    assert f"stops writing {tmp_path}/file/run: " in message


def test_a_disk_that_fills_up_leaves_whole_lines(trained, tmp_path, monkeypatch):
    room = [700]

    def write(file, content, plain=os.write):
        taken = min(room[0], len(content))
        if not taken:
            raise OSError(28, "No space left on device")
        room[0] -= taken
        return plain(file, bytes(content[:taken]))

    path = tmp_path / "run.jsonl"
    with grouper.Monitor(trained[1], every=1, path=path):
        steps(*trained, 1)
        monkeypatch.setattr(os, "write", write)
        (message,) = warned(lambda: steps(*trained))
    monkeypatch.undo()
    assert "No space left" in message
    assert not path.read_bytes().endswith(b"\n")
    assert [record.step for record in read_run(path).records] == [0, 1]
    with grouper.Monitor(trained[1], every=1, path=path) as monitor:
        monitor.load_state_dict({"step": 2, "touched": []})
        steps(*trained, 1)
    run = read_run(path)
    assert [record.step for record in run.records] == [0, 1, 2]
    assert run.broken == 1


@pytest.mark.parametrize("method", ["_before", "_after"])
def test_a_fault_of_its_own_gives_one_warning_and_training_goes_on(
    method, trained, tmp_path, monkeypatch
):
    monitor = grouper.Monitor(trained[1], every=1, path=tmp_path / "run.jsonl")
    steps(*trained, 1)

    def fail(self):
        raise RuntimeError("out of\nmemory")

    monkeypatch.setattr(MeasuredStep, method, fail)
    (message,) = warned(lambda: steps(*trained))
    assert message == "the monitor stops: RuntimeError: out of memory; training goes on"
    monitor.close()
    assert read_run(tmp_path / "run.jsonl").count == 1


def test_a_function_that_fails_is_not_called_again(trained, tmp_path):
    calls = []

    def fail(record):
        calls.append(record)
        raise KeyError("nothing")

    with grouper.Monitor(trained[1], every=1, path=tmp_path / "run.jsonl", on_record=fail):
        (message,) = warned(lambda: steps(*trained))
    assert "KeyError: 'nothing'" in message
    assert len(calls) == 1
    assert read_run(tmp_path / "run.jsonl").count == 3


def test_warnings_that_are_errors_stop_nothing_either(trained, tmp_path, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (tmp_path / "file").write_text("")
        with grouper.Monitor(trained[1], every=1, path=tmp_path / "file" / "run"):
            steps(*trained)
    assert "warning: the monitor stops writing" in capsys.readouterr().err


def test_it_may_be_closed_at_any_time(trained, tmp_path):
    """Also by its own callback, while torch goes through the hooks."""
    monitor = grouper.Monitor(
        trained[1], every=1, path=tmp_path / "run.jsonl", on_record=lambda _: monitor.close()
    )
    assert not warned(lambda: steps(*trained))
    assert monitor.step == 1
    monitor.close()
    monitor.close()
    assert read_run(tmp_path / "run.jsonl").count == 1


def test_it_goes_with_its_optimizer(tmp_path):
    model = small()
    optimizer = torch.optim.SGD(groups_of(model), lr=0.1)
    monitor = weakref.ref(grouper.Monitor(optimizer, path=tmp_path / "run.jsonl"))
    step(model, optimizer)
    assert monitor() is not None
    del optimizer
    gc.collect()
    assert monitor() is None


def wrong(**options):
    model = small()
    return grouper.Monitor(torch.optim.SGD(groups_of(model), lr=0.1), **options)


def test_wrong_setups_are_errors_before_the_first_step(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for every in (0, -1, 2.5, True, "10"):
        with pytest.raises((TypeError, ValueError), match="must be a number of steps, an int"):
            wrong(every=every)
    with pytest.raises(TypeError, match=r"must be a torch optimizer.*not a `Sequential`"):
        grouper.Monitor(small())
    with pytest.raises(TypeError, match=r"what `grouper\.plan\(\.\.\.\)` returns.*not a `dict`"):
        wrong(plan={})
    rules = grouper.parse("*.weight -> weight lr=1\nnot *.weight -> vector lr=1")
    plan = grouper.plan(small(), rules, steps_per_epoch=1, epochs=1)
    with pytest.raises(
        ValueError, match="has no group `vector`; the plan has no group `bias`; build"
    ):
        wrong(plan=plan)
    empty = torch.nn.Linear(2, 2, device="meta")
    with pytest.raises(ValueError, match=r"`weight` is on the meta device and has no values"):
        grouper.Monitor(torch.optim.SGD(empty.named_parameters(), lr=0.1))
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ImportError, match="pip install tensorboard"):
        wrong(tensorboard="events")


def trained_until_killed(path, goes_on, moment):
    """Train in a process of its own, and kill it so many seconds after its first records."""
    size = path.stat().st_size if path.exists() else 0
    child = os.fork()
    if not child:  # nothing of pytest may go on in here
        try:
            model = small()
            optimizer = torch.optim.SGD(groups_of(model), lr=0.1)
            monitor = grouper.Monitor(optimizer, every=1, path=path, csv=f"{path}.csv")
            monitor.load_state_dict({"step": goes_on, "touched": []})
            while True:
                step(model, optimizer)
        finally:
            os._exit(1)
    while not path.exists() or path.stat().st_size < size + 2000:
        assert os.waitpid(child, os.WNOHANG) == (0, 0)
        time.sleep(0.001)
    time.sleep(moment)
    os.kill(child, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_a_killed_process_leaves_files_that_are_read_and_gone_on_with(tmp_path):
    path = tmp_path / "run.jsonl"
    found = []
    moments = (0, 0.003, 0.01, 0.021, 0.05, 0.13)
    for moment in moments:
        trained_until_killed(path, len(found), moment)
        before, found = found, [record.step for record in read_run(path).records]
        assert found == list(range(len(found)))
        assert len(found) > len(before)
    rows = Path(f"{path}.csv").read_text().splitlines()[1:]
    written = [int(row.split(",")[0]) for row in rows if row.count(",") == rows[0].count(",")]
    assert written == sorted(written)
    missing = set(found) - set(written)  # a process may be killed between one file and the other
    assert len(missing) <= len(moments)
