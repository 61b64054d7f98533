"""A symbolic pickle machine: what a pickle would build, without building it.

Nothing is imported, called or hashed. A global is its name, a call is the global with its
arguments, a dict is a list of pairs. Everything is compared by identity only, so that no content of
the file ever runs code of Python's own either (a million-deep tuple as a dict's key crashes the
standard unpickler).
"""

from __future__ import annotations

import gc
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MAX_OPCODES = 4_000_000
MAX_MARKS = 10_000
MAX_MEMO = 2**31
KEPT_BYTES = 256  # longer bytes are only counted
KEPT_TEXT = 1 << 20
MAX_LINE = 512
MAX_INTEGER = 64  # bytes


class PickleError(Exception):
    """The stream is no pickle, or asks for what is refused."""


@dataclass(frozen=True, eq=False, slots=True)
class Global:
    """A name that a pickle refers to; it is never looked up."""

    module: str
    name: str

    @property
    def dotted(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True)
class Call:
    """A global called with arguments, and what was put into the result afterwards."""

    function: Any
    arguments: Any
    state: Any = None
    items: list[Any] = field(default_factory=list)
    pairs: list[tuple[Any, Any]] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Dict:
    pairs: list[tuple[Any, Any]] = field(default_factory=list)

    def get(self, key: str) -> Any:
        """The value of a string key, the last one set."""
        for name, value in reversed(self.pairs):
            if isinstance(name, str) and name == key:
                return value
        return None


@dataclass(eq=False, slots=True)
class Sequence:
    """A list or a set."""

    items: list[Any] = field(default_factory=list)


@dataclass(frozen=True, eq=False, slots=True)
class Reference:
    """A persistent id: in torch's files a storage, or a legacy module."""

    value: Any


@dataclass(frozen=True, eq=False, slots=True)
class Blob:
    """Bytes or a number too long to keep."""

    length: int


class _Mark:
    pass


_MARK = _Mark()


