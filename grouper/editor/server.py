"""The language server: the open files, and when they are checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcContentModified
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from grouper.editor import convert
from grouper.editor.diagnose import diagnostics
from grouper.editor.document import Document
from grouper.editor.navigate import (
    Renaming,
)
from grouper.editor.positions import Lines
from grouper.editor.workspace import Workspace
from grouper.version import __version__

PAUSE = 0.15  # seconds without an edit until the file is checked
Answer = TypeVar("Answer")


class _Place(Protocol):
    """The parameters of every request on a position in a file."""

    text_document: types.TextDocumentIdentifier
    position: types.Position


class Server(LanguageServer):
    """The open files, and the thread that checks them while other requests are answered.

    Clients send whole texts: the library would count lines like Python, not like the protocol.
    """

    def __init__(self, default_model: str | None = None) -> None:
        full = types.TextDocumentSyncKind.Full
        super().__init__("grouper", __version__, text_document_sync_kind=full)
        self.files = Workspace(default_model)
        self.addresses: dict[str, str] = {}  # URIs as the client writes them, by path
        self._thread = ThreadPoolExecutor(1)
        self._waiting: dict[str, asyncio.Task[None]] = {}

    @property
    def encoding(self) -> str:
        return str(self.workspace.position_encoding or "utf-16")

    def open(self, uri: str) -> Document | None:
        return self.files.document(path_of(uri))

    def at(self, where: _Place) -> tuple[Document, int] | None:
        """The file and the offset of a request; None if the file is not open."""
        document = self.open(where.text_document.uri)
        if document is None:
            return None
        lines = document.lines(self.encoding)
        return document, lines.offset(where.position.line, where.position.character)

    async def checked(self, document: Document, ask: Callable[[Document], Answer]) -> Answer:
        """An answer that needs the rules to be checked. Raises ContentModified if the file has
        changed in the meantime, because the answer would be about an old text."""
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._thread, self._answer, document, ask)
        current = self.files.document(document.path)
        if answer is None or current is None or current.source is not document.source:
            raise JsonRpcContentModified()
        return answer[0]

    def _answer(
        self, document: Document, ask: Callable[[Document], Answer]
    ) -> tuple[Answer] | None:
        current = self.files.document(document.path)
        if current is None or current.source is not document.source:
            return None
        return (ask(document),)

    def publish_soon(self, path: str, pause: float = PAUSE) -> None:
        """Check a file, and those that include it, after a pause without edits."""
        for other in self.files.paths:
            document = self.files.document(other)
            if document is not None and (other == path or path in document.stamps):
                before = self._waiting.pop(other, None)
                if before is not None:
                    before.cancel()
                self._waiting[other] = asyncio.ensure_future(self._publish(other, pause))

    async def _publish(self, path: str, pause: float) -> None:
        await asyncio.sleep(pause)
        document = self.files.document(path)
        if document is None:
            return
        try:
            problems = await self.checked(document, diagnostics)
        except JsonRpcContentModified:
            return
        lines, uri = document.lines(self.encoding), self.uri(path)
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(
                uri,
                [convert.diagnostic(one, lines) for one in problems],
                version=self.workspace.get_text_document(uri).version,
            )
        )

    def uri(self, path: str) -> str:
        """The URI of a file, as the client writes it."""
        return self.addresses.get(path) or convert.uri_of(path)

    def workspace_edit(self, renamings: tuple[Renaming, ...]) -> types.WorkspaceEdit:
        changes = {}
        for renaming in renamings:
            lines = Lines(renaming.edits[0].span.source.text, self.encoding)  # type: ignore[arg-type]
            changes[self.uri(renaming.path)] = convert.edits(renaming.edits, lines)
        return types.WorkspaceEdit(changes=changes)


def path_of(uri: str) -> str:
    """The path of a file; `<uri>` for a text that is not on disk."""
    return to_fs_path(uri) or f"<{uri}>"
