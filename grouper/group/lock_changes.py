"""How what rules give differs from what is locked, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from grouper.group.lock import LOCK_CHANGED, LockedGroup, LockedModel
from grouper.text.dataclass import dataclass
from grouper.text.findings import Finding, labels_at
from grouper.text.fold import folded_list
from grouper.text.printable import count_phrase
from grouper.text.source import Span

MOST_CHANGES = 20  # that are listed
_MOST_PATTERNS = 3
_NOWHERE = "not in the model"


@dataclass(frozen=True)
class Change:
    """One difference, and the place in the lock that says otherwise."""

    text: str
    span: Span | None = None


def changed(lock: str, before: LockedModel, now: LockedModel, help: str) -> Finding | None:
    """The finding about a model whose groups are not those of the lock, a file of that name; None
    where they are."""
    changes = list(_changes(before, now))
    if not changes:
        return None
    notes = [change.text for change in changes[:MOST_CHANGES]]
    more = len(changes) - MOST_CHANGES
    notes += [f"and {more} more change{'s' * (more != 1)}"] if more > 0 else []
    span = next((change.span for change in changes if change.span is not None), before.span)
    moved = [name for name in {**_homes(before), **_homes(now)}
             if _homes(before).get(name) != _homes(now).get(name)]  # fmt: skip
    return Finding(
        LOCK_CHANGED,
        f"{count_phrase(changes, 'change')} to what `{lock}` says of `{before.path}`",
        labels_at(span, "is locked"),
        tuple(moved),
        tuple(notes),
        help,
    )


def _changes(before: LockedModel, now: LockedModel) -> Iterator[Change]:
    """The differences, those of the model first."""
    yield from _of_model(before, now)
    yield from _of_statements(before, now)
    old = {group.name: group for group in before.groups}
    new = {group.name: group for group in now.groups}
    for name in (name for name in new if name in old):
        yield from _of_options(old[name], new[name])
    yield from _moves(before, now, old)
    if [n for n in old if n in new] != [n for n in new if n in old]:
        yield Change("the groups come in another order", before.span)


def _of_model(before: LockedModel, now: LockedModel) -> Iterator[Change]:
    if before.digest == now.digest:
        return
    if before.tensors != now.tensors:
        yield Change(f"the model has {now.tensors:,} tensors, and had {before.tensors:,}")
    if before.parameters != now.parameters:
        yield Change(f"the model has {now.parameters:,} parameters, and had {before.parameters:,}")
    if before.tensors == now.tensors and before.parameters == now.parameters:
        yield Change("the model's parameters have other names, shapes or another order")


def _of_statements(before: LockedModel, now: LockedModel) -> Iterator[Change]:
    for line in before.statements:
        if line not in now.statements:
            yield Change(f"no more: `{line}`", before.span)
    for line in now.statements:
        if line not in before.statements:
            yield Change(f"new: `{line}`", before.span)


def _of_options(before: LockedGroup, now: LockedGroup) -> Iterator[Change]:
    for key in {**before.options, **now.options}:
        old, new = before.options.get(key), now.options.get(key)
        if old == new:
            continue
        if new is None:
            text = f"`{now.name}` has no `{key}`, and had {old}"
        else:
            text = f"`{now.name}` has `{key}` {new}, " + (
                f"and had {old}" if old else "and had none"
            )
        yield Change(text, before.span)


def _moves(
    before: LockedModel, now: LockedModel, groups: Mapping[str, LockedGroup]
) -> Iterator[Change]:
    """Parameters that are in another group than before; those that moved the same way stand
    together.
    """
    old, new = _homes(before), _homes(now)
    ways: dict[tuple[str, str], list[str]] = {}
    for name in {**old, **new}:
        way = old.get(name, _NOWHERE), new.get(name, _NOWHERE)
        if way[0] != way[1]:
            ways.setdefault(way, []).append(name)
    for (there, here), names in ways.items():
        which = f"{count_phrase(names, 'tensor')}, {folded_list(names, _MOST_PATTERNS)},"
        verb = "is" if len(names) == 1 else "are"
        group = groups.get(there.removeprefix("in `").removesuffix("`"))
        past = "was" if len(names) == 1 else "were"
        yield Change(f"{which} {verb} {here}, and {past} {there}", group.span if group else None)


def _homes(model: LockedModel) -> dict[str, str]:
    """The group of each parameter, by the parameter's name."""
    return {
        **{name: f"in `{group.name}`" for group in model.groups for name in group.parameters},
        **dict.fromkeys(model.frozen, "frozen"),
        **dict.fromkeys(model.unmatched, "in no group"),
    }
