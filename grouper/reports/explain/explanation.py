"""Why some parameters have their options; those with equal derivations together."""

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
    """Parameters with equal derivations, in the model's order. `group` is None where they are in
    none. The rules that match them are those of the first's `matches`; `untaken` are the others.
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
    """Some parameters of a report, and where each of their options comes from.

    `plan` and `steps` are those of a run, where the lr over it is to be shown.
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
    """The explanation of a parameter, of those that a glob matches, or of all below a module; it
    may be of none."""
    return Explanation(report, tuple(_explained(report, named(report, name))))


def over(explained: Explanation, plan: Plan, at: Iterable[int]) -> Explanation:
    """The explanation with the lr at some steps of a run; of none: at its telling ones."""
    words = {key_step.step: key_step.words for key_step in key_steps(plan, MOST_STEPS)}
    steps = sorted(set(at)) or list(words)
    shown = tuple(KeyStep(step, words.get(step, ())) for step in steps)
    return replace(explained, plan=plan, steps=shown)


def none_named(report: Report, name: str) -> str:
    """That nothing is called so, and what is."""
    names = report.inventory.by_name
    paths = dict.fromkeys(path for each in names for path in ancestors(each) if path)
    similar = near(name, paths)
    hint = f"; did you mean `{similar[0]}`?" if similar else ""
    return f"the model has no parameter or module `{name}`{hint}"


def named(report: Report, name: str) -> list[ParameterAssignment]:
    """The parameters that are called so, or else are matched by the glob, or else are below the
    module, or below modules that the glob matches."""
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
    found: dict[object, tuple[list[ParameterAssignment], Group | None, tuple[Derivation, ...]]] = {}
    keys: dict[int, object] = {}  # those that are treated alike share one value of options
    for assigned in assignments:
        treated = id(assigned.options)
        if treated not in keys:
            group = groups.get(id(assigned.parameter))
            derivations = deriver.derivations(assigned)
            rules = tuple(id(match.rule) for match in assigned.matches)
            frozen = assigned.frozen, assigned.parameter.trainable
            keys[treated] = (group.name if group else None, frozen, rules, derivations)
            found.setdefault(keys[treated], ([], group, derivations))
        found[keys[treated]][0].append(assigned)
    return [
        Explained(tuple(alike), group, derivations, untakens.of(alike))
        for alike, group, derivations in found.values()
    ]
