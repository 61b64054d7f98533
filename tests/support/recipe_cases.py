"""What a shipped rules file gives each parameter of a model, by its name."""

from __future__ import annotations

import grouper
from grouper.model.formats import snapshot
from grouper.model.live import inventory_of


def options_of(model, rules, *keys):
    """{parameter: its options}, for all that is trained. There is nothing to find in the model.

    With `keys`, {parameter: (the values of these keys)}; None stands for what is not set.
    """
    report = grouper.check(model, rules)
    assert not report.findings, str([f"{f.code.id} {f.message}" for f in report.findings][:3])
    of = {
        parameter.name: {**group.options, "optimizer": group.optimizer, "group": group.name}
        for group in report.grouping.groups
        for parameter in group.parameters
    }
    return {n: tuple(o.get(k) for k in keys) for n, o in of.items()} if keys else of


def oracle_options(model, groups, *keys, **defaults):
    """The same of plain torch groups, as other code builds them."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {
        names[id(parameter)]: tuple(group.get(key, defaults.get(key)) for key in keys)
        for group in groups
        for parameter in group["params"]
    }


def same_from_snapshot(model, rules):
    """Whether the rules give a saved inventory the groups that they give the live model."""
    saved = snapshot.loads(snapshot.dumps(inventory_of(model)))
    return options_of(saved, rules) == options_of(model, rules)
