"""The constants of the emitted file: groups, frozen parameters, and facts about the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grouper.checks.report import Report
from grouper.group.group import Group
from grouper.group.grouping import Grouping
from grouper.match.assignment import ParameterAssignment
from grouper.model.wrappers import SEGMENTS, WRAPPERS
from grouper.reports.python.layout import Brackets, Code, lines, listed, literal, mapped, quoted
from grouper.reports.python.name_lists import name_items
from grouper.reports.python.shape_guards import shape_fact
from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Left:
    """The parameters in no group: frozen by a rule, frozen by the model, or matched by no rule, as
    the rules allow; and the other names of shared parameters with their first name."""

    frozen: tuple[str, ...]
    by_model: tuple[str, ...]
    unmatched: tuple[str, ...]
    tied: tuple[tuple[str, str], ...]


def left(report: Report) -> Left:
    assigned = report.assignment.parameters if report.assignment else ()
    frozen = [a for a in assigned if a.frozen]
    return Left(
        tuple(a.parameter.name for a in frozen if _by_rule(a)),
        tuple(a.parameter.name for a in frozen if not _by_rule(a)),
        tuple(a.parameter.name for a in assigned if a.uncovered_splits and not a.frozen),
        tuple((n, p.name) for p in report.inventory.parameters for n in p.names[1:]),
    )


def _by_rule(assigned: ParameterAssignment) -> bool:
    return any(rule.freezes for rule in assigned.rules)


def constants(report: Report, grouping: Grouping, several: bool) -> Iterator[str]:
    """Blocks of code; with `several` optimizers, each group names its optimizer."""
    others = left(report)
    groups = [_group(group, several) for group in grouping.groups]
    yield _block(
        "The optimizer's groups in order, with their options and the names of their parameters.",
        mapped("GROUPS: dict[str, dict[str, Any]] = ", groups, bool(groups)),
    )
    yield _block(
        "The parameters that the rules freeze.", _names("FROZEN: list[str] = ", others.frozen, 1)
    )
    if others.by_model:
        yield _block(
            "The parameters that the model itself had frozen.",
            _names("FROZEN_BY_MODEL = ", others.by_model, 1),
        )
    if others.unmatched:
        yield _block(
            "The parameters that no rule matches, as the rules allow.",
            _names("UNTRAINED = ", others.unmatched, 1),
        )
    if others.tied:
        yield _block(
            "Other names of shared parameters, with the names used above.",
            mapped("TIED = ", [f"{quoted(n)}: {quoted(first)}" for n, first in others.tied], True),
        )
    yield from _facts(report)
    yield _block(
        "Wrapper modules, and the segments that they add to the names of parameters.",
        listed("WRAPPERS = ", map(quoted, WRAPPERS)),
        listed("SEGMENTS = ", map(quoted, sorted(SEGMENTS))),
    )


def _facts(report: Report) -> Iterator[str]:
    """The shapes, or numbers of dimensions, that the rules depend on."""
    fact = shape_fact(report.rules)
    if fact is None:
        return
    by_value: dict[str, list[str]] = {}
    for parameter in report.inventory.parameters:
        if parameter.shape is not None:
            value = parameter.shape if fact == "shape" else parameter.ndim
            by_value.setdefault(literal(value), []).append(parameter.name)
    name, words = ("SHAPES", "shapes") if fact == "shape" else ("DIMENSIONS", "dimensions")
    items = [_names(f"{value}: ", members, 2) for value, members in by_value.items()]
    yield _block(f"The rules depend on these {words}.", mapped(f"{name} = ", items, bool(items)))


def _block(comment: str, *codes: Code) -> str:
    return "\n".join([f"# {comment}", *(line for code in codes for line in lines(code))])


def _names(before: str, names: Iterable[str], depth: int) -> Brackets:
    items = name_items(names, depth)
    return listed(before, items, bool(items))


def _group(group: Group, several: bool) -> Brackets:
    options = [f"{quoted(key)}: {literal(value)}" for key, value in group.options.items()]
    optimizer = [f'"optimizer": {literal(group.optimizer)}'] if several else []
    names = _names('"parameters": ', (p.name for p in group.parameters), 3)
    return mapped(
        f"{quoted(group.name)}: ", [mapped('"options": ', options), *optimizer, names], True
    )
