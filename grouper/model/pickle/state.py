"""The machine's state: its position in the stream, its stack and its memo."""

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
MARGIN = 2 * MAX_LINE + 64  # only opcodes with a length need more of the window
MAX_MEMO = 2**31
KEPT_BYTES = 256
KEPT_HEAD = 512
KEPT_TEXT = 4096
MAX_INTEGER = 64  # bytes
_RENAMED = {"__builtin__": "builtins", "copy_reg": "copyreg"}  # modules' names in Python 2


@dataclass(slots=True)
class Limits:
    """What one pickle, or all pickles of a model together, may use; each subtracts what it uses.

    `slow` opcodes are those that the machine's loop does not handle inline: rare in torch's files.
    `memory` is in bytes, estimated as values are created; `stream` counts the bytes of the windows.
    """

    opcodes: int = 5_000_000
    slow: int = 750_000
    marks: int = 10_000
    memory: int = 128 << 20
    stream: int = 256 << 20


class Machine:
    """A stack for the values since each mark, the memo, and a window of the stream.

    `at` is an offset in `window`, which begins at `base` in the source. All writers except those of
    protocol 0 number the memo's slots from 0; other slots go to `sparse`.
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
        if isinstance(source, Buffer):  # inflating took time, even if little of it is read
            limits.stream -= source.size

    def finish(self, opcodes: int) -> None:
        """Subtracts what was used from the limits; `opcodes` is how many are left."""
        self.check()
        self.limits.opcodes = opcodes
        self.limits.slow -= self.slow
        self.limits.memory = self.room

    def check(self) -> None:
        if self.room < 0:
            raise PickleError("it would take too much memory", over_limit=True)
        slow = self.slow > self.limits.slow or self.reads > MAX_READS or self.limits.stream < 0
        if slow:
            raise PickleError("it would take too much time", over_limit=True)

    # --- reading the stream ---

    def refill(self) -> None:
        """Moves the window to `at`. Up to `safe`, opcodes need not check for its end.

        After skipped bytes the window is narrow again: there may be more to skip.
        """
        self.reads += 1
        self.check()
        skipped = self.at > len(self.window)
        self.base += self.at
        left = self.source.size - self.base
        if left < 0:
            raise PickleError("it is cut short")
        width = NARROW if skipped else min(2 * len(self.window), WINDOW) or WINDOW
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
            raise PickleError("it has a line that is too long")
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
            raise PickleError("it reads a memo slot that was never set")

    def put(self, index: int) -> None:
        value = self.stack[-1]
        if not 0 <= index < MAX_MEMO:
            raise PickleError("it uses an impossible memo slot")
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
            raise PickleError("the name of a global is not a string")
        if len(module) + len(name) > 2 * MAX_LINE:
            raise PickleError("the name of a global is too long")
        module = _RENAMED.get(module, module)
        value = self.globals.get((module, name))
        if value is None:
            value = self.globals[module, name] = Global(module, name, f"{module}.{name}")
            self.room -= 512 + 8 * (len(module) + len(name))
        self.push(value)

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
            raise PickleError("it appends to a value that is not a list")
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
            raise PickleError("it sets items of a value that is not a dict")
        if not isinstance(target.pairs, list):
            target.pairs = []
            self.room -= 88
        target.pairs.extend(zip(items[::2], items[1::2], strict=True))
        self.room -= 40 * len(items)

    def set_one(self, key: Any, value: Any) -> None:
        target = self.stack[-1]
        if not isinstance(target, Dict | Call):
            raise PickleError("it sets items of a value that is not a dict")
        if not isinstance(target.pairs, list):
            target.pairs = []
        target.pairs.append((key, value))

    def spend(self, amount: int) -> None:
        """Subtracts from the memory limit at once, before creating something large."""
        self.room -= amount
        if self.room < 0:
            raise PickleError("it would take too much memory", over_limit=True)
