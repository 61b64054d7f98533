"""The parse table as a file that depends on the grammar and on Lark's version alone.

Lark numbers its states as sets give them, which differ from one process to the next.
"""

from __future__ import annotations

import io
import marshal
import pickle
import sys
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from grouper.language.syntax.grammar import build, fitting

Actions: TypeAlias = Mapping[str, tuple[int, Any]]  # token -> (_SHIFT, state) or (1, rule)
_SHIFT = 0


def write_table(path: Path, grammar: str) -> None:
    """Leave the parse table beside the grammar, for `parser` to find (done when building)."""
    saved = io.BytesIO()
    build(grammar).save(saved)
    table = pickle.loads(saved.getvalue())
    frontend = table["data"]["parser"]
    frontend["parser"] = _renumbered(frontend["parser"])
    # The version that every Python reads; without references, which depend on identity.
    path.write_bytes(fitting(grammar) + marshal.dumps(_rebuilt(table), 2))


def _renumbered(table: dict[str, Any]) -> dict[str, Any]:
    """The table with its tokens sorted, and its states in the order in which they are reached."""
    names = table["tokens"]
    tokens = {name: number for number, name in enumerate(sorted(names.values()))}
    states: dict[int, Actions] = {
        state: {names[token]: action for token, action in actions.items()}
        for state, actions in table["states"].items()
    }
    order = _reached(states, sorted(table["start_states"].items()))
    number = {state: place for place, state in enumerate(order)}
    return {
        **table,
        "tokens": {place: name for name, place in tokens.items()},
        "states": {
            number[state]: {
                tokens[name]: (kind, number[to] if kind == _SHIFT else to)
                for name, (kind, to) in sorted(states[state].items(), key=lambda item: item[0])
            }
            for state in order
        },
        **{
            key: {start: number[state] for start, state in sorted(table[key].items())}
            for key in ("start_states", "end_states")
        },
    }


def _reached(states: Mapping[int, Actions], starts: list[tuple[str, int]]) -> list[int]:
    """All states, breadth first from the starts, by the names of tokens."""
    seen = dict.fromkeys(state for _, state in starts)
    pending = deque(seen)
    while pending:
        actions = states[pending.popleft()]
        for _, (kind, to) in sorted(actions.items(), key=lambda item: item[0]):
            if kind == _SHIFT and to not in seen:
                seen[to] = None
                pending.append(to)
    return list(seen)


def _rebuilt(value: Any) -> Any:
    """An equal value in which equal texts are one object, and are so again where it is read."""
    if isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, dict):
        return {_rebuilt(key): _rebuilt(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_rebuilt(item) for item in value)
    return value
