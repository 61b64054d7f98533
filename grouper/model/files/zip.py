"""Reads the directory of a zip archive like torch does, and its small members.

torch uses the last of several entries with the same name, ignores case, and does not verify
checksums. An archive that other programs would read differently is refused.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

from grouper.model import codes
from grouper.model.errors import ModelError
from grouper.model.files.file import Buffer, BytesSource, Part
from grouper.text.dataclass import dataclass

MAX_DIRECTORY = 48 << 20
MAX_ENTRIES = 300_000
MAX_NAME = 4096  # bytes
MAX_STORED = 32 << 20
MAX_INFLATED = 16 << 20
MAX_RATIO = 200
_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_WIDE = 0xFFFFFFFF  # a placeholder: the number is in the zip64 field
_LOCAL = struct.Struct("<4s5H3L2H")


@dataclass(frozen=True, slots=True)
class Entry:
    """A member: the offset of its local header, and its sizes in bytes."""

    name: str
    method: int
    flags: int
    compressed: int
    size: int
    offset: int


def directory(file: BytesSource) -> Mapping[str, Entry]:
    """The members by name, in the archive's order."""
    start, length, count = _end(file)
    if length > MAX_DIRECTORY or count > MAX_ENTRIES:
        raise _refused(file, "its directory is larger than that of any checkpoint")
    data = file.read(start, length)
    entries: dict[str, Entry] = {}
    folded: set[str] = set()
    at = 0
    for _ in range(count):
        entry, at = _entry(file, data, at)
        name = entry.name.casefold()
        if name in folded:
            raise _refused(file, f"it has two members `{entry.name}`")
        folded.add(entry.name if entry.name == name else name)
        entries[entry.name] = entry
    _check_overlaps(file, entries, start)
    return entries


def record(entries: Mapping[str, Entry], name: str) -> Entry | None:
    """Finds a member like torch does: below the first member's folder, ignoring case."""
    top = next(iter(entries), "").partition("/")[0]
    path = f"{top}/{name}".casefold()
    return next((e for n, e in entries.items() if n.casefold() == path), None)


def _check_overlaps(file: BytesSource, entries: Mapping[str, Entry], end: int) -> None:
    """Refuses members that overlap: an archive can hide one behind another."""
    free = 0
    for entry in sorted(entries.values(), key=lambda entry: entry.offset):
        if entry.offset < free:
            raise _refused(file, f"its member `{entry.name}` overlaps another")
        free = entry.offset + _LOCAL.size + entry.compressed
    if free > end:
        raise _broken(file)


def opened(file: BytesSource, entry: Entry) -> BytesSource:
    """A member as a source: its part of the file, or inflated in memory."""
    if entry.method == 0:
        return Part(file, _content(file, entry), entry.size)
    return Buffer(member(file, entry), file.path)


def member(file: BytesSource, entry: Entry) -> bytes:
    """A member's whole content, inflated if compressed; within limits."""
    start = _content(file, entry)
    if entry.method == 0:
        if entry.size > MAX_STORED:
            raise _refused(file, f"its member `{entry.name}` has {entry.size:,} bytes")
        return file.read(start, entry.size)
    if not entry.size / MAX_RATIO <= max(entry.compressed, 64) <= MAX_INFLATED >= entry.size:
        raise _refused(file, f"its member `{entry.name}` would inflate to {entry.size:,} bytes")
    inflater = zlib.decompressobj(-15)
    content = inflater.decompress(file.read(start, entry.compressed), entry.size + 1)
    if len(content) != entry.size:
        raise _broken(file)
    return content


def _content(file: BytesSource, entry: Entry) -> int:
    """The offset of a member's content, after checking its local header."""
    if entry.flags & 1:
        raise _refused(file, f"its member `{entry.name}` is encrypted")
    header = _LOCAL.unpack(file.read(entry.offset, _LOCAL.size))
    if header[0] != b"PK\3\4":
        raise _broken(file)
    if entry.method == 0 and entry.size != entry.compressed:
        raise _broken(file)
    if entry.method not in (0, 8):
        raise _refused(file, f"its member `{entry.name}` uses an unsupported compression")
    return entry.offset + _LOCAL.size + int(header[9]) + int(header[10])


