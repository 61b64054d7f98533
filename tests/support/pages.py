"""The README and the pages of docs/, and the blocks of code in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Pages whose blocks have tests of their own: they need a framework's names, or files of a project.
ELSEWHERE = {
    "accelerate.md": "tests/integrations/test_accelerate.py",
    "axolotl.md": "tests/integrations/test_axolotl.py",
    "ci.md": "tests/packaging/test_ci.py",
    "cookbook.md": "tests/recipes/test_cookbook.py",
    "convert.md": "tests/generate/convert/test_page.py",
    "editors.md": "tests/editor/test_server.py",
    "lightning.md": "tests/integrations/test_lightning.py",
    "notebooks.md": "tests/packaging/test_notebooks.py",
    "timm.md": "tests/integrations/test_timm.py",
    "torchtitan.md": "tests/integrations/test_torchtitan.py",
    "tutorial.md": "tests/packaging/test_tutorial.py",
    "transformers-norms.md": "tests/recipes/test_transformers.py",
    "transformers.md": "tests/integrations/test_transformers.py",
}
_BLOCK = re.compile(r"^```(\w*|\{toctree\})\n(.*?)^```$", re.MULTILINE | re.DOTALL)


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
    pages = [page for page in pages if page.name not in ELSEWHERE]
    return [
        Block(page.name, text.count("\n", 0, match.start()) + 1, match[1], match[2])
        for page in pages
        for text in [page.read_text("utf-8")]
        for match in _BLOCK.finditer(text)
        if match[1] != "{toctree}"
    ]


BLOCKS = _blocks()


def blocks(language: str) -> list[Block]:
    """All blocks of a language, in the order of the pages."""
    return [block for block in BLOCKS if block.language == language]


def rules_before(block: Block) -> str | None:
    """The rules block that a page shows last before another block."""
    before = [b for b in blocks("") if b.page == block.page and b.line < block.line]
    return before[-1].text if before else None
