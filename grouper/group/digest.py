"""Groups as values that JSON holds, and their digest: the same on every rank and machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grouper.group.group import Group
from grouper.model.inventory import Parameter
from grouper.options.values import Configured


def group_terms(groups: Iterable[Group], frozen: Iterable[Parameter]) -> dict[str, Any]:
    """Names, optimizer, options, plan keys and parameters of groups, in order; and the frozen."""
    terms = [
        {
            "name": group.name,
            "optimizer": group.optimizer,
            "options": plain(group.options),
            "plan": plain(group.plan),
            "parameters": [parameter.name for parameter in group.parameters],
        }
        for group in groups
    ]
    return {"groups": terms, "frozen": [parameter.name for parameter in frozen]}


def plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as JSON has them, where 1 and 1.0 are one value, as they are in rules."""
    return {key: _plain(value) for key, value in options.items()}


def digest_of(terms: Mapping[str, Any]) -> str:
    """SHA-256 of the terms, in hexadecimal; numbers count to the last bit."""
    import hashlib
    import json

    text = json.dumps(terms, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Configured):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
