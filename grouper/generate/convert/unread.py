"""Options of groups that the optimizer does not read, though other systems accept them silently.

An option of another optimizer has no effect, and is left out with a remark; other keys may have
readers of their own, and are declared as tags.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from grouper.generate.convert.converted import Case, Converted, Line, Table, note
from grouper.language.syntax import tree
from grouper.options.plan_keys import PLAN_KEYS
from grouper.options.signatures import Signature, signature, torch_signatures
from grouper.text.dataclass import replace

_ANY = frozenset(key for known in torch_signatures().values() for key in known.options)
_OURS = ("optimizer", "freeze", *PLAN_KEYS)


def without_unread(converted: Converted) -> Converted:
    """The conversion without options that do nothing, and with tags for keys of other readers."""
    optimizers = [
        part.statement
        for part in converted.parts
        if isinstance(part, Line) and isinstance(part.statement, tree.Optimizer)
    ]
    if not optimizers:
        return converted
    by_name = {o.alias or o.name: signature(o.name) for o in optimizers}
    parts = tuple(
        replace(part, cases=tuple(_read(case, by_name) for case in part.cases))
        if isinstance(part, Table)
        else part
        for part in converted.parts
    )
    tags = tuple(dict.fromkeys(_tags(replace(converted, parts=parts), by_name)))
    return replace(converted, parts=(*((Line(tree.Tag(tags)),) if tags else ()), *parts))


def _signature(case: Case, by_name: Mapping[str, Signature | None]) -> Signature | None:
    """What is known of the optimizer that a case's parameters go to."""
    for option in case.options:
        if option.key == "optimizer" and isinstance(option.value, tree.Word):
            return by_name.get(option.value.name)
    return next(iter(by_name.values()))


def _read(case: Case, by_name: Mapping[str, Signature | None]) -> Case:
    known = _signature(case, by_name)
    if known is None:
        return case
    dead = [o.key for o in case.options if o.key in _ANY and o.key not in (*known.options, *_OURS)]
    if not dead:
        return case
    words = ", ".join(f"`{key}`" for key in dead)
    said = note(f"left out: {words}, which {known.known} does not read")
    options = tuple(option for option in case.options if option.key not in dead)
    return replace(case, options=options).remarked(said)


def _tags(converted: Converted, by_name: Mapping[str, Signature | None]) -> Iterator[str]:
    for part in converted.parts:
        for case in part.cases if isinstance(part, Table) else ():
            if _signature(case, by_name) is not None:
                yield from (o.key for o in case.options if o.key not in (*_ANY, *_OURS))
