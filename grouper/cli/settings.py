"""`[tool.grouper]` of a project's `pyproject.toml`: defaults for flags and for rules files.

    [tool.grouper]
    select = ["GR1"]
    ignore = ["GR104"]
    strict = true

    [tool.grouper.files."rules/detector.rules"]
    model = "snapshots/detector.json"
    key = "ema"
    set = { base = 0.02 }

Paths are relative to the folder of the pyproject.toml. The nearest pyproject.toml above the rules
that has the table applies.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grouper.cli.exit import Failure
from grouper.language.shipped import shipped_rules
from grouper.options.values import Value, with_tuples
from grouper.text.dataclass import dataclass, field

FILE = "pyproject.toml"
_CODE = r"[\w.]{2,}:"  # `timm:resnet18`, `pkg.module:factory`; `C:` is a drive


@dataclass(frozen=True)
class FileSettings:
    """The project's settings for one rules file. `models` are paths from the working directory."""

    models: tuple[str, ...] = ()
    key: str | None = None
    variables: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """The defaults of a project. `folder` is the folder of its pyproject.toml, or None without one;
    `files` maps paths or patterns of rules files to their tables."""

    folder: Path | None = None
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    strict: bool = False
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, rules: str) -> FileSettings:
        """The settings of a rules file. Where several patterns match, later ones override."""
        if self.folder is None:
            return FileSettings()
        from fnmatch import fnmatchcase

        merged: dict[str, Any] = {}
        for pattern, table in self.files.items():
            if fnmatchcase(self._name(rules), pattern):
                merged |= table
        models = merged.get("model", ())
        return FileSettings(
            tuple(map(self._path, [models] if isinstance(models, str) else models)),
            merged.get("key"),
            {name: with_tuples(value) for name, value in merged.get("set", {}).items()},
        )

    def _name(self, rules: str) -> str:
        """The path relative to the project's folder, with slashes; a shipped name is unchanged."""
        if not os.path.exists(rules) or self.folder is None:
            return rules
        return Path(os.path.relpath(rules, self.folder)).as_posix()

    def _path(self, model: str) -> str:
        if self.folder is None or re.match(_CODE, model):
            return model
        return os.path.relpath(self.folder / model)


def settings_for(rules: str | None = None) -> Settings:
    """The settings for a rules file; without one, or if it is not a file, for the working
    directory. Raises Failure if a pyproject.toml cannot be read or has invalid settings."""
    for path in files_above(rules):
        table = _table(path)
        if table is not None:
            return _settings(path, table)
    return Settings()


def files_above(rules: str | None = None) -> Iterator[Path]:
    """Every pyproject.toml that may have settings for a rules file, nearest first."""
    folder = Path(rules).parent if rules is not None and os.path.isfile(rules) else Path()
    here = Path(os.path.abspath(folder))  # links are not followed: a project may link to rules
    for above in (here, *here.parents):
        if (above / FILE).is_file():
            yield above / FILE


def _table(path: Path) -> Any:
    """The table of a file, or None if it has none."""
    label = os.path.relpath(path)
    try:
        content = path.read_bytes()
        if b"grouper" not in content:
            return None
        import tomllib  # slow, and few projects have the table

        tools = tomllib.loads(content.decode("utf-8")).get("tool", {})
    except OSError as error:
        raise Failure(f"`{label}` cannot be read: {error.strerror}") from None
    except ValueError as error:  # bad TOML, or not UTF-8
        raise Failure(f"`{label}` is not TOML: {error}") from None
    return tools.get("grouper") if isinstance(tools, dict) else None


def _settings(path: Path, table: Any) -> Settings:
    from grouper.cli.setting_kinds import TABLE, checked_table

    label = os.path.relpath(path)
    try:
        checked_table(table)
    except ValueError as error:
        raise Failure(f"`{label}`: {error}") from None
    files = table.get("files", {})
    for pattern in files:
        if not (
            _is_pattern(pattern) or pattern in shipped_rules() or (path.parent / pattern).exists()
        ):
            raise Failure(
                f"`{label}`: [{TABLE}.files] names `{pattern}`, but there is no such file"
            )
    select = table.get("select")
    return Settings(
        path.parent,
        tuple(select) if select is not None else None,
        tuple(table.get("ignore", ())),
        table.get("strict", False),
        files,
    )


def _is_pattern(path: str) -> bool:
    return any(sign in path for sign in "*?[")
