"""A client library that drives `grouper lsp` over its standard streams."""

from __future__ import annotations

import asyncio
import inspect
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from lsprotocol import types
from pygls.protocol import default_converter
from pygls.uris import from_fs_path
from pytest_lsp import LanguageClient, client_capabilities
from pytest_lsp.client import DEFAULT_CLIENT_FEATURES, register_lsp_features

ROOT = Path(__file__).parents[2]


def driven(test):
    """A test that is a coroutine, as a test."""

    def run(*arguments, **named):
        asyncio.run(asyncio.wait_for(test(*arguments, **named), timeout=600))

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    run.__signature__ = inspect.signature(test)
    return run


@asynccontextmanager
async def running(*flags, encodings=None, editor="visual-studio-code"):
    """A client whose server has been started and initialized, and ends well."""
    client = LanguageClient(converter_factory=default_converter)
    features = {**DEFAULT_CLIENT_FEATURES, types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS: published}
    register_lsp_features(client, features)
    client.published = {}
    await client.start_io(sys.executable, "-m", "grouper", "lsp", *flags, cwd=str(ROOT))
    capabilities = client_capabilities(editor)
    if encodings is not None:
        capabilities.general = types.GeneralClientCapabilities(position_encodings=encodings)
    started = await client.initialize_session(
        types.InitializeParams(capabilities, root_uri=from_fs_path(str(ROOT)))
    )
    client.started = started
    try:
        yield Editor(client)
    finally:
        await client.shutdown_session()
        await client.stop()


def published(client: LanguageClient, params: types.PublishDiagnosticsParams):
    client.diagnostics[params.uri] = params.diagnostics
    client.published[params.uri] = params.version


class Editor:
    """What an editor does with files, in its own words."""

    def __init__(self, client):
        self.client = client
        self.versions = {}

    def open(self, path, text):
        elsewhere = str(path).startswith("untitled:")
        return self.open_uri(str(path) if elsewhere else from_fs_path(str(path)), text)

    def open_uri(self, uri, text):
        self.versions[uri] = 1
        item = types.TextDocumentItem(uri, "grouper", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def change(self, uri, text):
        self.versions[uri] += 1
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self.versions[uri], uri),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    def save(self, uri):
        document = types.TextDocumentIdentifier(uri)
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(document))

    def close(self, uri):
        document = types.TextDocumentIdentifier(uri)
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(document))

    async def findings(self, uri):
        """The diagnostics of the version that is open, once they are published."""
        for _ in range(1200):
            found = self.client.diagnostics.get(uri)
            if found is not None and self.client.published[uri] == self.versions[uri]:
                return found
            await asyncio.sleep(0.025)
        raise AssertionError("no diagnostics of this version")

    async def ask(self, request, uri, position=None, **more):
        """The answer to a request on a file, or on a place in it."""
        method = getattr(self.client, f"text_document_{request}_async")
        document = types.TextDocumentIdentifier(uri)
        kinds = {
            "hover": types.HoverParams,
            "completion": types.CompletionParams,
            "definition": types.DefinitionParams,
            "references": types.ReferenceParams,
            "prepare_rename": types.PrepareRenameParams,
            "rename": types.RenameParams,
            "document_symbol": types.DocumentSymbolParams,
            "folding_range": types.FoldingRangeParams,
            "formatting": types.DocumentFormattingParams,
            "semantic_tokens_full": types.SemanticTokensParams,
            "inlay_hint": types.InlayHintParams,
            "code_action": types.CodeActionParams,
        }
        if position is not None:
            more["position"] = position
        return await method(kinds[request](text_document=document, **more))
