"""Reads rules files without loss: `fmt` must not destroy what it cannot decode."""

from __future__ import annotations

import codecs
import os
import sys

from grouper.cli.exit import Failure
from grouper.language.shipped import shipped_rules
from grouper.language.syntax.parser import MAX_SIZE, parse
from grouper.text.dataclass import dataclass
from grouper.text.source import Source
from grouper.text.write_file import names_open_file, names_stream

STDIN = "-"
BOM = "\ufeff"
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
MOST_BYTES = 4 * MAX_SIZE + 1  # a character has at most four; the parser rejects longer texts


@dataclass(frozen=True)
class RulesFile:
    """A rules file: its text with `\\n` line endings, and the file's own line ending and BOM."""

    name: str
    text: str
    newline: str = "\n"
    bom: str = ""

    @property
    def is_stream(self) -> bool:
        """Whether it was read from standard input or another pipe, which cannot be changed."""
        return self.name == STDIN or names_stream(self.name)

    def encode(self, text: str) -> str:
        """A new text with this file's line endings and BOM."""
        return self.bom + text.replace("\n", self.newline)


def read_rules(name: str) -> RulesFile:
    """Reads a file, or standard input for `-`. Raises Failure if it is not UTF-8."""
    content = _content(name)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        where = f"byte 0x{content[error.start]:02x} in line {line}"
        guess = "it is UTF-16: " if content.startswith(UTF_16) else ""
        raise Failure(f"`{name}` is not UTF-8 ({where}); {guess}save it as UTF-8") from None
    bom = BOM if text.startswith(BOM) else ""
    first = text.find("\n")
    newline = "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"
    return RulesFile(name, text.removeprefix(BOM).replace("\r\n", "\n"), newline, bom)


def is_rules(name: str) -> bool:
    """Whether an argument names rules and not a model: by its extension, as a shipped file, or
    because the file's content parses as rules."""
    if name == STDIN or name.endswith(".rules"):
        return True
    if not os.path.isfile(name) or names_stream(name):
        return name in shipped_rules() and not os.path.exists(name)
    if is_binary(name):
        return False
    try:
        source = Source(read_rules(name).text, name)
    except Failure:
        return False
    return not parse(source).findings


def is_binary(name: str) -> bool:
    """Whether a regular file is binary. UTF-16 counts as text, although it contains NUL bytes."""
    try:
        if not os.path.isfile(name) or names_stream(name):
            return False
        with open(name, "rb") as file:
            start = file.read(4096)
    except (OSError, ValueError):
        return False  # loading reports the error, or finds a shipped file of that name
    return b"\0" in start and not start.startswith(UTF_16)


def _content(name: str) -> bytes:
    if name == STDIN:
        return _stdin()
    try:
        if not (names_open_file(name) or os.path.isdir(name)) and names_stream(name):
            raise Failure(f"`{name}` is not a regular file")  # reading a pipe could block forever
        with open(name, "rb") as file:
            return file.read(MOST_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Failure(f"`{name}` cannot be read: {reason}") from None


def _stdin() -> bytes:
    if sys.stdin is None:
        raise Failure("standard input is closed")
    buffer = getattr(sys.stdin, "buffer", None)
    content: bytes = buffer.read(MOST_BYTES) if buffer else sys.stdin.read().encode()
    return content
