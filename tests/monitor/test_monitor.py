"""The monitor on real optimizers: its numbers against the plain way to get them."""

import json
import os
import warnings

import pytest

torch = pytest.importorskip("torch")

from grouper.monitor.monitor import Monitor  # noqa: E402
from grouper.monitor.record import read_run  # noqa: E402


def model_and_groups(dtype=torch.float32):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2)).to(
        dtype
    )
    named = dict(model.named_parameters())
    groups = [
        {"name": "weight", "params": [(n, p) for n, p in named.items() if p.ndim == 2]},
        {"name": "bias", "params": [(n, p) for n, p in named.items() if p.ndim == 1], "lr": 0.2},
    ]
    return model, groups


def step(model, optimizer, dtype=torch.float32):
    optimizer.zero_grad()
    model(torch.randn(16, 4, dtype=dtype)).square().mean().backward()
    optimizer.step()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_numbers_are_those_of_the_plain_way(tmp_path, dtype):
    model, groups = model_and_groups(dtype)
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9)
    seen = []
    with Monitor(optimizer, every=1, path=tmp_path / "m.jsonl", on_record=seen.append):
        optimizer.zero_grad()
        model(torch.randn(16, 4, dtype=dtype)).square().mean().backward()
        before = [[p.detach().clone() for p in g["params"]] for g in optimizer.param_groups]
        gradients = [[p.grad.clone() for p in g["params"]] for g in optimizer.param_groups]
        optimizer.step()
    for group, old, grads in zip(optimizer.param_groups, before, gradients, strict=True):
        flat = lambda tensors: torch.cat([t.detach().flatten().double() for t in tensors])  # noqa: E731
        measured = seen[0].groups[group["name"]]
        new, old, grad = flat(group["params"]), flat(old), flat(grads)
        assert measured.lr == group["lr"]
        assert measured.momentum == 0.9
        close = {"rel": 1e-2 if dtype is torch.bfloat16 else 1e-6}
        assert measured.gradient_norm == pytest.approx(grad.norm().item(), **close)
        assert measured.weight_norm == pytest.approx(new.norm().item(), **close)
        ratio = ((new - old).norm() / old.norm()).item()
        assert measured.update_ratio == pytest.approx(ratio, **close)
        assert measured.zero_gradients == pytest.approx((grad == 0).double().mean().item())
        assert measured.nonfinite_gradients == 0.0


def test_the_run_is_the_same_with_and_without_it(tmp_path):
    finals = []
    for watched in (False, True):
        model, groups = model_and_groups()
        optimizer = torch.optim.AdamW(groups, lr=0.01)
        watching = Monitor(optimizer, every=2, path=tmp_path / "m.jsonl") if watched else None
        torch.manual_seed(1)
        for _ in range(6):
            step(model, optimizer)
        if watching:
            watching.close()
        finals.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(*finals)
    assert [record.step for record in read_run(tmp_path / "m.jsonl").records] == [0, 2, 4]


def test_nonfinite_gradients_are_counted(tmp_path):
    model, groups = model_and_groups()
    optimizer = torch.optim.SGD(groups, lr=0.1)
    seen = []
    with Monitor(optimizer, every=1, path=tmp_path / "m.jsonl", on_record=seen.append):
        for p in model.parameters():
            p.grad = torch.zeros_like(p)
        model[0].weight.grad[0, 0] = float("nan")
        model[2].weight.grad[0, 0] = float("inf")
        optimizer.step()
    weight = seen[0].groups["weight"]
    assert weight.nonfinite_gradients == 2 / 48
    assert weight.zero_gradients == pytest.approx(46 / 48)
    assert seen[0].groups["bias"].zero_gradients == 1.0


def test_parameters_that_never_had_a_gradient_are_named(tmp_path):
    model, groups = model_and_groups()
    optimizer = torch.optim.SGD(groups, lr=0.1)
    with Monitor(optimizer, every=1, path=tmp_path / "m.jsonl") as watching:
        model[0](torch.randn(2, 4)).sum().backward()
        optimizer.step()
        assert watching.untouched == ("2.weight", "2.bias")
        step(model, optimizer)
        assert watching.untouched == ()
    assert read_run(tmp_path / "m.jsonl").records[0].untouched == ("2.weight", "2.bias")


def test_it_goes_on_where_the_saved_one_stopped(tmp_path):
    model, groups = model_and_groups()
    optimizer = torch.optim.SGD(groups, lr=0.1)
    first = Monitor(optimizer, every=2, path=tmp_path / "m.jsonl")
    for _ in range(3):
        step(model, optimizer)
    state = json.loads(json.dumps(first.state_dict()))
    first.close()
    second = Monitor(optimizer, every=2, path=tmp_path / "m.jsonl")
    second.load_state_dict(state)
    for _ in range(3):
        step(model, optimizer)
    second.close()
    assert [record.step for record in read_run(tmp_path / "m.jsonl").records] == [0, 2, 4]
    assert second.untouched == ()


def test_a_file_cut_by_a_crash_is_gone_on_with(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_bytes(b'{"version":1,"groups":{}}\n{"step":0,"gro')
    model, groups = model_and_groups()
    optimizer = torch.optim.SGD(groups, lr=0.1)
    with Monitor(optimizer, every=1, path=path):
        step(model, optimizer)
    run = read_run(path)
    assert run.broken == 1
    assert [record.step for record in run.records] == [0]


def test_a_full_disk_gives_one_warning_and_training_goes_on():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full on this system")
    model, groups = model_and_groups()
    optimizer = torch.optim.SGD(groups, lr=0.1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with Monitor(optimizer, every=1, path="/dev/full"):
            for _ in range(3):
                step(model, optimizer)
    messages = [str(w.message) for w in caught if "monitor" in str(w.message)]
    assert len(messages) == 1
    assert "training goes on" in messages[0]


def test_a_folder_that_cannot_be_written_gives_one_warning(tmp_path):
    (tmp_path / "file").write_text("")
    model, groups = model_and_groups()
    optimizer = torch.optim.SGD(groups, lr=0.1)
    with (
        pytest.warns(RuntimeWarning, match="stops writing"),
        Monitor(optimizer, every=1, path=tmp_path / "file" / "m.jsonl"),
    ):
        step(model, optimizer)


def test_csv_and_wrong_setups(tmp_path):
    model, groups = model_and_groups()
    optimizer = torch.optim.SGD(groups, lr=0.1)
    with Monitor(optimizer, every=1, path=tmp_path / "m.jsonl", csv=tmp_path / "m.csv"):
        step(model, optimizer)
    lines = (tmp_path / "m.csv").read_text().splitlines()
    assert lines[0].startswith("step,group,lr,momentum,gradient_norm")
    assert [line.split(",")[:3] for line in lines[1:]] == [
        ["0", "weight", "0.1"],
        ["0", "bias", "0.2"],
    ]
    with pytest.raises(ValueError, match="has no name"):
        Monitor(torch.optim.SGD(model.parameters(), lr=0.1))
    with pytest.raises(ValueError, match="at least 1"):
        Monitor(optimizer, every=0)
