"""A symbolic pickle machine: describes what a pickle would build, without building it.

Nothing is imported, called or hashed. A global is its name, a call is the global with its
arguments, a dict is a list of pairs. Values are compared by identity only, so that the file's
content never runs even Python's own code (a tuple nested a million levels deep as a dict key
crashes the standard unpickler).
"""

from __future__ import annotations

import struct
from itertools import repeat
from operator import length_hint
from typing import Any

from grouper.model import codes
from grouper.model.errors import ModelError
from grouper.model.files.file import Buffer, BytesSource
from grouper.model.pickle.opcodes import TABLE
from grouper.model.pickle.state import Limits, Machine
from grouper.model.pickle.values import (
    Call,
    Dict,
    Global,
    Opaque,
    PickleError,
    Reference,
    Sequence,
)
from grouper.text.collector import collector_off

__all__ = [
    "Call",
    "Dict",
    "Global",
    "Limits",
    "Opaque",
    "PickleError",
    "Reference",
    "Sequence",
    "described",
    "run",
]
_FAULTS = (IndexError, struct.error, UnicodeDecodeError, ValueError, OverflowError)


def described(source: BytesSource, start: int = 0, limits: Limits | None = None) -> tuple[Any, int]:
    """Like `run`, but raises ModelError with a finding for users."""
    try:
        return run(source, start, limits)
    except PickleError as error:
        code = codes.OVER_LIMIT if error.over_limit else codes.BROKEN
        help = None if error.over_limit else "download or copy the file again"
        message = f"the pickle in `{source.path}` cannot be read: {error}"
        raise ModelError(code, message, help) from None


def run(
    source: BytesSource | bytes, start: int = 0, limits: Limits | None = None
) -> tuple[Any, int]:
    """The value that a pickle describes, and the offset after it. Raises PickleError.

    What it uses is subtracted from `limits`, which can be passed on to the model's next pickle.
    Long bytes in the stream are skipped without being read.
    """
    if isinstance(source, bytes):
        source = Buffer(source)
    try:
        with collector_off():
            return _run(Machine(source, start, limits or Limits()))
    except _FAULTS:
        raise PickleError("it is cut short or damaged") from None


def _run(machine: Machine) -> tuple[Any, int]:
    """The loop. Frequent opcodes are handled inline: calling functions would double the time."""
    stack, outer, memo = machine.stack, machine.outer, machine.memo
    data, at, safe = machine.window, machine.at, machine.safe
    room, unsigned = machine.room, struct.Struct("<I").unpack_from
    value: Any
    steps = repeat(None, machine.limits.opcodes)
    for _ in steps:
        if at > safe:
            machine.at, machine.room = at, room
            machine.refill()
            data, at, safe = machine.window, machine.at, machine.safe
        code = data[at]
        at += 1
        if code == 0x68 and data[at] < len(memo):  # BINGET
            stack.append(memo[data[at]])
            at += 1
        elif code == 0x72 and unsigned(data, at)[0] == len(memo) and not machine.sparse:
            memo.append(stack[-1])  # LONG_BINPUT
            at += 4
        elif code == 0x52 or code == 0x81:  # REDUCE, NEWOBJ
            value = stack.pop()
            stack[-1] = Call(stack[-1], value)
            room -= 96
        elif code == 0x29:  # EMPTY_TUPLE
            stack.append(())
        elif code == 0x4B:  # BININT1
            stack.append(data[at])
            at += 1
        elif code == 0x28:  # MARK
            machine.mark()
            stack = machine.stack
        elif code == 0x94 and not machine.sparse:  # MEMOIZE
            memo.append(stack[-1])
        elif code == 0x74:  # TUPLE
            value = tuple(stack)
            stack = machine.stack = outer.pop()
            stack.append(value)
            room -= 64 + 8 * len(value)
        elif code == 0x7D:  # EMPTY_DICT
            stack.append(Dict())
            room -= 64
        elif code == 0x85:  # TUPLE1
            stack[-1] = (stack[-1],)
            room -= 64
        elif code == 0x86:  # TUPLE2
            value = stack.pop()
            stack[-1] = (stack[-1], value)
            room -= 72
        elif code == 0x58 and at + 4 + (length := unsigned(data, at)[0]) <= len(data):
            at += 4 + length  # BINUNICODE
            stack.append(str(data[at - length : at], "utf-8", "surrogatepass"))
            room -= 64 + 4 * length
        elif code == 0x8C and at + 1 + (length := data[at]) <= len(data):
            at += 1 + length  # SHORT_BINUNICODE
            stack.append(str(data[at - length : at], "utf-8", "surrogatepass"))
            room -= 64 + 4 * length
        elif code == 0x88 or code == 0x89:  # NEWTRUE, NEWFALSE
            stack.append(code == 0x88)
        elif code == 0x4E:  # NONE
            stack.append(None)
        elif code == 0x51:  # BINPERSID
            stack[-1] = Reference(stack[-1])
            room -= 48
        elif code == 0x75:  # SETITEMS
            value = stack
            stack = machine.stack = outer.pop()
            machine.room = room
            machine.set(value)
            room = machine.room
        elif code == 0x73:  # SETITEM
            value = stack.pop()
            machine.set_one(stack.pop(), value)
            room -= 120
        elif code == 0x6A and (index := unsigned(data, at)[0]) < len(memo):  # LONG_BINGET
            stack.append(memo[index])
            at += 4
        elif code == 0x87:  # TUPLE3
            value = stack.pop()
            second = stack.pop()
            stack[-1] = (stack[-1], second, value)
            room -= 88
        elif code == 0x5D:  # EMPTY_LIST
            stack.append(Sequence())
            room -= 64
        elif code == 0x71:  # BINPUT
            machine.room = room
            machine.put(data[at])
            room = machine.room
            at += 1
        elif code == 0x4D:  # BININT2
            stack.append(data[at] | data[at + 1] << 8)
            at += 2
            room -= 32
        elif code == 0x2E:  # STOP
            machine.room = room
            machine.finish(length_hint(steps))
            return stack.pop(), machine.base + at
        else:
            operation = TABLE[code]
            if operation is None:
                raise PickleError(f"it has the opcode {code:#04x}, which is not supported")
            machine.at, machine.room = at, room
            machine.slow += 1
            operation(machine)
            at, stack, room = machine.at, machine.stack, machine.room
            data, safe = machine.window, machine.safe
    raise PickleError("it has more opcodes than any model", over_limit=True)
