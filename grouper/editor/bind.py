"""Binds each request of the protocol to the function that answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from grouper.editor import convert
from grouper.editor.colours import MODIFIERS, TYPES, semantic_tokens
from grouper.editor.complete import complete
from grouper.editor.fixes import fixes
from grouper.editor.fold_lines import folds
from grouper.editor.hints import hints
from grouper.editor.hover import hover
from grouper.editor.navigate import (
    CannotRename,
    definition,
    references,
    rename,
    renamed_span,
)
from grouper.editor.server import Server, path_of
from grouper.editor.symbols import symbols
from grouper.editor.tidy import tidied


def make_server(default_model: str | None = None) -> Server:
    """A server with every request bound."""
    server = Server(default_model)
    for name, answer in _REQUESTS.items():
        server.feature(name, _OPTIONS.get(name))(answer)
    return server


# --- notifications from the client -------------------------------------------------------


def did_open(server: Server, params: types.DidOpenTextDocumentParams) -> None:
    path = path_of(params.text_document.uri)
    server.addresses[path] = params.text_document.uri
    server.files.set(path, params.text_document.text)
    server.publish_soon(path, pause=0)


def did_change(server: Server, params: types.DidChangeTextDocumentParams) -> None:
    text = server.workspace.get_text_document(params.text_document.uri).source
    server.files.set(path_of(params.text_document.uri), text)
    server.publish_soon(path_of(params.text_document.uri))


def did_save(server: Server, params: types.DidSaveTextDocumentParams) -> None:
    server.publish_soon(path_of(params.text_document.uri), pause=0)


def did_close(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    path = path_of(params.text_document.uri)
    server.files.close(path)
    nothing = types.PublishDiagnosticsParams(params.text_document.uri, [])
    server.text_document_publish_diagnostics(nothing)
    server.publish_soon(path)


def watched(server: Server, _params: types.DidChangeWatchedFilesParams) -> None:
    for path in server.files.paths:
        server.publish_soon(path)


def configured(server: Server, params: types.DidChangeConfigurationParams) -> None:
    settings = params.settings if isinstance(params.settings, dict) else {}
    own = settings.get("grouper")
    model = own.get("model") if isinstance(own, dict) else None
    server.files.use_model(model if isinstance(model, str) and model else None)
    watched(server, types.DidChangeWatchedFilesParams([]))


# --- requests from the client ------------------------------------------------------------


async def on_hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    place = server.at(params)
    if place is None:
        return None
    document, offset = place
    content = await server.checked(document, lambda checked: hover(checked, offset))
    if content is None:
        return None
    return convert.hover(content, document.lines(server.encoding), server.client_capabilities)


def on_completion(server: Server, params: types.CompletionParams) -> types.CompletionList:
    place = server.at(params)
    if place is None:
        return types.CompletionList(False, [])
    document, offset = place
    lines = document.lines(server.encoding)
    client = server.client_capabilities
    items = [convert.completion(one, lines, client) for one in complete(document, offset)]
    return types.CompletionList(False, items)


def on_definition(server: Server, params: types.DefinitionParams) -> list[types.Location]:
    place = server.at(params)
    spans = definition(*place) if place is not None else ()
    return [_location(server, span) for span in spans]


def on_references(server: Server, params: types.ReferenceParams) -> list[types.Location]:
    place = server.at(params)
    spans = references(*place, params.context.include_declaration) if place is not None else ()
    return [_location(server, span) for span in spans]


def _location(server: Server, span: Any) -> types.Location:
    location = convert.location(span, server.encoding)
    return types.Location(server.uri(span.source.path), location.range)


def on_prepare_rename(server: Server, params: types.PrepareRenameParams) -> types.Range | None:
    place = server.at(params)
    if place is None:
        return None
    try:
        return convert.range_of(place[0].lines(server.encoding), renamed_span(*place))
    except CannotRename as error:
        raise JsonRpcInvalidParams(str(error)) from None


def on_rename(server: Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
    place = server.at(params)
    if place is None:
        return None
    try:
        return server.workspace_edit(rename(*place, params.new_name))
    except CannotRename as error:
        raise JsonRpcInvalidParams(str(error)) from None


def on_symbols(server: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    document = server.open(params.text_document.uri)
    if document is None:
        return []
    lines = document.lines(server.encoding)
    return [convert.symbol(one, lines) for one in symbols(document)]


def on_folds(server: Server, params: types.FoldingRangeParams) -> list[types.FoldingRange]:
    document = server.open(params.text_document.uri)
    return [convert.fold(found) for found in folds(document)] if document is not None else []


def on_formatting(server: Server, params: types.DocumentFormattingParams) -> list[types.TextEdit]:
    document = server.open(params.text_document.uri)
    if document is None:
        return []
    return convert.edits(tidied(document), document.lines(server.encoding))


def on_tokens(server: Server, params: types.SemanticTokensParams) -> types.SemanticTokens:
    document = server.open(params.text_document.uri)
    data = semantic_tokens(document, server.encoding) if document is not None else ()
    return types.SemanticTokens(list(data))


async def on_hints(server: Server, params: types.InlayHintParams) -> list[types.InlayHint]:
    document = server.open(params.text_document.uri)
    if document is None:
        return []
    lines = document.lines(server.encoding)
    start, end = (lines.offset(p.line, p.character) for p in (params.range.start, params.range.end))
    in_range = await server.checked(document, lambda checked: hints(checked, start, end))
    return [convert.hint(one, lines) for one in in_range]


async def on_code_action(server: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    document = server.open(params.text_document.uri)
    if document is None:
        return []
    lines = document.lines(server.encoding)
    start, end = (lines.offset(p.line, p.character) for p in (params.range.start, params.range.end))
    in_range = await server.checked(document, lambda checked: fixes(checked, start, end))
    return [
        types.CodeAction(
            fix.title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[d for d in params.context.diagnostics if d.code == fix.finding.code.id],
            is_preferred=True,
            edit=types.WorkspaceEdit(
                changes={params.text_document.uri: convert.edits(fix.edits, lines)}
            ),
        )
        for fix in in_range
    ]


_REQUESTS: dict[str, Callable[..., Any]] = {
    types.TEXT_DOCUMENT_DID_OPEN: did_open,
    types.TEXT_DOCUMENT_DID_CHANGE: did_change,
    types.TEXT_DOCUMENT_DID_SAVE: did_save,
    types.TEXT_DOCUMENT_DID_CLOSE: did_close,
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: watched,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: configured,
    types.TEXT_DOCUMENT_HOVER: on_hover,
    types.TEXT_DOCUMENT_COMPLETION: on_completion,
    types.TEXT_DOCUMENT_DEFINITION: on_definition,
    types.TEXT_DOCUMENT_REFERENCES: on_references,
    types.TEXT_DOCUMENT_PREPARE_RENAME: on_prepare_rename,
    types.TEXT_DOCUMENT_RENAME: on_rename,
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: on_symbols,
    types.TEXT_DOCUMENT_FOLDING_RANGE: on_folds,
    types.TEXT_DOCUMENT_FORMATTING: on_formatting,
    types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL: on_tokens,
    types.TEXT_DOCUMENT_INLAY_HINT: on_hints,
    types.TEXT_DOCUMENT_CODE_ACTION: on_code_action,
}
_OPTIONS: dict[str, Any] = {
    types.TEXT_DOCUMENT_COMPLETION: types.CompletionOptions(
        trigger_characters=[".", "@", '"', "=", "{", "(", "/"]
    ),
    types.TEXT_DOCUMENT_RENAME: types.RenameOptions(prepare_provider=True),
    types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL: types.SemanticTokensLegend(
        list(TYPES), list(MODIFIERS)
    ),
    types.TEXT_DOCUMENT_CODE_ACTION: types.CodeActionOptions([types.CodeActionKind.QuickFix]),
}
