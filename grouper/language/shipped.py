"""Finds `grammars/` and `rules/`: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


@cache
def _folder(name: str) -> Path:
    """A wheel carries the folder as `grouper/_shipped/NAME`; a checkout has it at the top."""
    shipped = _PACKAGE / "_shipped" / name
    return shipped if shipped.is_dir() else _PACKAGE.parent / name


def grammar_path() -> Path:
    return _folder("grammars") / "rules.lark"


def table_path() -> Path:
    """The parse table that building the package leaves beside the grammar; it may be missing."""
    return _folder("grammars") / "rules.table"


def shipped_rules() -> dict[str, Path]:
    """Shipped rules files by name, with and without their ending, in order."""
    files = sorted(_folder("rules").glob("*.rules"))
    return {name: path for path in files for name in (path.stem, path.name)}


def title_of(path: str) -> str:
    """A rules file's path as people call it: the name of a shipped file, any other path whole."""
    shipped = shipped_rules().get(Path(path).name)
    return Path(path).name if shipped and str(shipped) == path else path
