"""What the tests of trainers share: small models, rules, and moments by name."""

import copy
import warnings
from contextlib import contextmanager

import torch

from grouper.text.findings import GroupingWarning

# One file of rules in two orders: the groups have equal shapes, so that loading by position is
# silent and wrong.
ORDER = """
optimizer AdamW lr=1e-3
warmup steps=2
schedule linear after=warmup
{}
else -> rest weight_decay=0.1
"""
FIRST = "else {} -> first weight_decay=0.1"
SECOND = "else {} -> second lr*=0.5 weight_decay=0.01"


def ordered(first, second):
    """Rules before an interruption: two parts of equal shapes, the first one's group first."""
    rules = [
        f"else {first} -> first weight_decay=0.1",
        f"else {second} -> second lr*=0.5 weight_decay=0.01",
    ]
    return ORDER.format("\n".join(rules))


def reordered(first, second):
    """The same rules after it, the second part's group first."""
    rules = [
        f"else {second} -> second lr*=0.5 weight_decay=0.01",
        f"else {first} -> first weight_decay=0.1",
    ]
    return ORDER.format("\n".join(rules))


def moments(model, optimizer):
    """The state of every parameter by its name."""
    return {
        name: copy.deepcopy(dict(optimizer.state[parameter]))
        for name, parameter in model.named_parameters()
        if optimizer.state.get(parameter)
    }


def by_name(state):
    """The moments in a saved state dict by the names that stand in it."""
    found = {}
    for group in state["param_groups"]:
        for name, number in zip(group["param_names"], group["params"], strict=True):
            if number in state["state"]:
                found[name] = state["state"][number]
    return found


def same_moments(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(one[name][key].float(), other[name][key].float())
        for name in one
        for key in ("exp_avg", "exp_avg_sq")
    )


def equal(one, other):
    """Whether the parameters of two models are equal to the bit."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@contextmanager
def no_grouping_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error", GroupingWarning)
        yield
