"""Saved states that are none, or damaged, are refused in a sentence and change nothing."""

import copy

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import grouper  # noqa: E402

RULES = "optimizer Adam lr=0.1\nsplit s { *.bias -> bias weight_decay=0.5; else -> weight }"


def built(text=RULES):
    torch.manual_seed(0)
    made = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    optimizer = grouper.build_optimizer(made, grouper.parse(text))
    made(torch.ones(2, 2)).sum().backward()
    optimizer.step()
    return optimizer


def _set(state, *path):
    *way, last, value = path
    for key in way:
        state = state[key]
    state[last] = value


def _drop(state, *path):
    *way, last = path
    for key in way:
        state = state[key]
    del state[last]


TENSOR = torch.zeros(3, 2)
WRONG = {
    "no state": lambda s: _drop(s, "state"),
    "no groups": lambda s: _drop(s, "param_groups"),
    "state is None": lambda s: _set(s, "state", None),
    "state is a list": lambda s: _set(s, "state", [1]),
    "groups are None": lambda s: _set(s, "param_groups", None),
    "groups are a dict": lambda s: _set(s, "param_groups", {"a": 1}),
    "groups are text": lambda s: _set(s, "param_groups", "ab"),
    "a group is None": lambda s: _set(s, "param_groups", 0, None),
    "a group is a list": lambda s: _set(s, "param_groups", 0, [0, 1]),
    "a group without params": lambda s: _drop(s, "param_groups", 0, "params"),
    "params are an int": lambda s: _set(s, "param_groups", 0, "params", 2),
    "params are None": lambda s: _set(s, "param_groups", 0, "params", None),
    "params are tensors": lambda s: _set(s, "param_groups", 0, "params", [TENSOR, TENSOR]),
    "params are twice the same": lambda s: _set(s, "param_groups", 0, "params", [0, 0]),
    "names are None": lambda s: _set(s, "param_groups", 0, "param_names", None),
    "names are text": lambda s: _set(s, "param_groups", 0, "param_names", "ab"),
    "names are ints": lambda s: _set(s, "param_groups", 0, "param_names", [1, 2]),
    "too few names": lambda s: _set(s, "param_groups", 0, "param_names", ["a"]),
    "no names": lambda s: _drop(s, "param_groups", 0, "param_names"),
    "names of others": lambda s: _set(s, "param_groups", 1, "param_names", ["0.bias", "1.bias"]),
    "string ids": lambda s: _set(s, "state", {str(k): v for k, v in s["state"].items()}),
    "ids of none": lambda s: _set(s, "state", 99, s["state"][0]),
    "an entry is an int": lambda s: _set(s, "state", 0, 3),
    "an entry is a list": lambda s: _set(s, "state", 0, [TENSOR]),
    "a moment is text": lambda s: _set(s, "state", 0, "exp_avg", "x"),
    "a moment is a list": lambda s: _set(s, "state", 0, "exp_avg", [1.0, 2.0]),
    "a step is text": lambda s: _set(s, "state", 0, "step", "3"),
    "a step is a dict": lambda s: _set(s, "state", 0, "step", {}),
}
NO_STATES = [None, 3, 2.5, True, [1], (1, 2), {1}, b"x", object(), dict, len, torch.zeros(2)]


def refused(optimizer, state, error=ValueError):
    before = str(optimizer.state_dict())
    with pytest.raises(error) as caught:
        grouper.load_optimizer_state(optimizer, state)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    assert "state" in text
    assert str(optimizer.state_dict()) == before
    return text


@pytest.mark.parametrize("kind", WRONG)
def test_a_damaged_state_changes_nothing(kind):
    optimizer = built()
    state = copy.deepcopy(optimizer.state_dict())
    WRONG[kind](state)
    refused(optimizer, state)


@pytest.mark.parametrize("state", NO_STATES, ids=lambda value: type(value).__name__)
def test_what_is_no_state_changes_nothing(state):
    assert "`optimizer.state_dict()`" in refused(built(), state, TypeError)


def test_an_optimizer_in_the_place_of_its_state():
    assert "call its `state_dict()`" in refused(built(), built(), TypeError)


def test_a_state_dict_through_json_is_met_by_name():
    optimizer = built()
    state = optimizer.state_dict()
    state["state"] = {str(number): value for number, value in state["state"].items()}
    assert "JSON" in refused(optimizer, state)


@pytest.mark.parametrize("value", [torch.zeros(2), torch.zeros(3, 2, 1), torch.tensor(1.0), 1.0])
def test_a_moment_of_another_shape_is_not_kept(value):
    optimizer = built()
    state = copy.deepcopy(optimizer.state_dict())
    number = state["param_groups"][1]["params"][0]
    state["state"][number]["exp_avg"] = value
    restored = grouper.load_optimizer_state(built(), state)
    assert restored.reshaped == ("0.weight",)


def test_a_moment_that_is_none_is_missing():
    optimizer = built()
    state = copy.deepcopy(optimizer.state_dict())
    number = state["param_groups"][1]["params"][0]
    state["state"][number]["exp_avg"] = None
    restored = grouper.load_optimizer_state(optimizer, state)
    assert restored.incompatible == ("0.weight",)
    assert restored.missing_keys == ("exp_avg",)
    state["state"][number] = dict.fromkeys(state["state"][number])
    assert grouper.load_optimizer_state(optimizer, state).new == ("0.weight",)


def test_a_history_of_lbfgs_of_another_size_is_refused():
    made = nn.Linear(2, 2)
    rules = grouper.parse("optimizer LBFGS lr=0.1\n* -> all")
    optimizer = grouper.build_optimizer(made, rules)

    def closure():
        optimizer.zero_grad()
        loss = made(torch.ones(1, 2)).square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    wider = grouper.build_optimizer(nn.Linear(3, 2), rules)
    with pytest.raises(ValueError, match="have changed since it was saved"):
        grouper.load_optimizer_state(wider, optimizer.state_dict())


def test_two_parameters_of_one_name_cannot_be_told_apart():
    one, other = nn.Linear(2, 2), nn.Linear(2, 2)
    optimizer = torch.optim.SGD(
        [{"params": list(m.named_parameters())} for m in (one, other)], lr=0.1, momentum=0.9
    )
    with pytest.raises(ValueError, match="the optimizer has several parameters `weight`"):
        grouper.load_optimizer_state(optimizer, optimizer.state_dict())


STEPS = [-5, -2, "50", True, None, {}, [3], 3.7, 3.0, float("inf"), float("nan"), torch.ones(2)]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_scheduler_goes_to_no_such_step(step):
    made = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    rules = grouper.parse(f"{RULES}\nschedule linear final=0.1")
    optimizer = grouper.build_optimizer(made, rules)
    plan = grouper.plan(made, rules, steps_per_epoch=100, epochs=3)
    scheduler = plan.scheduler(optimizer)
    before = scheduler.state_dict(), str(optimizer.param_groups)
    with pytest.raises((TypeError, ValueError), match=r"`last_epoch` must be a step of the run"):
        scheduler.load_state_dict({"last_epoch": step})
    assert (scheduler.state_dict(), str(optimizer.param_groups)) == before


def test_a_loader_is_met_by_name():
    made, rules = nn.Linear(2, 2), grouper.parse("* -> all lr=1")
    loader = torch.utils.data.DataLoader([1, 2, 3])
    with pytest.raises(TypeError, match=r"length of the loader.*a `DataLoader`: its `len\(\)`"):
        grouper.plan(made, rules, steps_per_epoch=loader, epochs=1)
