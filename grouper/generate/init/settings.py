"""The settings of an optimizer's groups: what all have in common, and where they differ."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from grouper.group.optimizer_groups import OptimizerGroup, OptimizerGroups
from grouper.language.ruleset import literal
from grouper.language.syntax import tree
from grouper.language.syntax.keywords import KEYWORDS
from grouper.options.plan_keys import PLAN_KEYS
from grouper.options.signatures import Signature, signature, torch_signatures
from grouper.options.values import Value, same
from grouper.text.dataclass import dataclass
from grouper.text.printable import quoted_list

# What torch's schedulers keep in groups, beside `initial_lr`; a new run's scheduler writes its own.
_OF_SCHEDULERS = ("max_lr", "min_lr", "base_momentum", "max_momentum", "swa_lr", "initial_lr")
GUESSED = (
    "The optimizer has not made a step, and has neither names nor shapes: which group has which"
    " parameters is a guess by their numbers alone. Look at it before you use it."
)
_NAMES = ("name", "group_name")  # of a group, for whoever reads it; a label of the rules
_RESERVED = ("optimizer", "freeze", "params", "param_names", *PLAN_KEYS)
_LONG = 1e6  # integers from here on are written as they are


@dataclass(frozen=True)
class GroupToWrite:
    """A group that rules are to give: the options that part it from others, and its parameters.

    `options` are all that it has. `given` is what the optimizer itself calls it.
    """

    own: Mapping[str, Value]
    options: Mapping[str, Value]
    parameters: tuple[str, ...]
    optimizer: str | None = None
    given: str | None = None


@dataclass(frozen=True)
class Settings:
    """The groups, the statements that go before the rules, and remarks for people."""

    groups: tuple[GroupToWrite, ...]
    statements: tuple[tree.Statement, ...]
    remarks: tuple[str, ...]


def settings_of(optimizers: Sequence[OptimizerGroups]) -> Settings:
    """The settings of the groups of one optimizer, or of several at once."""
    groups: list[GroupToWrite] = []
    statements: list[tree.Statement] = []
    remarks: list[str] = []
    tags: list[str] = []
    common: list[tree.Option] = []
    aliases = _aliases(optimizers)
    for read, alias in zip(optimizers, aliases, strict=True):
        known = signature(read.optimizer) if read.optimizer else None
        filled = [group for group in read.groups if group.parameters]
        options = [_options(group, known, remarks) for group in filled]
        shared = _shared(options)
        in_statement = _of_constructor(read, known, shared)
        if read.optimizer is not None:
            given = {k: v for k, v in in_statement.items() if not _is_default(known, k, v)}
            statements.append(tree.Optimizer(read.optimizer, alias, written(given)))
        rest = {key: value for key, value in shared.items() if key not in in_statement}
        common += [o for o in written(rest) if o.key not in {c.key for c in common}]
        in_rules = [{k: v for k, v in o.items() if k not in in_statement} for o in options]
        tags += _tags(known, in_rules)
        parting = {"optimizer": alias} if alias else {}
        for group, all_options in zip(filled, options, strict=True):
            own = {k: v for k, v in all_options.items() if k not in shared} | parting
            key = alias or read.optimizer
            groups.append(GroupToWrite(own, all_options, group.parameters, key, _given(group)))
    statements = [*([tree.Tag(tuple(dict.fromkeys(tags)))] if tags else []), *statements]
    if common:
        everything = tree.Glob((tree.Star(),))
        statements.append(tree.Rule(everything, None, tuple(common)))
    remarks += _unwritten(optimizers)
    return Settings(tuple(groups), tuple(statements), tuple(dict.fromkeys(remarks)))


def written(options: Mapping[str, Value]) -> tuple[tree.Option, ...]:
    """Options as rules write them."""
    return tuple(tree.Option(key, "=", literal(short(value))) for key, value in options.items())


def short(value: Value) -> Value:
    """`0` for `0.0`: to rules they are one number."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < _LONG
    return int(value) if isinstance(value, float) and whole else value


