"""The monitor in loops of every kind: what counts as a step, and whose gradients it sees."""

import pytest

torch = pytest.importorskip("torch")

from support.monitor_models import flat, groups_of, loss_of, small, state_of, step  # noqa: E402
from support.monitor_runs import read_run  # noqa: E402

import grouper  # noqa: E402


def norm(tensors):
    return flat(tensors).norm().item()


def test_accumulated_gradients_are_one_step(watch, seen):
    model = small()
    optimizer = torch.optim.SGD(groups_of(model), lr=0.1)
    watch(optimizer)
    for _ in range(3):
        for _ in range(4):
            (loss_of(model) / 4).backward()
        expected = norm([p.grad for p in optimizer.param_groups[0]["params"]])
        optimizer.step()
        optimizer.zero_grad()
        assert seen[-1].groups["weight"].gradient_norm == pytest.approx(expected)
    assert [record.step for record in seen] == [0, 1, 2]


def test_clipped_gradients_are_seen_as_the_optimizer_sees_them(watch, seen):
    model = small()
    optimizer = torch.optim.SGD(groups_of(model), lr=0.1)
    watch(optimizer)
    loss_of(model).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.01)
    optimizer.step()
    norms = [measured.gradient_norm for measured in seen[0].groups.values()]
    assert sum(n * n for n in norms) ** 0.5 == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("unscaled", [False, True])