def _end(file: BytesSource) -> tuple[int, int, int]:
    """Offset, length and number of entries of the directory."""
    tail_length = min(file.size, 65557)
    tail_start = file.size - tail_length
    tail = file.read(tail_start, tail_length)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + _END.size > len(tail):
        raise _broken(file)
    _, disk, first, _, count, length, start, _ = _END.unpack_from(tail, at)
    if disk not in (0, 0xFFFF) or first not in (0, 0xFFFF):
        raise _broken(file)
    end = tail_start + at
    wide = _wide_end(file, end - _END64_LOCATOR.size)
    if wide is not None:
        short = ((count, 0xFFFF), (length, _WIDE), (start, _WIDE))
        end, count, length, start = wide
        for (number, placeholder), actual in zip(short, (count, length, start), strict=True):
            if number not in (actual, placeholder):
                raise _refused(file, "it has two directories")
    if start + length != end:
        raise _broken(file)
    return start, length, count


def _wide_end(file: BytesSource, at: int) -> tuple[int, int, int, int] | None:
    """The zip64 end record that a locator points to: its offset, the number of entries, and the
    directory's length and offset. torch uses it even if the short record is complete."""
    if at < 0:
        return None
    sign, _, end, _ = _END64_LOCATOR.unpack(file.read(at, _END64_LOCATOR.size))
    if sign != b"PK\6\7":
        return None
    fields = _END64.unpack(file.read(end, _END64.size))
    if fields[0] != b"PK\6\6":
        raise _broken(file)
    return end, fields[7], fields[8], fields[9]


def _entry(file: BytesSource, data: bytes, at: int) -> tuple[Entry, int]:
    if at + _ENTRY.size > len(data):
        raise _broken(file)
    fields = _ENTRY.unpack_from(data, at)
    if fields[0] != b"PK\1\2":
        raise _broken(file)
    flags, method = fields[3], fields[4]
    compressed, size = fields[8], fields[9]
    name_length, extra_length, comment_length = fields[10], fields[11], fields[12]
    offset = fields[16]
    at += _ENTRY.size
    if at + name_length + extra_length + comment_length > len(data):
        raise _broken(file)
    if name_length > MAX_NAME:
        raise _refused(file, f"it has a member whose name has {name_length:,} bytes")
    name = data[at : at + name_length].decode("utf-8", "replace")
    extra = data[at + name_length : at + name_length + extra_length]
    size, compressed, offset = _wide(extra, size, compressed, offset)
    return (
        Entry(name, method, flags, compressed, size, offset),
        at + name_length + extra_length + comment_length,
    )


def _wide(extra: bytes, *numbers: int) -> tuple[int, int, int]:
    """The sizes and offset, with the zip64 field's 64-bit numbers in place of placeholders."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            wide = struct.unpack_from(f"<{length // 8}Q", extra, at + 4)
            if numbers.count(_WIDE) > len(wide):
                raise struct.error("incomplete zip64 field")
            left = iter(wide)
            size, compressed, offset = (next(left) if n == _WIDE else n for n in numbers)
            return size, compressed, offset
        at += 4 + length
    size, compressed, offset = numbers
    return size, compressed, offset


def several_descriptions(file: BytesSource) -> ModelError:
    """The error for an archive that describes more than one model."""
    return ModelError(codes.OVER_LIMIT, f"`{file.path}` describes several models at once")


def _broken(file: BytesSource) -> ModelError:
    return ModelError(
        codes.BROKEN,
        f"`{file.path}` is a damaged archive",
        "download or copy the file again",
    )


def _refused(file: BytesSource, why: str) -> ModelError:
    return ModelError(codes.OVER_LIMIT, f"`{file.path}` is not read: {why}", None)
