"""From a report to training: groups, optimizers, schedulers, frozen statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grouper.api.arguments import require_part, run_length
from grouper.api.check import checked_groups, checked_to_build
from grouper.api.errors import GroupingError
from grouper.api.plan import planned
from grouper.api.rules import Rules
from grouper.checks.report import Report
from grouper.text.arguments import require, require_module
from grouper.text.collector import collector_off
from grouper.text.dataclass import replace
from grouper.text.findings import Finding, in_order, warn

if TYPE_CHECKING:
    from grouper.train.frozen_statistics import FrozenStatistics
    from grouper.train.param_groups import ParamGroups
    from grouper.train.ranks import Ranks
    from grouper.train.types import LRScheduler, Module, Optimizer


def param_groups(
    model: Module,
    rules: Rules,
    *,
    merge: bool = False,
    names: bool = True,
    prefix: str | None = None,
    process_group: Ranks = None,
) -> ParamGroups:
    """The parameter groups of a live model, for any torch optimizer.

    Each group has `params` (named, where torch takes names), its `name`, and its options. `merge`
    joins groups whose options are equal, for the fewest kernels (see Grouping.merged). With
    `names=False` the tensors are bare and groups have no `name`, for optimizers that look at the
    keys. What the rules freeze gets `requires_grad=False`; the list's `unfreeze()` takes that back.
    Findings that are warnings reach Python's `warnings` as GroupingWarning, here and below.

    `rules` may be a report of this model, as for every function below: it is taken as it is. Of a
    report of the whole, a stage of it takes its own parameters: `prefix` is what the names of the
    stage lack ("layers.4."), or "" where they lack nothing. Raises GroupingError where the rules do
    not fit the model; the model is then as it was.

    In a distributed run this is a collective, and so are the next three: every rank calls it, and
    all raise GroupingError where their groups, options, warm-up or schedule differ. `process_group`
    are the ranks that must agree: all of them, those of a group, or, where it is False, none.
    """
    from grouper.train.param_groups import bind
    from grouper.train.part import part_of
    from grouper.train.ranks import compare_ranks

    require_module("model", model)
    require_part(rules, names, prefix)
    with compare_ranks(model, process_group) as ranks, collector_off():
        report, grouping = checked_groups(model, rules, merge=merge)
        _refuse(report, ranks.disagreement(report.rules, grouping))
        warn(report.findings)
        return bind(part_of(model, grouping, prefix), names=names)


def build_optimizer(
    model: Module,
    rules: Rules,
    *,
    merge: bool = False,
    names: bool = True,
    prefix: str | None = None,
    process_group: Ranks = None,
) -> Optimizer:
    """The optimizer that the rules name, with its groups; several are one object.

    Its own `load_state_dict` goes by the names of parameters, and warns of what it did not keep.
    What the rules freeze gets `requires_grad=False`; the optimizer's `unfreeze()` takes that back.
    Options are checked against the classes' own signatures; `merge`, `names` and `prefix` are those
    of `param_groups`. Raises GroupingError where the rules do not fit the model or the optimizers,
    and ValueError where they name no optimizer, or one of another package that cannot be imported
    or refuses its options.
    """
    from grouper.train.build_optimizer import optimizer_of
    from grouper.train.param_groups import bind
    from grouper.train.part import part_of
    from grouper.train.ranks import compare_ranks

    require_module("model", model)
    require_part(rules, names, prefix)
    with compare_ranks(model, process_group) as ranks, collector_off():
        report = rules if isinstance(rules, Report) else checked_to_build(model, rules)
        report, grouping = checked_groups(model, report, merge=merge)
        warn(report.findings)
        part = part_of(model, grouping, prefix)
        groups = bind(part, names=names)
        try:
            # Ranks compare after construction here: where a class refuses its options on one rank
            # only, the others hear of that, and do not wait for it in a collective.
            optimizer = optimizer_of(groups, part.grouping, report.rules)
            _refuse(report, ranks.disagreement(report.rules, grouping))
        except BaseException:
            groups.unfreeze()
            raise
        return optimizer


def build(
    model: Module,
    rules: Rules,
    *,
    steps: int | None = None,
    steps_per_epoch: int | None = None,
    epochs: int | None = None,
    merge: bool = False,
    names: bool = True,
    prefix: str | None = None,
    process_group: Ranks = None,
) -> tuple[Optimizer, LRScheduler]:
    """The optimizer that the rules name, and a scheduler that follows their plan.

    The run's length is that of `plan`, and the other arguments those of `build_optimizer`; it
    raises what they raise. The model is then as it was.
    """
    require_module("model", model)
    report = rules if isinstance(rules, Report) else checked_to_build(model, rules)
    run = run_length(steps, steps_per_epoch, epochs)
    optimizer = build_optimizer(
        model, report, merge=merge, names=names, prefix=prefix, process_group=process_group
    )
    try:
        return optimizer, planned(model, report, run, merge, prefix).scheduler(optimizer)
    except BaseException:
        vars(optimizer)["unfreeze"]()
        raise


def add_groups(
    optimizer: Optimizer,
    model: Module,
    report: Report,
    *,
    merge: bool = False,
    prefix: str | None = None,
    process_group: Ranks = None,
) -> tuple[str, ...]:
    """Add to a running optimizer the groups of a report that it does not have: those just unfrozen.

    Their parameters get `requires_grad=True` and start without state; nothing else changes.
    `merge` and `prefix` are those with which the optimizer was built. Returns the names of the
    groups. Raises ValueError where the optimizer's own groups are not the report's, or its class
    refuses the new ones; the optimizer is then as it was.
    """
    from grouper.train.add_groups import extend
    from grouper.train.ranks import compare_ranks
    from grouper.train.wrapped import torch_optimizer

    torch_optimizer(optimizer)
    require_module("model", model)
    require("report", report, Report, "the report that `report.unfreeze(...)` gives")
    require_part(report, True, prefix)
    with compare_ranks(model, process_group) as ranks:
        checked, grouping = checked_groups(model, report, merge=merge)
        _refuse(checked, ranks.disagreement(checked.rules, grouping))
        warn(checked.findings)
        return extend(optimizer, model, grouping, checked.rules, prefix)


def freeze_statistics(
    model: Module, rules: Rules, *, prefix: str | None = None
) -> FrozenStatistics:
    """Keep the running statistics of batch norms whose parameters are frozen as they are.

    They go into evaluation mode, now and at every `model.train()`, until `remove()` of what this
    returns, which is a context manager as well. Raises GroupingError where the rules do not fit
    the model. Convert norms (`convert_sync_batchnorm`) before.
    """
    from grouper.train.frozen_statistics import freeze_statistics_of

    require_module("model", model)
    require_part(rules, True, prefix)
    return freeze_statistics_of(model, checked_groups(model, rules)[1], prefix)


def _refuse(report: Report, finding: Finding | None) -> None:
    if finding is not None:
        raise GroupingError(replace(report, findings=in_order((*report.findings, finding))))
