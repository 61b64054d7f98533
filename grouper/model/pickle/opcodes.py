"""The opcodes that the machine's loop does not handle itself, by their code.

EXT1, EXT2 and EXT4 (the extension registry) and out-of-band buffers are not supported: a stream
with them is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from grouper.model.pickle.state import KEPT_HEAD, MAX_INTEGER, Machine
from grouper.model.pickle.values import (
    Call,
    Dict,
    Opaque,
    PickleError,
    Reference,
    Sequence,
)


def _pop(machine: Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.to_mark()


def _duplicate(machine: Machine) -> None:
    machine.push(machine.stack[-1])


def _call_with_keywords(machine: Machine) -> None:
    """NEWOBJ_EX. The keywords are dropped: nothing that describes a tensor has any."""
    _, arguments, cls = (machine.stack.pop() for _ in range(3))
    machine.push(Call(cls, arguments))
    machine.room -= 96


def _build(machine: Machine) -> None:
    state, target = machine.stack.pop(), machine.stack[-1]
    if not isinstance(target, Call):
        raise PickleError("it sets the state of a value that cannot have one")
    if target.state is not None:
        raise PickleError("it sets a state twice")
    target.state = state


def _append(machine: Machine) -> None:
    machine.append([machine.stack.pop()])


def _dict(machine: Machine) -> None:
    items = machine.to_mark()
    machine.push(Dict())
    machine.set(items)
    machine.room -= 64


def _list(machine: Machine) -> None:
    items = machine.to_mark()
    machine.push(Sequence(items))
    machine.room -= 128 + 12 * len(items)


def _empty_set(machine: Machine) -> None:
    machine.push(Sequence())
    machine.room -= 64


def _object(machine: Machine) -> None:
    items = machine.to_mark()
    _instantiate(machine, items[0], items[1:])


def _instance(machine: Machine) -> None:
    module, name = machine.line().decode(), machine.line().decode()
    items = machine.to_mark()
    machine.named(module, name)
    _instantiate(machine, machine.stack.pop(), items)


def _instantiate(machine: Machine, cls: Any, arguments: list[Any]) -> None:
    machine.push(Call(cls, tuple(arguments)))
    machine.room -= 160 + 8 * len(arguments)


def _global(machine: Machine) -> None:
    module, name = machine.line().decode(), machine.line().decode()
    machine.named(module, name)


def _stack_global(machine: Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.named(module, name)


def _reference(machine: Machine) -> None:
    machine.push(Reference(machine.line().decode()))
    machine.room -= 256


def _integer(machine: Machine) -> None:
    text = machine.line()
    machine.push(text == b"01" if text in (b"00", b"01") else _number(text))
    machine.room -= 64


def _long(machine: Machine) -> None:
    machine.push(_number(machine.line()))
    machine.room -= 128


def _number(text: bytes) -> int | Opaque:
    text = text.removesuffix(b"L")
    return int(text) if len(text) <= 2 * MAX_INTEGER else Opaque(len(text))


def _float(machine: Machine) -> None:
    machine.push(float(machine.line()))
    machine.room -= 32


def _quoted(machine: Machine) -> None:
    """A string of Python 2, whose names are ASCII: escapes are not decoded."""
    line, length = machine.long_line()
    if length > len(line):
        _text(machine, Opaque(length))
    elif length < 2 or line[0] != line[-1] or line[:1] not in (b'"', b"'"):
        raise PickleError("it has an unquoted string")
    else:
        _text(machine, line[1:-1].decode("latin-1"))


def _latin(machine: Machine, length: int) -> None:
    """A string of Python 2, whose names are ASCII; the limit is that of bytes."""
    machine.blob(length)
    content = machine.stack.pop()
    _text(machine, content.decode("latin-1") if isinstance(content, bytes) else content)


def _text(machine: Machine, text: str | Opaque) -> None:
    machine.push(text)
    machine.room -= 64 + (len(text) if isinstance(text, str) else 0)


def _line_of_text(machine: Machine) -> None:
    line, length = machine.long_line()
    if length > len(line):
        head = line[:KEPT_HEAD].decode("raw-unicode-escape", "ignore")
        _text(machine, Opaque(length, head.encode("utf-8", "replace")))
    else:
        _text(machine, line.decode("raw-unicode-escape"))


def _frame(machine: Machine) -> None:
    length = machine.unsigned(8)
    if length > machine.source.size - machine.base - machine.at:
        raise PickleError("it is cut short")


def _signed(machine: Machine) -> int:
    return int.from_bytes(machine.take(4), "little", signed=True)


def _binary_float(machine: Machine) -> None:
    machine.push(struct.unpack(">d", machine.take(8))[0])
    machine.room -= 32


Operation = Callable[[Machine], object]
_OPERATIONS: dict[bytes, Operation] = {
    b"0": _pop,
    b"1": lambda m: m.to_mark(),
    b"2": _duplicate,
    b"F": _float,
    b"G": _binary_float,
    b"I": _integer,
    b"J": lambda m: m.push(_signed(m)),
    b"L": _long,
    b"P": _reference,
    b"S": _quoted,
    b"T": lambda m: _latin(m, _signed(m)),
    b"U": lambda m: _latin(m, m.unsigned(1)),
    b"V": _line_of_text,
    b"X": lambda m: m.text(m.unsigned(4)),
    b"a": _append,
    b"b": _build,
    b"c": _global,
    b"d": _dict,
    b"e": lambda m: m.append(m.to_mark()),
    b"g": lambda m: m.get(int(m.line())),
    b"h": lambda m: m.get(m.unsigned(1)),
    b"i": _instance,
    b"j": lambda m: m.get(m.unsigned(4)),
    b"l": _list,
    b"o": _object,
    b"p": lambda m: m.put(int(m.line())),
    b"r": lambda m: m.put(m.unsigned(4)),
    b"B": lambda m: m.blob(m.unsigned(4)),
    b"C": lambda m: m.blob(m.unsigned(1)),
    b"\x80": lambda m: m.skip(1),
    b"\x8a": lambda m: m.long(m.unsigned(1)),
    b"\x8b": lambda m: m.long(_signed(m)),
    b"\x8c": lambda m: m.text(m.unsigned(1)),
    b"\x8d": lambda m: m.text(m.unsigned(8)),
    b"\x8e": lambda m: m.blob(m.unsigned(8)),
    b"\x8f": _empty_set,
    b"\x90": lambda m: m.append(m.to_mark()),
    b"\x91": _list,
    b"\x92": _call_with_keywords,
    b"\x93": _stack_global,
    b"\x94": lambda m: m.put(len(m.memo) + len(m.sparse)),
    b"\x95": _frame,
    b"\x96": lambda m: m.blob(m.unsigned(8)),
}
TABLE: tuple[Operation | None, ...] = tuple(_OPERATIONS.get(bytes((code,))) for code in range(256))
