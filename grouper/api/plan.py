"""From a report and the length of a run to its plan."""

from __future__ import annotations

from grouper.api.arguments import require_part, run_length
from grouper.api.check import Model, checked_groups
from grouper.api.errors import GroupingError
from grouper.api.rules import Rules
from grouper.checks.claim_awaits_plan import settled
from grouper.checks.context import Context
from grouper.checks.report import Report
from grouper.checks.run import run_on_plan
from grouper.group.grouping import Grouping
from grouper.text.arguments import is_module
from grouper.text.dataclass import replace
from grouper.text.findings import Severity, in_order, warn
from grouper.train.make_plan import make_plan
from grouper.train.plan import Plan
from grouper.train.unreached import unreached


def plan(
    model: Model,
    rules: Rules,
    *,
    steps_per_epoch: int | None = None,
    epochs: int | None = None,
    steps: int | None = None,
    merge: bool = False,
    prefix: str | None = None,
) -> Plan:
    """lr and momentum of every group at every step of a run.

    A step is one batch: `steps_per_epoch` is the length of the loader. A run counted in optimizer
    steps alone has `steps`, and rules that count none of its epochs. `merge` and `prefix` as in
    `build_optimizer`. Warns where the run ends before a group has its lr. Raises GroupingError
    where the rules do not fit the model or a claim about the plan fails, and ValueError where a
    group has no lr.
    """
    require_part(rules, True, prefix)
    run = run_length(steps, steps_per_epoch, epochs)
    return planned(model, rules, run, merge, prefix)


def plan_of(
    report: Report, grouping: Grouping, steps_per_epoch: int, epochs: int, in_steps: bool = False
) -> Plan:
    """The plan of a report's groups, whose `findings` say what is wrong with it.

    Raises ValueError as `make_plan` does.
    """
    made = make_plan(report.rules, grouping, steps_per_epoch, epochs, in_steps)
    assert report.assignment is not None
    context = Context(report.rules, report.inventory, report.assignment, grouping)
    findings = run_on_plan(context, made, unreached(made.groups, made.run))
    return replace(made, findings=findings)


def planned(
    model: Model, rules: Rules, run: tuple[int, int, bool], merge: bool, prefix: str | None
) -> Plan:
    """`plan` for a run whose length and part have been checked."""
    report, grouping = checked_groups(model, rules, merge=merge)
    if isinstance(rules, Report) and is_module(model):
        from grouper.train.part import planned_part

        grouping = planned_part(model, grouping, prefix)  # type: ignore[arg-type]
    made = plan_of(report, grouping, *run)
    findings = in_order((*settled(report.findings), *made.findings))
    if any(finding.severity is Severity.ERROR for finding in made.findings):
        raise GroupingError(replace(report, findings=findings))
    warn(findings)
    return made
