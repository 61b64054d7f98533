"""An optimizer's own `load_state_dict` goes by names: what trainers call without knowing of us."""

import copy
import pickle
import warnings

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.distributed.checkpoint.state_dict import (  # noqa: E402
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR, ReduceLROnPlateau  # noqa: E402

import grouper  # noqa: E402

BEFORE = "optimizer {} lr=1e-2; else *.bias -> bias weight_decay=0; else -> weight"
AFTER = "optimizer {} lr=1e-2; 2.* -> head weight_decay=0.3; else -> body"
SEVERAL = "optimizer AdamW as a lr=1e-2; optimizer SGD as b lr=0.1 momentum=0.9; "
SEVERAL += "ndim == 1 -> v optimizer=b; else -> m"
SEVERAL_AFTER = SEVERAL.replace("ndim == 1 -> v optimizer=b; else -> m", "").strip()
SEVERAL_AFTER += " 2.bias -> x optimizer=b; not 2.bias and ndim == 1 -> v optimizer=b; else -> m"


def model(classes=2):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, classes))


def step(made, optimizer):
    optimizer.zero_grad()
    made(torch.arange(6.0).reshape(2, 3)).square().mean().backward()
    optimizer.step()


def trained(text, made=None):
    made = made or model()
    optimizer = grouper.build_optimizer(made, grouper.parse(text))
    for _ in range(3):
        step(made, optimizer)
    return made, optimizer


def moments(made, optimizer):
    return {n: dict(optimizer.state[p]) for n, p in made.named_parameters() if optimizer.state[p]}


def same(one, other):
    assert one.keys() == other.keys()
    return all(
        torch.equal(torch.as_tensor(one[name][key]), torch.as_tensor(other[name][key]))
        for name in one
        for key in one[name]
        if one[name][key] is not None
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        *[(BEFORE.format(name), AFTER.format(name)) for name in ("AdamW", "SGD momentum=0.9")],
        (SEVERAL, SEVERAL_AFTER),
        (BEFORE.format("Adafactor"), AFTER.format("Adafactor")),
    ],
)
@pytest.mark.parametrize("by", ["torch", "distributed checkpoints"])
def test_every_moment_stays_with_its_parameter(before, after, by):
    if by != "torch" and before == SEVERAL:
        pytest.skip("torch's own function cannot take optimizers of several classes apart")
    old, saved = trained(before)
    new = model()
    new.load_state_dict(old.state_dict())
    optimizer = grouper.build_optimizer(new, grouper.parse(after))
    options = [{k: g.get(k) for k in ("lr", "weight_decay")} for g in optimizer.param_groups]
    with warnings.catch_warnings():
        warnings.simplefilter("error", grouper.GroupingWarning)
        if by == "torch":
            optimizer.load_state_dict(copy.deepcopy(saved.state_dict()))
        else:
            state = get_optimizer_state_dict(old, saved)
            set_optimizer_state_dict(new, optimizer, copy.deepcopy(state))
    assert same(moments(old, saved), moments(new, optimizer))
    assert options == [{k: g.get(k) for k in options[0]} for g in optimizer.param_groups]
    names = [group["name"] for group in optimizer.param_groups]
    assert names == [g.name for g in grouper.check(new, grouper.parse(after)).grouping.groups]
    step(new, optimizer)


def test_a_control_that_goes_by_position_differs():
    old, saved = trained(BEFORE.format("AdamW"))
    new = model()
    optimizer = torch.optim.AdamW(grouper.param_groups(new, grouper.parse(AFTER.format("AdamW"))))
    optimizer.load_state_dict(copy.deepcopy(saved.state_dict()))
    assert not same_shapes(old, saved, new, optimizer)


def same_shapes(old, saved, new, optimizer):
    one, other = moments(old, saved), moments(new, optimizer)
    return all(one[n]["exp_avg"].shape == other[n]["exp_avg"].shape for n in one)


def test_unchanged_rules_are_torchs_own_loading_to_the_bit():
    text = BEFORE.format("AdamW")
    made, optimizer = trained(text)
    scheduler = LambdaLR(optimizer, lambda n: 0.5**n)
    scheduler.step()
    state = copy.deepcopy(optimizer.state_dict())
    ours = grouper.build_optimizer(made, grouper.parse(text))
    theirs = torch.optim.AdamW(grouper.param_groups(made, grouper.parse(text)), lr=1e-2)
    for each in (ours, theirs):
        LambdaLR(each, lambda n: 0.5**n)
        each.load_state_dict(copy.deepcopy(state))
    assert str(ours.state_dict()) == str(theirs.state_dict()) == str(state)
    assert ours.param_groups[0]["lr"] == 0.5e-2


def test_what_was_not_kept_is_a_warning():
    _, saved = trained(BEFORE.format("AdamW"))
    new = nn.Sequential(*model(classes=5), nn.Linear(5, 1))
    optimizer = grouper.build_optimizer(new, grouper.parse(BEFORE.format("AdamW")))
    state = saved.state_dict()
    state["param_groups"][0]["param_names"][0] = "gone.bias"
    with pytest.warns(grouper.GroupingWarning) as caught:
        optimizer.load_state_dict(state)
    (told,) = [str(warning.message) for warning in caught]
    assert "1 kept, 3 new, 2 reshaped, 1 dropped" in told
    assert "dropped (saved, but not trained now): gone.bias" in told
    step(new, optimizer)


def test_parameters_that_had_no_state_lost_none():
    made, saved = trained("optimizer SGD lr=1e-2; * -> all")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grouper.build_optimizer(made, grouper.parse("optimizer SGD lr=1e-2; else -> all"))
        trained("optimizer SGD lr=1e-2; else -> all", made)[1].load_state_dict(saved.state_dict())


