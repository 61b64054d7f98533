"""Converts the answers to requests into the protocol's types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.uris import from_fs_path

from grouper.editor import candidate, symbols
from grouper.editor.candidate import Candidate
from grouper.editor.diagnose import Diagnostic
from grouper.editor.fold_lines import Fold
from grouper.editor.hints import Hint
from grouper.editor.hover import Hover
from grouper.editor.positions import Lines
from grouper.editor.symbols import Symbol
from grouper.text.findings import Edit, Severity
from grouper.text.source import Span

_SEVERITY = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.NOTE: types.DiagnosticSeverity.Information,
}
_ITEM = {
    candidate.Sort.KEYWORD: types.CompletionItemKind.Keyword,
    candidate.Sort.MODULE: types.CompletionItemKind.Module,
    candidate.Sort.PARAMETER: types.CompletionItemKind.Field,
    candidate.Sort.CLASS: types.CompletionItemKind.Class,
    candidate.Sort.MARK: types.CompletionItemKind.Property,
    candidate.Sort.LABEL: types.CompletionItemKind.EnumMember,
    candidate.Sort.OPTION: types.CompletionItemKind.Property,
    candidate.Sort.VARIABLE: types.CompletionItemKind.Variable,
    candidate.Sort.CAPTURE: types.CompletionItemKind.Variable,
    candidate.Sort.FACT: types.CompletionItemKind.Field,
    candidate.Sort.FUNCTION: types.CompletionItemKind.Function,
    candidate.Sort.CONSTANT: types.CompletionItemKind.Constant,
    candidate.Sort.OPTIMIZER: types.CompletionItemKind.Class,
    candidate.Sort.SCHEDULE: types.CompletionItemKind.Enum,
    candidate.Sort.VALUE: types.CompletionItemKind.Value,
    candidate.Sort.FILE: types.CompletionItemKind.File,
    candidate.Sort.CODE: types.CompletionItemKind.Constant,
}
_SYMBOL = {
    symbols.Sort.RULE: types.SymbolKind.EnumMember,
    symbols.Sort.SPLIT: types.SymbolKind.Enum,
    symbols.Sort.VARIABLE: types.SymbolKind.Variable,
    symbols.Sort.FILE: types.SymbolKind.File,
    symbols.Sort.OPTIMIZER: types.SymbolKind.Class,
    symbols.Sort.SETTING: types.SymbolKind.Property,
    symbols.Sort.CLAIM: types.SymbolKind.Boolean,
}


def position(lines: Lines, offset: int) -> types.Position:
    return types.Position(*lines.position(offset))


def range_of(lines: Lines, span: Span) -> types.Range:
    return types.Range(position(lines, span.start), position(lines, span.end))


def uri_of(path: str) -> str:
    """The URI of a file; a file that is not on disk has its URI in `<>` as its path."""
    return path[1:-1] if path.startswith("<") else from_fs_path(path) or path


def location(span: Span, encoding: str) -> types.Location:
    lines = Lines(span.source.text, encoding)  # type: ignore[arg-type]
    return types.Location(uri_of(span.source.path), range_of(lines, span))


def diagnostic(item: Diagnostic, lines: Lines) -> types.Diagnostic:
    code = item.finding.code
    return types.Diagnostic(
        range_of(lines, item.span),
        item.message,
        severity=_SEVERITY[item.finding.severity],
        code=code.id,
        source="grouper",
        tags=[types.DiagnosticTag.Unnecessary] if item.useless else None,
        related_information=[
            types.DiagnosticRelatedInformation(location(span, lines.encoding), message)
            for span, message in item.related
        ],
    )


def markup(text: str, kinds: Sequence[types.MarkupKind] | None) -> types.MarkupContent:
    """Markdown, declared as plain text if the client does not support it."""
    known = types.MarkupKind.Markdown in (kinds or ())
    return types.MarkupContent(
        types.MarkupKind.Markdown if known else types.MarkupKind.PlainText, text
    )


def hover(item: Hover, lines: Lines, client: types.ClientCapabilities) -> types.Hover:
    kinds = get_capability(client, "text_document.hover.content_format")
    return types.Hover(markup(item.markdown, kinds), range_of(lines, item.span))


def completion(
    item: Candidate, lines: Lines, client: types.ClientCapabilities
) -> types.CompletionItem:
    kinds = get_capability(client, "text_document.completion.completion_item.documentation_format")
    about = markup(item.documentation, kinds) if kinds else item.documentation
    return types.CompletionItem(
        label=item.text,
        kind=_ITEM[item.kind],
        detail=item.detail or None,
        documentation=about if item.documentation else None,
        sort_text=f"{item.rank}{item.text.zfill(6) if item.text.isdigit() else item.text}",
        filter_text=item.text,
        text_edit=types.TextEdit(range_of(lines, item.span), item.written),
    )


def edits(replacements: Iterable[Edit], lines: Lines) -> list[types.TextEdit]:
    return [types.TextEdit(range_of(lines, edit.span), edit.replacement) for edit in replacements]


def symbol(item: Symbol, lines: Lines) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        item.name,
        _SYMBOL[item.kind],
        range_of(lines, item.span),
        range_of(lines, item.selection),
        detail=item.detail or None,
        children=[symbol(child, lines) for child in item.children],
    )


def fold(item: Fold) -> types.FoldingRange:
    kind = types.FoldingRangeKind.Comment if item.comment else types.FoldingRangeKind.Region
    return types.FoldingRange(item.first, item.last, kind=kind)


def hint(item: Hint, lines: Lines) -> types.InlayHint:
    tooltip = types.MarkupContent(types.MarkupKind.Markdown, item.tooltip)
    return types.InlayHint(
        position(lines, item.offset), item.text, tooltip=tooltip, padding_left=True
    )
