"""Patterns that take some parameters of a model and no others."""

from __future__ import annotations

from collections.abc import Iterable

from grouper.checks.context import Context
from grouper.checks.trained import Trained


def covering_paths(context: Context, members: Iterable[Trained]) -> tuple[str, ...]:
    """Few patterns for the parameters: a module's path with `.*` where all that it holds is among
    them, else a name. In the model's order."""
    wanted = {name for one in members for name in one.parameter.names}
    others = [name for name in context.inventory.by_name if name not in wanted]
    taken = {name[:at] for name in others for at, sign in enumerate(name) if sign == "."}
    patterns: dict[str, None] = {}
    for name in context.inventory.by_name:
        if name in wanted:
            parts = name.split(".")
            paths = (".".join(parts[:end]) for end in range(1, len(parts)))
            whole = next((path for path in paths if path not in taken), None)
            patterns[f"{whole}.*" if whole is not None else name] = None
    return tuple(patterns)
