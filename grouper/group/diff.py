"""The difference between two reports, as a value: tensors that move, options before and after."""

from __future__ import annotations

from collections.abc import Mapping

from grouper.group.group import options_key
from grouper.options.values import Value, same
from grouper.text.dataclass import dataclass, field
from grouper.text.printable import visible
from grouper.text.shown import Shown, line


@dataclass(frozen=True)
class Treatment:
    """How a parameter is treated.

    `group` is its group's name, None where it is in none: frozen, or matched by no rule. `options`
    are all of them, the plan's and `optimizer` (the class) too.
    """

    group: str | None
    options: Mapping[str, Value] = field(default_factory=dict)
    frozen: bool = False

    @property
    def name(self) -> str:
        return self.group or ("frozen" if self.frozen else "no group")

    @property
    def key(self) -> object:
        return self.group, self.frozen, options_key(self.options)


@dataclass(frozen=True)
class Change:
    """Parameters that are treated alike before and alike after.

    A side is None where its model does not have them. The names are those of the later model, where
    it has them.
    """

    before: Treatment | None
    after: Treatment | None
    parameters: tuple[str, ...]

    @property
    def options(self) -> Mapping[str, tuple[Value, Value]]:
        """The options that change, before and after, None where they are not set; of parameters
        that are in a group on both sides."""
        before, after = self.before, self.after
        if before is None or after is None or before.group is None or after.group is None:
            return {}
        return {
            key: (before.options.get(key), after.options.get(key))
            for key in dict.fromkeys((*before.options, *after.options))
            if (key in before.options) != (key in after.options)
            or not same(before.options.get(key), after.options.get(key))
        }


@dataclass(frozen=True)
class StatementChange:
    """A statement of the file that differs, as text; None where it is not there."""

    statement: str
    before: str | None
    after: str | None


@dataclass(frozen=True, repr=False)
class Diff(Shown):
    """The difference between two reports.

    `changes` are parameters that change group or options, `appeared` and `disappeared` those of one
    model alone. `renamed` pairs names before and after that are taken for one parameter, by shape,
    last name and order: a guess. `statements` are `optimizer`, `warmup` and `schedule` statements
    that differ. `unchanged` counts the other tensors. `paths` name the two sides.
    """

    paths: tuple[str, str]
    changes: tuple[Change, ...] = ()
    appeared: tuple[Change, ...] = ()
    disappeared: tuple[Change, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    statements: tuple[StatementChange, ...] = ()
    unchanged: int = 0

    @property
    def same(self) -> bool:
        """Whether every parameter is there and trained as before; it may have another name."""
        return not (self.changes or self.appeared or self.disappeared or self.statements)

    @property
    def changed(self) -> int:
        """How many tensors change group or options."""
        return sum(len(change.parameters) for change in self.changes)

    def __repr__(self) -> str:
        words = "the same" if self.same else f"{self.changed} tensors change"
        return line(self, visible(f"{self.paths[0]} -> {self.paths[1]}: {words}"))
