"""The rules files that are open in an editor, and caches that outlive their versions."""

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
    """Open files by path. Their unsaved text is used, also if another file includes them.

    `default_model` is the model for files without a `for` statement.
    """

    default_model: str | None = None
    models: Models = field(default_factory=Models)
    _open: dict[str, Document] = field(default_factory=dict)
    _versions: dict[str, int] = field(default_factory=dict)
    _count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _trees: Trees = field(default_factory=dict)
    _closed: dict[str, tuple[Stamp, Document]] = field(default_factory=dict)

    def set(self, path: str, text: str) -> Document:
        """Set the text of a file that was opened or changed."""
        known = self._open.get(path)
        if known is not None and known.text == text:
            return known
        self._versions[path] = next(self._count)
        self._open[path] = Document(Source(text, path), self)
        return self._open[path]

    def close(self, path: str) -> None:
        """Forget the text of a file; the file on disk is used from now on."""
        self._open.pop(path, None)
        self._versions.pop(path, None)

    def use_model(self, path: str | None) -> None:
        """Set the model for files without a `for` statement."""
        self.default_model = path
        self._open = {name: Document(known.source, self) for name, known in self._open.items()}

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(self._open)

    def document(self, path: str) -> Document | None:
        """An open file, renewed if a file that it depends on has changed."""
        document = self._open.get(path)
        if document is not None and not document.is_current():
            document = self._open[path] = Document(document.source, self)
        return document

    def file(self, path: Path) -> Document:
        """A file that another one includes, open or on disk. Raises OSError if there is none."""
        document = self._open.get(str(path))
        if document is not None:
            return document
        stamp = stamp_of(str(path))
        entry = self._closed.get(str(path))
        if entry is None or entry[0] != stamp:
            if len(self._closed) >= MOST_KEPT:
                self._closed.pop(next(iter(self._closed)))
            entry = self._closed[str(path)] = (stamp, Document(read(path), self))
        return entry[1]

    def parse(self, source: Source, pieces: Cut | None = None) -> Parsed:
        return parse(source, self._trees, pieces)

    def stamp(self, path: str) -> object:
        return self._versions.get(path) or stamp_of(path)
