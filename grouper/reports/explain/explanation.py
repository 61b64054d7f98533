"""Explains where the options of parameters come from, merging equal derivations."""

from __future__ import annotations

from collections.abc import Iterable

from grouper.checks.report import Report
from grouper.group.group import Group
from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_selector
from grouper.match.assignment import ParameterAssignment
from grouper.match.classes import ancestors
from grouper.match.derivation.derivation import Derivation
from grouper.match.derivation.derive import Deriver
from grouper.match.derivation.untaken import Untaken, Untakens
from grouper.match.globs import compile_glob
from grouper.reports.plan.key_steps import KeyStep, key_steps
from grouper.text.dataclass import dataclass, replace
from grouper.text.printable import visible
from grouper.text.shown import Shown, line
from grouper.text.similar import near
from grouper.train.plan import Plan

MOST_STEPS = 6


@dataclass(frozen=True)
class Explained:
    """Parameters with equal derivations, in the model's order. `group` is None if they are in no
    group. The rules that match them are the `matches` of the first; `untaken` are the other rules.
    """

    alike: tuple[ParameterAssignment, ...]
    group: Group | None
    derivations: tuple[Derivation, ...]
    untaken: tuple[Untaken, ...]

    @property
    def first(self) -> ParameterAssignment:
        return self.alike[0]


@dataclass(frozen=True, repr=False)
class Explanation(Shown):
    """Parameters of a report, and where each of their options comes from.

    `plan` and `steps` are set if the explanation includes the lr over a run.
    """

    report: Report
    explained: tuple[Explained, ...]
    plan: Plan | None = None
    steps: tuple[KeyStep, ...] = ()

    def __repr__(self) -> str:
        names = [a.parameter.name for each in self.explained for a in each.alike]
        more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
        return line(self, visible(f"{', '.join(names[:3])}{more}"))


def explanation(report: Report, name: str) -> Explanation:
    """The explanation of a parameter, of those that a glob matches, or of all below a module. It is
    empty if nothing matches."""
    return Explanation(report, tuple(_explained(report, named(report, name))))


def over(explained: Explanation, plan: Plan, at: Iterable[int]) -> Explanation:
    """The explanation with the lr at steps of a run, by default at the key steps."""
    words = {key_step.step: key_step.words for key_step in key_steps(plan, MOST_STEPS)}
    steps = sorted(set(at)) or list(words)
    return replace(
        explained, plan=plan, steps=tuple(KeyStep(step, words.get(step, ())) for step in steps)
    )


def none_named(report: Report, name: str) -> str:
    """The message that nothing has this name, with a similar name if there is one."""
    names = report.inventory.by_name
    paths = dict.fromkeys(path for each in names for path in ancestors(each) if path)
    similar = near(name, paths)
    hint = f"; did you mean `{similar[0]}`?" if similar else ""
    return f"the model has no parameter or module `{name}`{hint}"


def named(report: Report, name: str) -> list[ParameterAssignment]:
    """The parameters with this name, or else below the module of this name, or else matched by the
    glob, or else below modules that the glob matches."""
    assignments = report.assignment.parameters if report.assignment else ()
    exact = [a for a in assignments if name in a.parameter.names]
    if exact:
        return exact
    below = [a for a in assignments if any(n.startswith(f"{name}.") for n in a.parameter.names)]
    return below or _matched(assignments, name) or _matched(assignments, f"{name}.*")


def _matched(assignments: Iterable[ParameterAssignment], text: str) -> list[ParameterAssignment]:
    try:
        selector = parse_selector(text)
    except ValueError:
        return []
    if not isinstance(selector, tree.Glob):
        return []
    matches = compile_glob(selector)
    return [a for a in assignments if any(matches(n) is not None for n in a.parameter.names)]


def _explained(report: Report, assignments: list[ParameterAssignment]) -> list[Explained]:
    if report.assignment is None or not assignments:
        return []
    grouping = report.grouping
    groups = {id(p): g for g in (grouping.groups if grouping else ()) for p in g.parameters}
    deriver = Deriver(report.assignment)
    untakens = Untakens(report.rules, report.inventory, deriver.numbers, deriver.base)
    alike: dict[object, tuple[list[ParameterAssignment], Group | None, tuple[Derivation, ...]]] = {}
    keys: dict[int, object] = {}  # by the `id` of options, which many parameters share
    for assigned in assignments:
        options = id(assigned.options)
        if options not in keys:
            group = groups.get(id(assigned.parameter))
            derivations = deriver.derivations(assigned)
            rules = tuple(id(match.rule) for match in assigned.matches)
            frozen = assigned.frozen, assigned.parameter.trainable
            keys[options] = (group.name if group else None, frozen, rules, derivations)
            alike.setdefault(keys[options], ([], group, derivations))
        alike[keys[options]][0].append(assigned)
    return [
        Explained(tuple(members), group, derivations, untakens.of(members))
        for members, group, derivations in alike.values()
    ]
