"""The `optimizer` statement of a configuration's optimizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grouper.generate.convert.converted import Line, Remark, lost
from grouper.generate.convert.options import sets
from grouper.language.syntax import tree
from grouper.options.signatures import signature, torch_signatures


def optimizer_lines(
    name: str, options: Mapping[str, Any], *remarks: Remark, alias: str | None = None
) -> list[Line]:
    """The optimizer with the options of all groups; options that torch's class lacks are left out.

    A class that is not torch's and has no dotted name cannot be named: its options are then those
    of a rule for all parameters.
    """
    known = class_name(name)
    if known is None:
        remark = lost(
            f"`{name}` is not an optimizer of torch.optim: name its class in a line"
            " `optimizer package.module:Class`"
        )
        every = tree.Rule(tree.Glob((tree.Star(),)), None, sets(options))
        return [Line(every if options else None, (*remarks, remark))]
    taken = signature(known)
    constructor = taken.constructor if taken else tuple(options)
    unread = [key for key in options if key not in constructor]
    own = {key: value for key, value in options.items() if key in constructor}
    lines = (lost(f"torch's {known} has no {_list(unread)}: left out here"),) if unread else ()
    return [Line(tree.Optimizer(known, alias, sets(own)), (*remarks, *lines))]


def class_name(name: str) -> str | None:
    """The name that an `optimizer` statement takes: `AdamW` for `adamw` and `torch.optim.AdamW`,
    `package.module:Class` for another dotted one; None where the class cannot be named."""
    by_lower = {known.lower(): known for known in torch_signatures()}
    package, _, last = name.replace(":", ".").rpartition(".")
    if package in ("", "torch.optim", "optim") or package.startswith("torch.optim."):
        return by_lower.get(last.lower())
    parts = (*package.split("."), last)
    return f"{package}:{last}" if all(part.isidentifier() for part in parts) else None


def _list(keys: Iterable[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)
