"""The text of a rules file, to the byte: `fmt` must not lose what it cannot read."""

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
MOST_BYTES = 4 * MAX_SIZE + 1  # a character has four at most; more is refused by the parser


@dataclass(frozen=True)
class RulesFile:
    """A rules file: its text with `\\n` at the ends of lines, and what is there in the file."""

    name: str
    text: str
    newline: str = "\n"
    bom: str = ""

    @property
    def is_stream(self) -> bool:
        """Whether it was read from standard input or another pipe, which cannot be changed."""
        return self.name == STDIN or names_stream(self.name)

    def encode(self, text: str) -> str:
        """Another text as it would be in this file."""
        return self.bom + text.replace("\n", self.newline)


def read_rules(name: str) -> RulesFile:
    """Read a file, or `-` for standard input. Raises Failure if it is not UTF-8."""
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
    """Whether an argument that may name a model or rules names rules: by the ending of the name, as
    a shipped file, or because what is in the file reads as rules."""
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
    """Whether a regular file holds no text. Text in UTF-16 is text, though its bytes hold NUL."""
    try:
        if not os.path.isfile(name) or names_stream(name):
            return False
        with open(name, "rb") as file:
            start = file.read(4096)
    except (OSError, ValueError):
        return False  # loading reports why, or finds a shipped file of that name
    return b"\0" in start and not start.startswith(UTF_16)


def _content(name: str) -> bytes:
    if name == STDIN:
        return _stdin()
    try:
        if not (names_open_file(name) or os.path.isdir(name)) and names_stream(name):
            raise Failure(f"`{name}` is not a regular file")  # reading a pipe could wait forever
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
