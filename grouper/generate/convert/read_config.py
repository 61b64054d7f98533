"""A configuration file as data: JSON, TOML, YAML, or Python that is read and never run."""

from __future__ import annotations

import json
import os
import tomllib
from typing import Any

from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.interpolate import interpolated
from grouper.generate.convert.merge import merged
from grouper.generate.convert.read_python import read_python
from grouper.generate.convert.read_yaml import read_yaml

_BASES = ("_base_", "_BASE_")  # mmengine, detectron2
_DEEPEST = 20
_MOST_BYTES = 4_000_000
_MOST_VALUES = 200_000


def read_config(path: str) -> tuple[Any, tuple[str, ...]]:
    """The data of a file, with what it inherits from files beside it, and remarks on the others.

    Raises ConvertError where it cannot be read, and OSError where it cannot be opened.
    """
    return _with_bases(path, ())


def _with_bases(path: str, above: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
    if os.path.realpath(path) in above or len(above) > _DEEPEST:
        raise ConvertError(f"`{path}` inherits from itself")
    data = _parsed(path)
    if not isinstance(data, dict):
        return data, ()
    bases = next((data.pop(key) for key in _BASES if key in data), None)
    names = [bases] if isinstance(bases, str) else bases if isinstance(bases, list | tuple) else []
    whole: dict[str, Any] = {}
    remarks: list[str] = []
    for name in names:
        beside = os.path.join(os.path.dirname(path), str(name))
        if os.path.isabs(str(name)) or not os.path.isfile(beside):
            remarks.append(
                f"what it inherits from `{name}` is not read, since there is no such file below or"
                " beside it: convert a file that has all of it, such as the system's own dump"
            )
            continue
        inherited, more = _with_bases(beside, (*above, os.path.realpath(path)))
        whole = merged(whole, inherited if isinstance(inherited, dict) else {})
        remarks += more
    return interpolated(merged(whole, data)), tuple(remarks)


def _parsed(path: str) -> Any:
    data = _data(path)
    stack, count = [data], 0
    while stack:  # what refers to itself, or to others many times over, has no end
        value, count = stack.pop(), count + 1
        if count > _MOST_VALUES:
            raise ConvertError(f"`{path}` unfolds to more than {_MOST_VALUES:,} values")
        if isinstance(value, dict):
            stack += value.values()
        elif isinstance(value, list | tuple):
            stack += value
    return data


def _data(path: str) -> Any:
    with open(path, "rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ConvertError(f"`{path}` has more than {_MOST_BYTES:,} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConvertError(f"`{path}` is not UTF-8; save it as UTF-8") from None
    ending = os.path.splitext(path)[1].lower()
    if ending == ".py":
        return read_python(text, path)
    if ending == ".toml":
        return _toml(text, path)
    if ending in (".json", ".jsonnet"):
        return _json(text, path)
    if ending in (".yaml", ".yml"):
        return read_yaml(text, path)
    raise ConvertError(
        f"`{path}` ends in none of .yaml, .yml, .json, .toml and .py: name it by what it holds"
    )


def _json(text: str, path: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        hint = "; jsonnet is code: give its JSON" if path.endswith(".jsonnet") else ""
        raise ConvertError(
            f"`{path}` is not JSON: line {error.lineno}, column {error.colno}: {error.msg}{hint}"
        ) from None
    except RecursionError:
        raise ConvertError(f"`{path}` is nested too deeply") from None


def _toml(text: str, path: str) -> Any:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConvertError(f"`{path}` is not TOML: {error}") from None
