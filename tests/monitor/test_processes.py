"""The monitor in two processes: what is spread over them is measured as if it were in one."""

import json

import pytest

torch = pytest.importorskip("torch")

from support.monitor_models import small  # noqa: E402
from support.monitor_runs import read_run  # noqa: E402
from support.two_processes import STEPS, in_two_processes  # noqa: E402

import grouper  # noqa: E402

WAYS = ["ddp", "fsdp", "fsdp, faulty", "fsdp, faulty writing"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Every way to train in two processes."""
    folder = tmp_path_factory.mktemp("processes")
    in_two_processes(WAYS, folder)
    return folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The same training in one process, on both halves of each batch."""
    model = small()
    groups = [
        {"name": name, "params": [p for p in model.parameters() if p.ndim == ndim], "lr": lr}
        for name, ndim, lr in (("weight", 2, 0.1), ("bias", 1, 0.2))
    ]
    optimizer = torch.optim.SGD(groups, momentum=0.9)
    seen = []
    path = tmp_path_factory.mktemp("alone") / "run.jsonl"
    torch.manual_seed(1)
    with grouper.Monitor(optimizer, path=path, every=1, on_record=seen.append):
        for batch in torch.randn(STEPS, 8, 4):
            optimizer.zero_grad()
            model(batch).square().mean().backward()
            optimizer.step()
    return seen


@pytest.mark.parametrize("way", ["ddp", "fsdp"])
def test_the_numbers_are_those_of_one_process(way, folder, alone):
    run = read_run(folder / way / "0.jsonl")
    assert [record.step for record in run.records] == list(range(STEPS))
    for record, expected in zip(run.records[:3], alone, strict=False):
        for name, measured in record.groups.items():
            one = expected.groups[name]
            for key in ("lr", "momentum", "gradient_norm", "weight_norm", "update_ratio"):
                assert getattr(measured, key) == pytest.approx(getattr(one, key), rel=1e-4), key
            assert measured.zero_gradients == pytest.approx(one.zero_gradients)
            assert measured.nonfinite_gradients == 0
    assert run.groups["weight"].values == 48


@pytest.mark.parametrize("way", ["ddp", "fsdp"])
def test_only_the_first_process_writes(way, folder):
    assert not (folder / way / "1.jsonl").exists()
    states = [json.loads((folder / way / f"{rank}.json").read_text()) for rank in range(2)]
    assert [state["records"] for state in states] == [STEPS, 0]
    assert [state["step"] for state in states] == [STEPS, STEPS]


def test_gradients_that_are_not_finite_are_counted_over_all_pieces(folder):
    last = read_run(folder / "fsdp" / "0.jsonl").records[-1]
    assert last.groups["weight"].nonfinite_gradients == pytest.approx(2 / 48)  # one in each piece
    assert last.groups["bias"].nonfinite_gradients == 0


@pytest.mark.parametrize(("way", "faulty"), [("fsdp, faulty", 1), ("fsdp, faulty writing", 0)])
def test_a_fault_in_one_process_stops_the_monitor_in_all_and_the_training_in_none(
    way, faulty, folder
):
    states = [json.loads((folder / way / f"{rank}.json").read_text()) for rank in range(2)]
    assert [state["stopped"] for state in states] == [True, True]
    assert [state["records"] for state in states] == [2, 0]
    assert states[faulty]["said"] == ["the monitor stops: MemoryError: none left; training goes on"]
    assert states[1 - faulty]["said"] == [
        "the monitor stops: RuntimeError: it failed in another process; training goes on"
    ]