def test_states_without_names_load_by_position_as_torch_does():
    old, _ = trained(BEFORE.format("AdamW"))
    plain = torch.optim.AdamW(
        [{"params": [p for n, p in old.named_parameters() if "bias" in n], "weight_decay": 0.2},
         {"params": [p for n, p in old.named_parameters() if "bias" not in n]}]
    )  # fmt: skip
    step(old, plain)
    optimizer = grouper.build_optimizer(old, grouper.parse(BEFORE.format("AdamW")))
    optimizer.load_state_dict(plain.state_dict())
    assert same(moments(old, plain), moments(old, optimizer))
    assert optimizer.param_groups[0]["weight_decay"] == 0.2
    with pytest.raises(ValueError, match="different number of parameter groups"):
        optimizer.load_state_dict(torch.optim.AdamW(old.parameters()).state_dict())


def test_names_of_wrappers_do_not_matter():
    old, saved = trained(BEFORE.format("AdamW"))
    state = copy.deepcopy(saved.state_dict())
    for group in state["param_groups"]:
        group["param_names"] = [f"module._orig_mod.{name}" for name in group["param_names"]]
    optimizer = grouper.build_optimizer(old, grouper.parse(AFTER.format("AdamW")))
    optimizer.load_state_dict(state)
    assert same(moments(old, saved), moments(old, optimizer))


def test_the_rate_is_that_of_the_rules_where_they_changed_and_else_goes_on():
    def loaded(after, make=None):
        made, optimizer = trained("optimizer SGD lr=0.1 momentum=0.9; else -> all")
        scheduler = make(optimizer) if make else None
        step(made, optimizer)
        if scheduler:
            scheduler.step(*([1.0] if isinstance(scheduler, ReduceLROnPlateau) else []))
        new = grouper.build_optimizer(made, grouper.parse(after))
        if make:
            make(new)
        new.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        return optimizer.param_groups[0], new.param_groups[0]

    same_rules = "optimizer SGD lr=0.1 momentum=0.9 weight_decay=0.5; else -> all"
    others = "optimizer SGD lr=0.2 momentum=0.8; else -> all"
    halved = lambda o: LambdaLR(o, lambda n: 0.5**n)  # noqa: E731
    cycle = lambda o: OneCycleLR(o, 1.0, total_steps=9)  # noqa: E731
    old, new = loaded(same_rules, halved)
    assert (new["lr"], new["weight_decay"], old["weight_decay"]) == (0.05, 0.5, 0)
    old, new = loaded(others, halved)
    assert (new["lr"], new["momentum"]) == (0.2, 0.8)
    old, new = loaded(same_rules, cycle)
    assert (new["lr"], new["momentum"]) == (old["lr"], old["momentum"]) != (0.1, 0.9)
    # Nothing says who set this rate: it goes on as torch's own loading has it, and that is said.
    with pytest.warns(grouper.GroupingWarning, match="lr of `all`: 0.1 as saved, and 0.2 in the"):
        old, new = loaded(others)
    assert new["lr"] == 0.1
    plateau = lambda o: ReduceLROnPlateau(o, patience=-1)  # noqa: E731
    with pytest.warns(grouper.GroupingWarning, match=r"lr of `all`: 0\.01 as saved, and 0\.1 in"):
        old, new = loaded(same_rules, plateau)
    assert new["lr"] == old["lr"] == pytest.approx(0.01)


class Counts(torch.optim.SGD):
    """Keeps its own state in groups, as Prodigy and the schedule-free optimizers do."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, lr=lr)
        for group in self.param_groups:
            group.setdefault("k", 0)

    def step(self, closure=None):
        super().step(closure)
        for group in self.param_groups:
            group["k"] += 1


def test_what_a_class_keeps_in_its_groups_goes_on(monkeypatch):
    monkeypatch.setattr("torch.optim.Counts", Counts, raising=False)
    made, saved = trained(BEFORE.format("torch.optim:Counts").replace("weight_decay=0", ""))
    after = AFTER.format("torch.optim:Counts").replace("weight_decay=0.3", "")
    optimizer = grouper.build_optimizer(made, grouper.parse(after))
    optimizer.load_state_dict(saved.state_dict())
    assert [group["k"] for group in optimizer.param_groups] == [3, 3]


def test_hooks_of_users_are_run_and_copies_are_plain():
    made, optimizer = trained(BEFORE.format("AdamW"))
    heard = []
    optimizer.register_load_state_dict_pre_hook(lambda o, s: heard.append("loads"))
    optimizer.load_state_dict(optimizer.state_dict())
    assert heard == ["loads"]
    copied = pickle.loads(pickle.dumps(optimizer))
    copied.load_state_dict(optimizer.state_dict())
    assert same(moments(made, optimizer), moments(made, optimizer))


def test_lbfgs_goes_on_whole_or_is_refused():
    text = "optimizer LBFGS lr=0.1; else -> all"
    made = model()
    optimizer = grouper.build_optimizer(made, grouper.parse(text))

    def closure():
        optimizer.zero_grad()
        loss = made(torch.ones(2, 3)).square().mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    new = grouper.build_optimizer(made, grouper.parse(text))
    new.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert str(new.state_dict()) == str(optimizer.state_dict())
    fewer = grouper.build_optimizer(made, grouper.parse(f"{text}\n0.* -> freeze"))
    with pytest.raises(ValueError, match="one history for all parameters"):
        fewer.load_state_dict(optimizer.state_dict())
