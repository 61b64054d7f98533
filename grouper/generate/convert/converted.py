"""The form of a configuration before it is text: tables of cases, with remarks at their places."""

from __future__ import annotations

from typing import TypeAlias

from grouper.language.syntax import tree
from grouper.text.dataclass import dataclass, field, replace


@dataclass(frozen=True)
class Remark:
    """A comment of the rules; `lost` is what rules cannot carry over, which is also printed."""

    text: str
    lost: bool = False


@dataclass(frozen=True)
class Pattern:
    """A selector, and the pattern of the system's own that it stands for."""

    written: str
    selector: tree.Selector


@dataclass(frozen=True)
class Case:
    """One rule of a table: the parameters of any of its patterns; without patterns, all that are
    left.

    `kind` says that it is about a kind of parameters, which a model may lack. `dropped` is why the
    rule is written as a comment only.
    """

    patterns: tuple[Pattern, ...]
    label: tree.Label
    options: tuple[tree.Option, ...] = ()
    remarks: tuple[Remark, ...] = ()
    kind: bool = False
    dropped: str | None = None

    @property
    def selector(self) -> tree.Selector | None:
        if len(self.patterns) <= 1:
            return self.patterns[0].selector if self.patterns else None
        return tree.Or(tuple(pattern.selector for pattern in self.patterns))

    @property
    def is_rest(self) -> bool:
        return not self.patterns

    def remarked(self, *remarks: Remark) -> Case:
        return replace(self, remarks=(*self.remarks, *remarks))


@dataclass(frozen=True)
class Table:
    """Cases that divide the parameters: a split. The first case that matches counts or, where the
    table is `exclusive`, no two may match."""

    name: str
    cases: tuple[Case, ...]
    exclusive: bool = False
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Line:
    """A statement of its own, or remarks alone."""

    statement: tree.Statement | None
    remarks: tuple[Remark, ...] = ()


Part: TypeAlias = Line | Table


@dataclass(frozen=True)
class Converted:
    """The statements of a rules file in order."""

    parts: tuple[Part, ...]
    remarks: tuple[Remark, ...] = field(default=())

    @property
    def lost(self) -> tuple[str, ...]:
        """What the rules do not carry over, in the order in which the file says it."""
        found = list(self.remarks)
        for part in self.parts:
            found += part.remarks
            if isinstance(part, Table):
                found += [remark for case in part.cases for remark in case.remarks]
        return tuple(dict.fromkeys(remark.text for remark in found if remark.lost))


def note(text: str) -> Remark:
    return Remark(text)


def lost(text: str) -> Remark:
    return Remark(text, lost=True)
