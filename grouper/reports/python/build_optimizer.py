"""Code that builds the declared optimizers."""

from __future__ import annotations

from itertools import count
from keyword import iskeyword

from grouper.language.ruleset import Optimizer
from grouper.reports.python.layout import Brackets, called, lines, literal, mapped, quoted
from grouper.reports.python.templates import OWN

ONE = '''\
def build_optimizer(model: nn.Module) -> torch.optim.Optimizer:
    """Builds the optimizer with its groups. Raises ValueError like `param_groups`."""
'''
SEVERAL = '''\
def build_optimizer(model: nn.Module) -> dict[str, torch.optim.Optimizer]:
    """Builds the optimizers, by name. Raises ValueError like `param_groups`.

    torch has no optimizer that combines others: step, zero, save and load each of them.
    """
'''
SHARED_OUT = """\
    groups: dict[str, list[dict[str, Any]]] = {}
    for group, entry in zip(GROUPS.values(), param_groups(model), strict=True):
        groups.setdefault(group["optimizer"], []).append(entry)
"""

# Names that the code around the class uses.
RESERVED = frozenset({"Any", "GROUPS", "entry", "group", "groups", "model", "nn", "torch", "zip"})
RESERVED |= {"param_groups", "without_its_own"}


def build_source(optimizers: list[Optimizer]) -> str:
    """The source of `build_optimizer`. Raises ValueError if a name cannot be written in Python."""
    imports, classes = _classes(optimizers)
    if len(optimizers) == 1:
        build = _call("return ", classes[0], optimizers[0], "param_groups(model)")
        return _with_own(ONE + "\n".join([*imports, *lines(build, 1)]), imports)
    items = []
    for optimizer, cls in zip(optimizers, classes, strict=True):
        name = quoted(optimizer.key)
        items.append(_call(f"{name}: ", cls, optimizer, f"groups[{name}]"))
    body = [*imports, SHARED_OUT.rstrip(), *lines(mapped("return ", items, True), 1)]
    return _with_own(SEVERAL + "\n".join(body), imports)


def _with_own(source: str, imports: list[str]) -> str:
    """Adds `without_its_own` if there are optimizers from outside torch: only torch's own have all
    of their options in their groups."""
    return f"{source}\n\n\n{OWN.rstrip()}" if imports else source


def _classes(optimizers: list[Optimizer]) -> tuple[list[str], list[str]]:
    """The import lines, and for each optimizer the name of its class after them."""
    imports: dict[tuple[str, str], str] = {}
    classes = []
    for optimizer in optimizers:
        module, _, path = optimizer.name.rpartition(":")
        if not all(map(_plain, [*module.split("."), *path.split(".")] if module else [path])):
            raise ValueError(
                f"the optimizer `{optimizer.name}` cannot be emitted: its name is not valid Python"
            )
        if not module:
            classes.append(f"torch.optim.{path}")
            continue
        first, dot, rest = path.partition(".")
        others = {name for known, name in imports.items() if known != (module, first)}
        number = next(n for n in count(1) if f"{first}{_suffix(n)}" not in RESERVED | others)
        name = imports.setdefault((module, first), f"{first}{_suffix(number)}")
        classes.append(f"{name}{dot}{rest}")
    statements = [
        f"    from {module} import {first}" + (f" as {name}" if name != first else "")
        for (module, first), name in sorted(imports.items())
    ]
    return [*statements, ""] if statements else [], classes


def _suffix(number: int) -> str:
    return f"_{number}" if number > 1 else ""


def _plain(part: str) -> bool:
    return part.isidentifier() and not iskeyword(part)


def _call(before: str, cls: str, optimizer: Optimizer, groups: str) -> Brackets:
    plain = {key: value for key, value in optimizer.options.items() if _plain(key)}
    others = {key: value for key, value in optimizer.options.items() if key not in plain}
    arguments = [groups, *(f"{key}={literal(value)}" for key, value in plain.items())]
    if others:
        items = ", ".join(f"{quoted(key)}: {literal(value)}" for key, value in others.items())
        arguments.append(f"**{{{items}}}")
    if ":" not in optimizer.name:
        return called(f"{before}{cls}", arguments)
    options = mapped("", map(quoted, optimizer.options)) if optimizer.options else "set()"
    return called(f"{before}without_its_own", [called(cls, arguments), options])