def test_a_scalers_gradients_are_seen_unscaled(fused, unscaled, watch, seen):
    model = small()
    optimizer = torch.optim.AdamW(groups_of(model), lr=0.1, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    watch(optimizer)
    scaler.scale(loss_of(model)).backward()
    expected = norm([p.grad for p in optimizer.param_groups[0]["params"]]) / 1024
    if unscaled:
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    measured = seen[0].groups["weight"]
    assert measured.gradient_norm == pytest.approx(expected)
    assert measured.update_ratio > 0
    assert not seen[0].skipped


@pytest.mark.parametrize("fused", [False, True])
def test_a_step_that_a_scaler_leaves_out(fused, watch, seen, tmp_path):
    """A fused optimizer is called and does nothing; another one is not called at all."""
    model = small()
    optimizer = torch.optim.AdamW(groups_of(model), lr=0.1, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    monitor = watch(optimizer)
    for faulty in (False, True, False):
        optimizer.zero_grad()
        scaler.scale(loss_of(model)).backward()
        if faulty:
            model[0].weight.grad[0, 0] = float("inf")
        scaler.step(optimizer)
        scaler.update()
    monitor.close()
    assert [record.skipped for record in seen] == ([False, True, False] if fused else [False] * 2)
    if fused:
        assert seen[1].groups["weight"].update_ratio == 0
        assert seen[1].groups["weight"].nonfinite_gradients == 1 / 48
    assert [r.skipped for r in read_run(tmp_path / "run.jsonl").records] == [
        record.skipped for record in seen
    ]


@pytest.mark.parametrize("keyword", [False, True])
def test_gradients_of_a_closure_are_those_of_its_last_call(keyword, watch, seen):
    model = small()
    named = list(model.named_parameters())
    optimizer = torch.optim.LBFGS([{"params": named, "name": "all"}], max_iter=4)
    watch(optimizer)

    def closure():
        optimizer.zero_grad()
        torch.manual_seed(3)
        loss = loss_of(model)
        loss.backward()
        return loss

    before = state_of(optimizer)
    optimizer.step(closure=closure) if keyword else optimizer.step(closure)
    assert seen[0].groups["all"].gradient_norm == pytest.approx(norm([p.grad for _, p in named]))
    old = flat(before[0][0])
    change = (flat([p for _, p in named]) - old).norm() / old.norm()
    assert seen[0].groups["all"].update_ratio == pytest.approx(change.item(), rel=1e-5)
    assert seen[0].untouched == ()


def test_several_optimizers_as_one(watch, seen):
    model = small()
    text = """
optimizer SGD lr=0.1 momentum=0.8
optimizer AdamW as adam lr=0.01
split part { *.weight -> matrix; else -> vector optimizer=adam }
"""
    rules = grouper.parse(text, "two.rules")
    optimizer = grouper.build_optimizer(model, rules)
    plan = grouper.plan(model, rules, steps_per_epoch=5, epochs=1)
    watch(optimizer, plan)
    scheduler = plan.scheduler(optimizer)
    for _ in range(2):
        step(model, optimizer)
        scheduler.step()
    matrix, vector = seen[1].groups["matrix"], seen[1].groups["vector"]
    assert (matrix.lr, matrix.momentum) == (0.1, 0.8)
    assert (vector.lr, vector.momentum) == (0.01, 0.9)
    assert matrix.update_ratio > 0
    assert vector.update_ratio > 0


def test_a_group_that_is_unfrozen_is_watched_from_there_on(watch, seen, tmp_path):
    model = small()
    model[0].requires_grad_(False)
    head = {"name": "head", "params": list(model[2].named_parameters(prefix="2"))}
    optimizer = torch.optim.SGD([head], lr=0.1)
    with watch(optimizer, every=2) as monitor:
        for i in range(6):
            if i == 3:
                model[0].requires_grad_(True)
                body = list(model[0].named_parameters(prefix="0"))
                optimizer.add_param_group({"name": "body", "params": body})
            step(model, optimizer)
        assert monitor.untouched == ()
    assert [list(record.groups) for record in seen] == [["head"], ["head"], ["head", "body"]]
    run = read_run(tmp_path / "run.jsonl")
    assert list(run.groups) == ["head", "body"]
    assert [record.step for record in run.records] == [0, 2, 4]


def test_a_step_that_is_compiled_is_watched(watch, seen):
    model = small()
    optimizer = torch.optim.AdamW(groups_of(model), lr=torch.tensor(0.01))
    watch(optimizer, every=2)
    stepping = torch.compile(optimizer.step, backend="eager")
    torch._dynamo.utils.counters.clear()
    for _ in range(9):
        optimizer.zero_grad()
        loss_of(model).backward()
        stepping()
    assert [record.step for record in seen] == [0, 2, 4, 6, 8]
    assert all(record.groups["weight"].update_ratio > 0 for record in seen)
    assert not torch._dynamo.utils.counters["recompiles"]


def test_parameters_that_never_had_a_gradient_are_named(watch, seen):
    model = small()
    optimizer = torch.optim.SGD(groups_of(model), lr=0.1)
    monitor = watch(optimizer, every=2)
    model[0](torch.randn(2, 4)).sum().backward()
    optimizer.step()
    assert monitor.untouched == seen[0].untouched == ("2.weight", "2.bias")
    step(model, optimizer)
    assert monitor.untouched == ()


def test_an_optimizer_without_names(watch, seen):
    model = small()
    groups = [{"params": [p]} for p in model.parameters()]
    groups[1]["param_group"] = groups[2]["param_group"] = "bias"  # as Ultralytics calls them
    optimizer = torch.optim.SGD(groups, lr=0.1)
    assert watch(optimizer).untouched == ("group 0[0]", "bias[0]", "bias#2[0]", "group 3[0]")
    monitor = watch(optimizer, model=model)
    assert monitor.untouched == ("0.weight", "0.bias", "2.weight", "2.bias")
    step(model, optimizer)
    assert list(seen[0].groups) == ["group 0", "bias", "bias#2", "group 3"]


def test_a_wrapped_optimizer_is_watched_through_its_wrapper(watch, seen):
    class Wrapper:
        def __init__(self, optimizer):
            self.optimizer = optimizer

        def step(self):
            self.optimizer.step()

    model = small()
    wrapper = Wrapper(Wrapper(torch.optim.SGD(groups_of(model), lr=0.1)))
    watch(wrapper)
    loss_of(model).backward()
    wrapper.step()
    assert len(seen) == 1
