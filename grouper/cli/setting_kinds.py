"""The keys of `[tool.grouper]` and their allowed values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from grouper.text.similar import near

TABLE = "tool.grouper"


def checked_table(table: Any) -> None:
    """Raises ValueError, naming the key, for an unknown key or an invalid value."""
    _check(TABLE, table, PROJECT)
    for path, file in table.get("files", {}).items():
        _check(f'{TABLE}.files."{path}"', file, RULES_FILE)


def _check(name: str, table: Any, kinds: Mapping[str, tuple[str, Callable[[Any], bool]]]) -> None:
    if not isinstance(table, dict):
        raise ValueError(f"`{name}` must be a table, not {_shown(table)}")
    for key, value in table.items():
        if key not in kinds:
            similar = near(key, kinds)
            keys = ", ".join(f"`{kind}`" for kind in kinds)
            hint = f"did you mean `{similar[0]}`?" if similar else f"its keys are {keys}"
            raise ValueError(f"[{name}] has no key `{key}`; {hint}")
        expected, fits = kinds[key]
        if not fits(value):
            raise ValueError(f"`{key}` of [{name}] must be {expected}, not {_shown(value)}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_value(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_value, value))
    return isinstance(value, bool | int | float | str)


def _are_variables(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_value, value.values()))


_CODES = ('a list of codes, as in ["GR101"]', _is_texts)
PROJECT = {
    "select": _CODES,
    "ignore": _CODES,
    "strict": ("true or false", lambda value: isinstance(value, bool)),
    "files": ("a table of rules files", lambda value: isinstance(value, dict)),
}
RULES_FILE = {
    "model": ("a path, or a list of paths", lambda value: _is_text(value) or _is_texts(value)),
    "key": ("the path of a model inside a checkpoint", _is_text),
    "set": ("a table of numbers, strings and booleans", _are_variables),
}
