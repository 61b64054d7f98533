"""The machine's state: where it is in the stream, its stack, and what it has kept."""

from __future__ import annotations

from typing import Any

from grouper.model.files.file import Buffer, BytesSource
from grouper.model.pickle.values import (
    Call,
    Dict,
    Global,
    Opaque,
    PickleError,
    Sequence,
)
from grouper.text.dataclass import dataclass

NARROW = 1 << 12
WINDOW = 1 << 16
MAX_READS = 50_000  # of windows
MAX_LINE = 512
MARGIN = 2 * MAX_LINE + 64  # no opcode but those with a length needs more of the window
MAX_MEMO = 2**31
KEPT_BYTES = 256
KEPT_HEAD = 512
KEPT_TEXT = 4096
MAX_INTEGER = 64  # bytes
_RENAMED = {"__builtin__": "builtins", "copy_reg": "copyreg"}  # as Python 2 called them


@dataclass(slots=True)
class Limits:
    """How much a pickle may ask for, or all pickles of a model: each takes its part of them.

    `slow` opcodes are those that the machine's loop hands on: few in any file of torch's.
    `memory` is in bytes, estimated as values are made; `stream` in bytes of the windows.
    """

    opcodes: int = 5_000_000
    slow: int = 750_000
    marks: int = 10_000
    memory: int = 128 << 20
    stream: int = 256 << 20


