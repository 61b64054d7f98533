"""Completes file names in `include`, `for` and `base_model`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from grouper.editor.candidate import Candidate, Sort
from grouper.editor.document import Document
from grouper.language.shipped import shipped_rules
from grouper.text.source import Span

MODELS = (".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".json", ".pkl")
MOST_LISTED = 1000


def files(document: Document, statement: str, span: Span) -> Iterator[Candidate]:
    """Files relative to the rules file, in the folder typed so far, and the shipped ones."""
    typed = span.text
    folder = typed.rpartition("/")[0]
    prefix = f"{folder}/" if "/" in typed else ""
    endings = (".rules",) if statement == "include" else MODELS
    for name, is_folder in _entries(document.folder / prefix):
        if is_folder:
            yield Candidate(f"{prefix}{name}/", Sort.FILE, span, "folder")
        elif name.endswith(endings):
            yield Candidate(f"{prefix}{name}", Sort.FILE, span, "file")
    if statement == "include" and not prefix:
        for name in shipped_rules():
            if name.endswith(".rules"):
                yield Candidate(name, Sort.FILE, span, "comes with grouper", rank=1)


def _entries(folder: Path) -> list[tuple[str, bool]]:
    try:
        with os.scandir(folder) as entries:
            listing = [(e.name, e.is_dir()) for e in islice(entries, MOST_LISTED)]
    except (OSError, ValueError):
        return []
    return sorted(entry for entry in listing if not entry[0].startswith("."))
