"""YAML as data, by PyYAML; numbers as YAML 1.2 has them, so that `1e-4` is one."""

from __future__ import annotations

import re
from typing import Any

from grouper.generate.convert.errors import ConvertError

_FLOAT = re.compile(r"[-+]?([0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)[eE][-+]?[0-9]+$")


def read_yaml(text: str, path: str) -> Any:
    """The first document. Raises ConvertError for what is no YAML, and where PyYAML is missing."""
    try:
        import yaml
    except ImportError:
        raise ConvertError(f"`{path}` is YAML, which needs PyYAML: `pip install pyyaml`") from None

    loader = _loader(yaml)
    try:
        return next(iter(yaml.load_all(text, loader)), None)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConvertError(f"`{path}` is not YAML: {where}{error.problem}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConvertError(f"`{path}` is not YAML: {error}") from None


def _loader(yaml: Any) -> Any:
    """PyYAML's safe one, which builds nothing but data, with tables of its own."""
    own = {c: list(found) for c, found in yaml.SafeLoader.yaml_implicit_resolvers.items()}
    loader: Any = type("Loader", (yaml.SafeLoader,), {"yaml_implicit_resolvers": own})
    loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))
    loader.add_multi_constructor("", _as_data)
    return loader


def _as_data(loader: Any, _: str, node: Any) -> Any:
    """Tags of a program's own (`!ENV`, `!!python/tuple`) as the plain data that they mark."""
    if node.id == "mapping":
        return loader.construct_mapping(node, deep=True)
    if node.id == "sequence":
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)