class Machine:
    """A stack for the values since each mark, the memo, and a window of the stream.

    `at` is an offset in `window`, which begins at `base` in the source. The memo's slots are
    numbered from 0 by every writer but those of protocol 0: the others go to `sparse`.
    """

    def __init__(self, source: BytesSource, start: int, limits: Limits) -> None:
        self.source = source
        self.limits = limits
        self.base, self.at = start, 0
        self.window = b""
        self.safe = -1
        self.slow = self.reads = 0
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []
        self.memo: list[Any] = []
        self.sparse: dict[int, Any] = {}
        self.globals: dict[tuple[str, str], Global] = {}
        self.room = limits.memory
        if isinstance(source, Buffer):  # what was inflated took its time, whatever is read of it
            limits.stream -= source.size

    def finish(self, opcodes: int) -> None:
        """Take from the limits what was used: of the opcodes so many are left."""
        self.check()
        self.limits.opcodes = opcodes
        self.limits.slow -= self.slow
        self.limits.memory = self.room

    def check(self) -> None:
        if self.room < 0:
            raise PickleError("it would take too much memory", over_limit=True)
        late = self.slow > self.limits.slow or self.reads > MAX_READS or self.limits.stream < 0
        if late:
            raise PickleError("it would take too much time", over_limit=True)

    # --- reading the stream ---

    def refill(self) -> None:
        """Move the window to `at`. Up to `safe`, opcodes need not look whether it ends.

        Behind bytes that were passed over the window is narrow again: there may be more of them.
        """
        self.reads += 1
        self.check()
        passed_over = self.at > len(self.window)
        self.base += self.at
        left = self.source.size - self.base
        if left < 0:
            raise PickleError("it is cut short")
        width = NARROW if passed_over else min(2 * len(self.window), WINDOW) or WINDOW
        self.window = self.source.read(self.base, min(left, width))
        self.limits.stream -= len(self.window)
        self.at = 0
        self.safe = width - MARGIN if left > width else width

    def take(self, length: int) -> bytes:
        start, end = self.at, self.at + length
        self.skip(length)
        if end <= len(self.window):
            return self.window[start:end]
        return self.source.read(self.base + start, length)

    def skip(self, length: int) -> None:
        if length < 0 or self.base + self.at + length > self.source.size:
            raise PickleError("it is cut short")
        self.at += length

    def unsigned(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def line(self) -> bytes:
        end = self.window.find(b"\n", self.at, self.at + MAX_LINE + 1)
        if end < 0:
            raise PickleError("it has an overlong line")
        start, self.at = self.at, end + 1
        return self.window[start:end]

    def long_line(self) -> tuple[bytes, int]:
        """The beginning of a line of any length, and its length."""
        head = self.window[self.at : self.at + KEPT_TEXT]
        start = self.base + self.at
        end = self.window.find(b"\n", self.at)
        while end < 0:
            self.at = len(self.window)
            self.refill()
            if not self.window:
                raise PickleError("it is cut short")
            end = self.window.find(b"\n")
        self.at = end + 1
        length = self.base + end - start
        if length > len(head):
            head = self.source.read(start, min(length, KEPT_TEXT))
        return head[:length], length

    # --- the stack ---

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def mark(self) -> None:
        if len(self.outer) >= self.limits.marks:
            raise PickleError(f"it is nested more than {self.limits.marks:,} levels deep", True)
        self.outer.append(self.stack)
        self.stack = []

    def to_mark(self) -> list[Any]:
        items = self.stack
        self.stack = self.outer.pop()
        return items

    # --- the memo ---

    def get(self, index: int) -> None:
        if 0 <= index < len(self.memo):
            self.push(self.memo[index])
        elif index in self.sparse:
            self.push(self.sparse[index])
        else:
            raise PickleError("it recalls what it never kept")

    def put(self, index: int) -> None:
        value = self.stack[-1]
        if not 0 <= index < MAX_MEMO:
            raise PickleError("it asks for an impossible place to keep a value")
        if index < len(self.memo):
            self.memo[index] = value
        elif index == len(self.memo):
            self.memo.append(value)
            self.sparse.pop(index, None)
        else:
            self.sparse[index] = value
            self.room -= 128

    # --- values ---

    def named(self, module: object, name: object) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise PickleError("it names a global by something other than text")
        if len(module) + len(name) > 2 * MAX_LINE:
            raise PickleError("it names a global with an overlong name")
        module = _RENAMED.get(module, module)
        found = self.globals.get((module, name))
        if found is None:
            found = self.globals[module, name] = Global(module, name, f"{module}.{name}")
            self.room -= 512 + 8 * (len(module) + len(name))
        self.push(found)

    def text(self, length: int) -> None:
        if length > KEPT_TEXT:
            head = self.take(KEPT_HEAD)
            self.skip(length - KEPT_HEAD)
            self.spend(192 + KEPT_HEAD)
            self.push(Opaque(length, head))
        else:
            self.spend(64 + 4 * length)
            self.push(str(self.take(length), "utf-8", "surrogatepass"))

    def blob(self, length: int) -> None:
        if length <= KEPT_BYTES:
            self.push(self.take(length))
        else:
            head = self.take(min(length, KEPT_HEAD))
            self.skip(length - len(head))
            self.push(Opaque(length, head))
            self.room -= 128
        self.room -= 64 + min(length, KEPT_HEAD)

    def long(self, length: int) -> None:
        if 0 <= length <= MAX_INTEGER:
            self.push(int.from_bytes(self.take(length), "little", signed=True))
        else:
            self.skip(length)
            self.push(Opaque(length))
        self.room -= 128

    def append(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, Sequence | Call):
            raise PickleError("it appends to something other than a list")
        if not isinstance(target.items, list):
            target.items = []
            self.room -= 88
        target.items.extend(items)
        self.room -= 12 * len(items)

    def set(self, items: list[Any]) -> None:
        if len(items) == 2:
            self.set_one(*items)
            self.room -= 120
            return
        target = self.stack[-1]
        if not isinstance(target, Dict | Call) or len(items) % 2:
            raise PickleError("it sets items of something other than a dict")
        if not isinstance(target.pairs, list):
            target.pairs = []
            self.room -= 88
        target.pairs.extend(zip(items[::2], items[1::2], strict=True))
        self.room -= 40 * len(items)

    def set_one(self, key: Any, value: Any) -> None:
        target = self.stack[-1]
        if not isinstance(target, Dict | Call):
            raise PickleError("it sets items of something other than a dict")
        if not isinstance(target.pairs, list):
            target.pairs = []
        target.pairs.append((key, value))

    def spend(self, amount: int) -> None:
        """Take from the memory's limit at once, before making something large."""
        self.room -= amount
        if self.room < 0:
            raise PickleError("it would take too much memory", over_limit=True)