def _aliases(optimizers: Sequence[OptimizerGroups]) -> list[str | None]:
    if len(optimizers) == 1:
        return [None]
    names = [(read.optimizer or "optimizer").rpartition(":")[2].lower() for read in optimizers]
    return [f"{name}{names[:i].count(name) + 1}" if names.count(name) > 1 else name
            for i, name in enumerate(names)]  # fmt: skip


def _options(
    group: OptimizerGroup, known: Signature | None, remarks: list[str]
) -> Mapping[str, Value]:
    """The options that rules can give a group. Its lr is the one that schedules begin with."""
    found = dict(group.options)
    if "initial_lr" in found:
        if not same(found["initial_lr"], found.get("lr")):
            remarks.append(
                "A scheduler had moved the lr of these groups. The rules have what it began with,"
                " their `initial_lr`."
            )
        found["lr"] = found["initial_lr"]
    dropped = [k for k, v in found.items() if k in _RESERVED or not _writable(k, v)]
    if dropped:
        remarks.append(f"The groups have keys that rules cannot set: {quoted_list(dropped)}.")
    fixed = set(known.group or ()) - set(known.constructor) if known is not None else set()
    leave = {*dropped, *_OF_SCHEDULERS, *_NAMES, *fixed}
    return {key: value for key, value in found.items() if key not in leave}


def _writable(key: str, value: Value) -> bool:
    if not (key.isidentifier() and key.isascii()) or key in KEYWORDS:
        return False
    if isinstance(value, tuple):
        return all(_writable(key, item) for item in value)
    return not isinstance(value, float) or math.isfinite(value)


def _shared(options: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """The options that all groups have, with one value."""
    if not options:
        return {}
    first, *others = options
    return {
        key: value
        for key, value in first.items()
        if all(key in other and same(other[key], value) for other in others)
    }


def _of_constructor(
    read: OptimizerGroups, known: Signature | None, shared: Mapping[str, Value]
) -> Mapping[str, Value]:
    """The shared options that an `optimizer` statement takes: what the constructor does."""
    if read.optimizer is None:
        return {}
    takes = known.constructor if known is not None else tuple(read.defaults)
    return {key: value for key, value in shared.items() if key in takes}


def _is_default(known: Signature | None, key: str, value: Value) -> bool:
    return key != "lr" and known is not None and same(known.defaults.get(key, ...), value)  # type: ignore[arg-type]


def _tags(known: Signature | None, options: Iterable[Mapping[str, Value]]) -> list[str]:
    """Keys that torch's class does not read, and for a class of another package those that none of
    torch's does: a tag is right whoever reads it."""
    if known is not None:
        own = set(known.options) if known.group is not None else None
    else:
        own = {key for each in torch_signatures().values() for key in each.options}
    return [key for each in options for key in each if own is not None and key not in own]


def _given(group: OptimizerGroup) -> str | None:
    """What a group is called by whoever made it."""
    for key in (*_NAMES, "param_group"):
        value = group.options.get(key)
        if isinstance(value, str) and value:
            return value
    return None


def _unwritten(optimizers: Sequence[OptimizerGroups]) -> Iterable[str]:
    """Remarks on what the groups themselves do not say, and on what rules do not reproduce."""
    if any(read.optimizer is None for read in optimizers):
        yield (
            "The checkpoint does not say of which class its optimizer is: add an `optimizer`"
            " statement."
        )
    if any(read.guessed for read in optimizers):
        yield GUESSED
    elif not all(read.named for read in optimizers):
        yield (
            "The optimizer has no names of parameters: they were found by the order and the shapes"
            " of its tensors."
        )
    strays = sum(len(group.strays) for read in optimizers for group in read.groups)
    if strays:
        yield f"Tensors of the optimizer that the model does not have are left out: {strays}."
    if any(":" in (read.optimizer or "") for read in optimizers):
        yield (
            "What the optimizer's class keeps for itself, outside of its groups, is not here: see"
            " the arguments with which it is constructed."
        )
    if any("lr_scale" in group.options for read in optimizers for group in read.groups):
        yield (
            "`lr_scale` is multiplied by timm's schedulers; for a schedule of grouper's write"
            " `lr*=` in its place."
        )