def run(data: bytes, start: int = 0) -> tuple[Any, int]:
    """The value that a pickle describes, and the offset behind it. Raises PickleError."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        return _Machine(data, start).run()
    except (IndexError, struct.error, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise PickleError(f"not a pickle: {error}") from None
    finally:
        if enabled:
            gc.enable()


class _Machine:
    """The stack, the memo and the position in the stream."""

    def __init__(self, data: bytes, start: int) -> None:
        self.data = data
        self.at = start
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.globals: dict[tuple[str, str], Global] = {}

    def run(self) -> tuple[Any, int]:
        data, count = self.data, 0
        table = _TABLE
        while True:
            code = data[self.at]
            self.at += 1
            count += 1
            if code == 46:  # STOP
                return self.stack.pop(), self.at
            if count > MAX_OPCODES:
                raise PickleError(f"it has more than {MAX_OPCODES:,} instructions")
            operation = table[code]
            if operation is None:
                raise PickleError(f"it has an instruction {code:#04x}, which is refused")
            operation(self)

    # --- reading the stream ---

    def take(self, length: int) -> bytes:
        if length < 0 or self.at + length > len(self.data):
            raise PickleError("it is cut short")
        start, self.at = self.at, self.at + length
        return self.data[start : self.at]

    def unsigned(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def line(self) -> bytes:
        end = self.data.find(b"\n", self.at, self.at + MAX_LINE)
        if end < 0:
            raise PickleError("it has an overlong line")
        start, self.at = self.at, end + 1
        return self.data[start:end]

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def to_mark(self) -> list[Any]:
        mark = self.marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items

    # --- operations with something to say ---

    def text(self, length: int) -> None:
        content = self.take(length)
        keep = length <= KEPT_TEXT
        self.push(content.decode("utf-8", "surrogatepass") if keep else Blob(length))

    def blob(self, length: int) -> None:
        if length < 0 or self.at + length > len(self.data):
            raise PickleError("it is cut short")
        if length <= KEPT_BYTES:
            self.push(self.take(length))
        else:
            self.at += length
            self.push(Blob(length))

    def long(self, length: int) -> None:
        content = self.take(length)
        small = length <= MAX_INTEGER
        self.push(int.from_bytes(content, "little", signed=True) if small else Blob(length))

    def named(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise PickleError("it names a global by something that is no text")
        if len(module) + len(name) > 2 * MAX_LINE:
            raise PickleError("it names a global with an overlong name")
        key = (module, name)
        found = self.globals.get(key)
        if found is None:
            found = self.globals[key] = Global(module, name)
        self.push(found)

    def get(self, index: int) -> None:
        if index not in self.memo:
            raise PickleError("it recalls what it never kept")
        self.push(self.memo[index])

    def put(self, index: int) -> None:
        if not 0 <= index < MAX_MEMO:
            raise PickleError("it asks for an impossible place to keep a value")
        self.memo[index] = self.stack[-1]

    def mark(self) -> None:
        if len(self.marks) >= MAX_MARKS:
            raise PickleError(f"it is nested more than {MAX_MARKS:,} levels deep")
        self.marks.append(len(self.stack))

    def pop(self) -> None:
        if self.marks and self.marks[-1] == len(self.stack):
            self.marks.pop()
        else:
            self.stack.pop()

    def tuple(self, length: int) -> None:
        if len(self.stack) < length:
            raise PickleError("it takes more values than there are")
        items = tuple(self.stack[-length:])
        del self.stack[-length:]
        self.push(items)

    def call(self, keywords: bool = False) -> None:
        if keywords:
            self.stack.pop()
        arguments = self.stack.pop()
        self.push(Call(self.stack.pop(), arguments))

    def instance(self, function: Any, arguments: list[Any]) -> None:
        self.push(Call(function, tuple(arguments)))

    def build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, Call):
            raise PickleError("it gives a state to what can have none")
        target.state = state

    def append(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, Sequence | Call):
            raise PickleError("it appends to what is no list")
        target.items.extend(items)

    def set(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, Dict | Call) or len(items) % 2:
            raise PickleError("it sets items of what is no dict")
        target.pairs.extend(zip(items[::2], items[1::2], strict=True))


def _dict(machine: _Machine) -> None:
    items = machine.to_mark()
    machine.push(Dict())
    machine.set(items)


def _list(machine: _Machine) -> None:
    machine.push(Sequence(machine.to_mark()))


def _pair(machine: _Machine) -> list[Any]:
    value, key = machine.stack.pop(), machine.stack.pop()
    return [key, value]


def _object(machine: _Machine) -> None:
    items = machine.to_mark()
    machine.instance(items[0], items[1:])


def _instance(machine: _Machine) -> None:
    module, name = machine.line().decode(), machine.line().decode()
    items = machine.to_mark()
    machine.named(module, name)
    machine.instance(machine.stack.pop(), items)


def _stack_global(machine: _Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.named(module, name)


def _integer(machine: _Machine) -> None:
    text = machine.line()
    machine.push(text == b"01" if text in (b"00", b"01") else _number(text))


def _number(text: bytes) -> Any:
    text = text.rstrip(b"L")
    return int(text) if len(text) <= 2 * MAX_INTEGER else Blob(len(text))


def _quoted(machine: _Machine) -> None:
    line = machine.line()
    if len(line) < 2 or line[0] != line[-1] or line[:1] not in b"\"'":
        raise PickleError("it has an unquoted string")
    machine.push(line[1:-1].decode("latin-1"))


def _frame(machine: _Machine) -> None:
    if machine.unsigned(8) > len(machine.data) - machine.at:
        raise PickleError("it is cut short")


_Operation = Callable[[_Machine], object]
_OPERATIONS: dict[bytes, _Operation] = {
    b"(": lambda m: m.mark(),
    b"0": lambda m: m.pop(),
    b"1": lambda m: m.to_mark(),
    b"2": lambda m: m.push(m.stack[-1]),
    b"F": lambda m: m.push(float(m.line())),
    b"I": _integer,
    b"J": lambda m: m.push(int.from_bytes(m.take(4), "little", signed=True)),
    b"K": lambda m: m.push(m.unsigned(1)),
    b"L": lambda m: m.push(_number(m.line())),
    b"M": lambda m: m.push(m.unsigned(2)),
    b"N": lambda m: m.push(None),
    b"P": lambda m: m.push(Reference(m.line().decode())),
    b"Q": lambda m: m.push(Reference(m.stack.pop())),
    b"R": lambda m: m.call(),
    b"S": _quoted,
    b"T": lambda m: m.blob(m.unsigned(4)),
    b"U": lambda m: m.push(m.take(m.unsigned(1)).decode("latin-1")),
    b"V": lambda m: m.push(m.line().decode("raw-unicode-escape")),
    b"X": lambda m: m.text(m.unsigned(4)),
    b"a": lambda m: m.append([m.stack.pop()]),
    b"b": lambda m: m.build(),
    b"c": lambda m: m.named(m.line().decode(), m.line().decode()),
    b"d": _dict,
    b"e": lambda m: m.append(m.to_mark()),
    b"g": lambda m: m.get(int(m.line())),
    b"h": lambda m: m.get(m.unsigned(1)),
    b"i": _instance,
    b"j": lambda m: m.get(m.unsigned(4)),
    b"l": _list,
    b"o": _object,
    b"p": lambda m: m.put(int(m.line())),
    b"q": lambda m: m.put(m.unsigned(1)),
    b"r": lambda m: m.put(m.unsigned(4)),
    b"s": lambda m: m.set(_pair(m)),
    b"t": lambda m: m.push(tuple(m.to_mark())),
    b"u": lambda m: m.set(m.to_mark()),
    b"}": lambda m: m.push(Dict()),
    b"]": lambda m: m.push(Sequence()),
    b")": lambda m: m.push(()),
    b"G": lambda m: m.push(struct.unpack(">d", m.take(8))[0]),
    b"B": lambda m: m.blob(m.unsigned(4)),
    b"C": lambda m: m.blob(m.unsigned(1)),
    b"\x80": lambda m: m.take(1),
    b"\x81": lambda m: m.call(),
    b"\x85": lambda m: m.tuple(1),
    b"\x86": lambda m: m.tuple(2),
    b"\x87": lambda m: m.tuple(3),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"\x8a": lambda m: m.long(m.unsigned(1)),
    b"\x8b": lambda m: m.long(int.from_bytes(m.take(4), "little", signed=True)),
    b"\x8c": lambda m: m.text(m.unsigned(1)),
    b"\x8d": lambda m: m.text(m.unsigned(8)),
    b"\x8e": lambda m: m.blob(m.unsigned(8)),
    b"\x8f": lambda m: m.push(Sequence()),
    b"\x90": lambda m: m.append(m.to_mark()),
    b"\x91": _list,
    b"\x92": lambda m: m.call(keywords=True),
    b"\x93": _stack_global,
    b"\x94": lambda m: m.put(len(m.memo)),
    b"\x95": _frame,
    b"\x96": lambda m: m.blob(m.unsigned(8)),
}
# EXT1/2/4 (extension registry) and out-of-band buffers are not among them: they are refused.
_TABLE: list[_Operation | None] = [_OPERATIONS.get(bytes((code,))) for code in range(256)]
