"""A part of a configuration, with the path that leads to it, so that every error has a place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from grouper.generate.convert.errors import ConvertError
from grouper.text.dataclass import dataclass
from grouper.text.similar import did_you_mean

TARGET = "_target_"  # the class of a value that a configuration builds, as hydra writes it
UNNAMED = "_args_"  # and the arguments that it is given without a name


@dataclass(frozen=True)
class Opaque:
    """A value that a configuration computes: it is not run, so nothing is known of it."""

    text: str
    line: int
    branch: bool = False  # whether it is set in a branch or a loop, be it a literal there

    def __str__(self) -> str:
        return self.text

    @property
    def why(self) -> str:
        """What it is, and what can be done."""
        if self.branch:
            return f"is set in a branch (line {self.line}), and none is followed: set it outside"
        return (
            f"is `{self.text}` (line {self.line}): the file is read and not run, so write a literal"
        )


@dataclass(frozen=True)
class Section:
    """A mapping of the configuration. Every getter raises ConvertError for a value of another kind;
    `None` stands for a missing one."""

    values: dict[str, Any]
    path: str = ""

    @classmethod
    def of(cls, config: Any) -> Section:
        """The whole configuration, where it is a mapping."""
        if not isinstance(config, dict):
            raise ConvertError("it holds no names with values")
        return cls(config)

    def place(self, key: object) -> str:
        return f"{self.path}.{key}" if self.path else str(key)

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def raw(self, key: str) -> Any:
        """The value, if the configuration shows it."""
        return self._shown(self.values.get(key), key)

    def section(self, key: str) -> Section | None:
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._not(key, value, "a mapping")
        return Section(value, self.place(key))

    def needed(self, key: str) -> Section:
        found = self.section(key)
        if found is None:
            raise ConvertError(f"`{self.place(key)}` is missing")
        return found

    def number(self, key: str) -> float | None:
        value = self.raw(key)
        if value is None:
            return None
        if isinstance(value, str):
            value = _number(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._not(key, self.values[key], "a number")
        return value

    def text(self, key: str) -> str | None:
        value = self.raw(key)
        if value is not None and not isinstance(value, str):
            raise self._not(key, value, "a text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A text, or a list of texts."""
        value = self.raw(key)
        items = [value] if isinstance(value, str) else value
        if items is None:
            return ()
        if not isinstance(items, list | tuple) or not all(isinstance(i, str) for i in items):
            raise self._not(key, value, "a text or a list of texts")
        return tuple(items)

    def sections(self, key: str) -> tuple[Section, ...]:
        """A list of mappings."""
        value = self.raw(key)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            raise self._not(key, value, "a list")
        for index, item in enumerate(value):
            if not isinstance(self._shown(item, f"{key}[{index}]"), dict):
                raise self._not(f"{key}[{index}]", item, "a mapping")
        return tuple(Section(v, f"{self.place(key)}[{i}]") for i, v in enumerate(value))

    def without(self, *keys: str) -> dict[str, Any]:
        """The other values, as they are."""
        return {
            key: self._shown(value, key) for key, value in self.values.items() if key not in keys
        }

    def _shown(self, value: Any, key: object) -> Any:
        if isinstance(value, Opaque):
            raise ConvertError(f"`{self.place(key)}` {value.why}")
        return value

    def _not(self, key: object, value: Any, expected: str) -> ConvertError:
        return ConvertError(f"`{self.place(key)}` is `{value}` and not {expected}")


def _number(text: str) -> float | str:
    """`1e-4`, which YAML takes for a text."""
    try:
        return float(text)
    except ValueError:
        return text


def the_one(config: Any, wanted: Callable[[Section], bool], what: str) -> Section:
    """The mapping of the configuration that is wanted. Raises ConvertError where there is none, or
    where there are several that differ."""
    found: list[Section] = []
    for section in all_sections(config):
        if wanted(section) and all(section.values != other.values for other in found):
            found.append(section)
    if not found:
        raise ConvertError(f"there is no {what} in it")
    if len(found) > 1:
        paths = ", ".join(f"`{section.path}`" for section in found[:8])
        raise ConvertError(f"there are several with {what} in it ({paths}): name one with --at")
    return found[0]


def part_at(config: Any, path: str) -> Any:
    """The mapping at a path as `the_one` names it. Raises ConvertError where there is none."""
    paths: list[str] = []
    for section in all_sections(config):
        if section.path == path:
            return section.values
        paths.append(section.path)
    hint = did_you_mean(path, paths)
    raise ConvertError(f"it has no part `{path}`" + (f"; {hint}" if hint else ""))


def all_sections(value: Any, path: str = "") -> Iterator[Section]:
    """Every mapping of a configuration, outer ones first."""
    if isinstance(value, dict):
        yield Section(value, path)
        for key, inner in value.items():
            yield from all_sections(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from all_sections(inner, f"{path}[{index}]")
