"""The README and the pages of docs/, and the blocks of code in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block; `language` is the word behind the fence, empty for rules."""

    page: str
    line: int
    language: str
    text: str

    @property
    def first(self) -> str:
        return self.text.partition("\n")[0]

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def _blocks() -> list[Block]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [
        Block(page.name, text.count("\n", 0, match.start()) + 1, match[1], match[2])
        for page in pages
        for text in [page.read_text("utf-8")]
        for match in _BLOCK.finditer(text)
    ]


BLOCKS = _blocks()


def blocks(language: str) -> list[Block]:
    """All blocks of a language, in the order of the pages."""
    return [block for block in BLOCKS if block.language == language]


def rules_before(block: Block) -> str | None:
    """The rules block that a page shows last before another block."""
    before = [b for b in blocks("") if b.page == block.page and b.line < block.line]
    return before[-1].text if before else None
