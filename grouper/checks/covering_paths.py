"""Finds patterns that match given parameters of a model and no others."""

from __future__ import annotations

from collections.abc import Iterable

from grouper.checks.context import Context
from grouper.checks.trained import Trained


def covering_paths(context: Context, members: Iterable[Trained]) -> tuple[str, ...]:
    """Few patterns for the parameters, in the model's order: a module's path with `.*` if all its
    parameters are among them, otherwise the parameter's name."""
    names = {name for one in members for name in one.parameter.names}
    others = [name for name in context.inventory.by_name if name not in names]
    prefixes = {name[:at] for name in others for at, sign in enumerate(name) if sign == "."}
    patterns: dict[str, None] = {}
    for name in context.inventory.by_name:
        if name in names:
            parts = name.split(".")
            paths = (".".join(parts[:end]) for end in range(1, len(parts)))
            whole = next((path for path in paths if path not in prefixes), None)
            patterns[f"{whole}.*" if whole is not None else name] = None
    return tuple(patterns)
