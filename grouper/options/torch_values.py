"""Constraints on the values of torch's options, as the constructors of torch.optim check them.

If a constructor does not check a value and the step would fail, the constraint is that of the step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from grouper.options.kinds import COUNT, NOT_NEGATIVE, NUMBER, POSITIVE, SHARE, Constraint
from grouper.options.values import Value, is_number, quoted_value


class Fault(NamedTuple):
    """A problem with the values of some options, and what to do."""

    keys: tuple[str, ...]
    what: str
    help: str


def _numbers(value: Value, count: int) -> bool:
    return isinstance(value, tuple) and len(value) == count and all(map(is_number, value))


def _betas(value: Value) -> bool:
    return _numbers(value, 2) and all(0 <= beta < 1 for beta in value)  # type: ignore[operator, union-attr]


def _etas(value: Value) -> bool:
    return _numbers(value, 2) and 0 < value[0] < 1 < value[1]  # type: ignore[index, operator]


def _two_epsilons(value: Value) -> bool:
    if not isinstance(value, tuple) or len(value) != 2:
        return False
    first, second = value
    return (first is None or NOT_NEGATIVE[1](first)) and NOT_NEGATIVE[1](second)


FLAG: Constraint = ("`true` or `false`", lambda value: isinstance(value, bool))
CHOICE: Constraint = (
    "`true`, `false` or `none`",
    lambda value: value is None or isinstance(value, bool),
)
BETAS: Constraint = ("two numbers from 0 to below 1, such as `(0.9, 0.999)`", _betas)

KINDS: Mapping[str, Constraint] = MappingProxyType(
    {
        "adjust_lr_fn": (
            "`original`, `match_rms_adamw` or `none`",
            lambda value: value in (None, "original", "match_rms_adamw"),
        ),
        "alpha": NOT_NEGATIVE,
        "amsgrad": FLAG,
        "beta2_decay": ("a number of at most 0", lambda v: is_number(v) and v <= 0),
        "betas": BETAS,
        "capturable": FLAG,
        "centered": FLAG,
        "d": ("a number of at least 1", lambda value: is_number(value) and value >= 1),
        "dampening": NUMBER,
        "decoupled_weight_decay": FLAG,
        "differentiable": FLAG,
        "eps": NOT_NEGATIVE,
        "etas": ("a number between 0 and 1 and one above 1, such as `(0.5, 1.2)`", _etas),
        "foreach": CHOICE,
        "fused": CHOICE,
        "history_size": COUNT,
        "initial_accumulator_value": NOT_NEGATIVE,
        "lambd": NUMBER,
        "line_search_fn": (
            "`strong_wolfe` or `none`",
            lambda value: value in (None, "strong_wolfe"),
        ),
        "lr": NOT_NEGATIVE,
        "lr_decay": NOT_NEGATIVE,
        "max_eval": (f"{COUNT[0]}, or `none`", lambda value: value is None or COUNT[1](value)),
        "max_iter": COUNT,
        "maximize": FLAG,
        "momentum": NOT_NEGATIVE,
        "momentum_decay": NOT_NEGATIVE,
        "nesterov": FLAG,
        "ns_coefficients": ("three numbers", lambda value: _numbers(value, 3)),
        "ns_steps": ("an integer below 100", lambda v: COUNT[1](v) and v < 100),  # type: ignore[operator]
        "rho": SHARE,
        "step_sizes": ("two numbers, the smallest and the largest", lambda v: _numbers(v, 2)),
        "t0": NUMBER,
        "tolerance_change": NUMBER,
        "tolerance_grad": NUMBER,
        "weight_decay": NOT_NEGATIVE,
    }
)
# Classes whose constraint on an option differs from that of the others.
OWN_KINDS: Mapping[tuple[str, str], Constraint] = MappingProxyType(
    {
        ("ASGD", "alpha"): NUMBER,
        ("Adafactor", "eps"): (
            "two non-negative numbers, the first of which may be `none`",
            _two_epsilons,
        ),
        ("Muon", "eps"): NUMBER,
        ("SparseAdam", "eps"): POSITIVE,
        ("SparseAdam", "lr"): POSITIVE,
    }
)


def as_torch_takes(key: str, value: Value) -> Value:
    """An option's value as torch accepts it: betas must not be integers, as in `(0, 0.9)`."""
    if key == "betas" and isinstance(value, tuple):
        return tuple(float(v) if isinstance(v, int) and is_number(v) else v for v in value)
    return value


def faults(optimizer: str, options: Mapping[str, Value]) -> Iterator[Fault]:
    """The option values that a class of torch.optim would reject; `options` includes defaults."""
    bad = set()
    for key, value in options.items():
        constraint, test = OWN_KINDS.get((optimizer, key)) or KINDS.get(key, ("", lambda _: True))
        if not test(value):
            bad.add(key)
            what = f"`{key}` of `{optimizer}` must be {constraint}, not {quoted_value(value)}"
            yield Fault((key,), what, f"set `{key}` to {constraint}")
    for fault in _together(options):
        if not bad & set(fault.keys):
            yield fault


def _together(options: Mapping[str, Value]) -> Iterator[Fault]:
    """Combinations of values that are rejected although each value is valid."""
    if options.get("nesterov") is True and "dampening" in options:
        if not POSITIVE[1](options["momentum"]):
            what = "`nesterov=true` needs a `momentum` above 0"
            yield Fault(("nesterov", "momentum"), what, "set `momentum`, or remove `nesterov`")
        if options["dampening"] != 0:
            what = "`nesterov=true` needs a `dampening` of 0"
            yield Fault(("nesterov", "dampening"), what, "remove one of them")
    if options.get("fused") is True:
        for other in ("foreach", "differentiable"):
            if options.get(other) is True:
                what = f"`fused=true` and `{other}=true` exclude each other"
                yield Fault(("fused", other), what, "remove one of them")
