"""The rules files that are open in an editor, and what is remembered between their versions."""

from __future__ import annotations

import itertools
from pathlib import Path

from grouper.editor.document import Document
from grouper.editor.models import Models, Stamp, stamp_of
from grouper.language.resolve.includes import read
from grouper.language.syntax.parser import Parsed, Trees, parse
from grouper.language.syntax.statements import Cut
from grouper.text.dataclass import dataclass, field
from grouper.text.source import Source

MOST_KEPT = 64


@dataclass
class Workspace:
    """Open files by path. What is not saved yet counts, also where another file includes it.

    `default_model` is the model of files that name none.
    """

    default_model: str | None = None
    models: Models = field(default_factory=Models)
    _open: dict[str, Document] = field(default_factory=dict)
    _versions: dict[str, int] = field(default_factory=dict)
    _count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _trees: Trees = field(default_factory=dict)
    _closed: dict[str, tuple[Stamp, Document]] = field(default_factory=dict)

    def set(self, path: str, text: str) -> Document:
        """Take the text of a file that is opened, or changed."""
        known = self._open.get(path)
        if known is not None and known.text == text:
            return known
        self._versions[path] = next(self._count)
        self._open[path] = Document(Source(text, path), self)
        return self._open[path]

    def close(self, path: str) -> None:
        """From here on the file on the disk counts."""
        self._open.pop(path, None)
        self._versions.pop(path, None)

    def use_model(self, path: str | None) -> None:
        """The model of files that name none, from here on."""
        self.default_model = path
        self._open = {name: Document(known.source, self) for name, known in self._open.items()}

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(self._open)

    def document(self, path: str) -> Document | None:
        """An open file, as it follows from all files as they are now."""
        found = self._open.get(path)
        if found is not None and not found.is_current():
            found = self._open[path] = Document(found.source, self)
        return found

    def file(self, path: Path) -> Document:
        """A file that another one includes: what is open, or what is on the disk. Raises OSError
        where there is none."""
        found = self._open.get(str(path))
        if found is not None:
            return found
        stamp = stamp_of(str(path))
        kept = self._closed.get(str(path))
        if kept is None or kept[0] != stamp:
            if len(self._closed) >= MOST_KEPT:
                self._closed.pop(next(iter(self._closed)))
            kept = self._closed[str(path)] = (stamp, Document(read(path), self))
        return kept[1]

    def parse(self, source: Source, pieces: Cut | None = None) -> Parsed:
        return parse(source, self._trees, pieces)

    def stamp(self, path: str) -> object:
        return self._versions.get(path) or stamp_of(path)
