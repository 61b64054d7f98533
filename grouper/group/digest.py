"""Groups in values that JSON holds, and a digest of them that is the same wherever they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grouper.group.grouping import Grouping


def grouping_terms(grouping: Grouping) -> dict[str, Any]:
    """The groups: names, optimizer, options, plan keys and parameters, in order; and the frozen."""
    groups = [
        {
            "name": group.name,
            "optimizer": group.optimizer,
            "options": plain(group.options),
            "plan": plain(group.plan),
            "parameters": [parameter.name for parameter in group.parameters],
        }
        for group in grouping.groups
    ]
    return {"groups": groups, "frozen": [parameter.name for parameter in grouping.frozen]}


def plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as JSON has them, where 1 and 1.0 are one value, as they are in rules."""
    return {key: _plain(value) for key, value in options.items()}


def digest_of(terms: Mapping[str, Any]) -> str:
    """SHA-256 of the terms, in hexadecimal; numbers count to the last bit."""
    text = json.dumps(terms, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
