"""The examples of plain torch run as they stand; a run that is killed goes on as if it was not."""

import multiprocessing
import os
import random
import runpy
import signal
import sys
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from support.finetuning import FINETUNE, finetune  # noqa: E402
from support.monitor_runs import read_run  # noqa: E402

EXAMPLES = Path(__file__).parents[2] / "examples"
KILLS = 10


def run(name):
    torch.manual_seed(0)
    return runpy.run_path(str(EXAMPLES / name))


@pytest.mark.slow
def test_the_short_example_learns_and_is_what_the_long_one_does_by_hand():
    assert len((EXAMPLES / "train.py").read_text("utf-8").splitlines()) <= 15
    ours, native = run("train.py"), run("train_by_hand.py")
    torch.manual_seed(0)
    x = torch.randn(1000, 8)
    untrained = torch.nn.Sequential(torch.nn.Linear(8, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1))
    before, after = [
        (made(x) - x.sum(1, keepdim=True)).square().mean().item()
        for made in (untrained, ours["model"])
    ]
    assert after < before / 100
    for one, other in zip(ours["model"].parameters(), native["model"].parameters(), strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-6)


def test_the_same_lines_stand_in_both_examples():
    short, long = [
        (EXAMPLES / name).read_text("utf-8").splitlines()
        for name in ("train.py", "train_by_hand.py")
    ]
    assert short[-6:] == long[-6:]
    assert [line for line in short if line.startswith("model")] == [long[2]]
    by_hand = long[3:-6]  # what the rules, `build_optimizer` and `plan` replace
    assert len(by_hand) == 10


def traced(folder):
    """What the monitor saw of the whole run, and the last checkpoint."""
    watched = read_run(folder / "finetune.jsonl")
    assert watched.broken <= KILLS  # a line that was cut
    return watched.records, torch.load(folder / "finetune.pt")


def equal(left, right):
    if isinstance(left, torch.Tensor):
        return torch.equal(left, right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(equal, left, right))
    return left == right


@pytest.mark.slow
def test_the_fine_tuning_learns(tmp_path, capsys):
    assert len(FINETUNE.read_text("utf-8").splitlines()) <= 60
    losses = finetune(tmp_path, 4)
    assert losses[-1] < losses[0] / 4
    assert capsys.readouterr().out.count("loss") == 4
    records, (_, optimizer, scheduler, _, _, _) = traced(tmp_path)
    assert [group["name"] for group in optimizer["param_groups"]] == list(records[0].groups)
    assert scheduler == {"last_epoch": 128, "steps_per_epoch": 32, "epochs": 4}
    assert finetune(tmp_path, 4) == losses  # there is nothing left to do


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
@pytest.mark.slow
def test_ten_kills_change_nothing(tmp_path, monkeypatch):
    epochs, random_moments = 8, random.Random()
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir(), killed.mkdir()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["finetuning"])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # the server sees no other path

    def start(folder):
        process = context.Process(target=finetune, args=(folder, epochs))
        process.start()
        return process

    first = context.Process(target=len, args=("",))  # starts the server, which takes its time
    first.start(), first.join()
    began = time.monotonic()
    uninterrupted = start(whole)
    uninterrupted.join()
    length = time.monotonic() - began
    assert uninterrupted.exitcode == 0
    kills = 0
    while kills < KILLS:
        process = start(killed)
        process.join(length * random_moments.uniform(0, 0.6))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            kills += process.exitcode == -signal.SIGKILL
        else:  # it came to its end: begin again, and let the kills fall earlier
            assert process.exitcode == 0
            for file in killed.iterdir():
                file.unlink()
    last = start(killed)
    last.join()
    assert last.exitcode == 0
    records, checkpoint = traced(whole)
    records_of_killed, checkpoint_of_killed = traced(killed)
    assert equal(checkpoint, checkpoint_of_killed)
    assert records == records_of_killed
    assert len(records) == 13  # every tenth of the optimizer's 128 steps
