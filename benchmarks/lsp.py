"""How long the language server takes to answer, on a model of 1,000 parameters and 300 rules.

python benchmarks/lsp.py

A client asks a server in a process of its own, over its standard streams: once while the text
rests, and once right after an edit, which every answer has to take in. Findings come by themselves,
a pause after the last edit; what is shown is the time from the end of the pause.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

from lsprotocol import types
from pygls.exceptions import JsonRpcContentModified
from pygls.lsp.client import LanguageClient
from pygls.uris import from_fs_path

from grouper.editor.server import PAUSE
from grouper.model.inventory import Inventory, Module, Parameter
from grouper.reports.formats import PARAMETERS
from grouper.reports.output import Output

ROUNDS = 15
LAYERS = 100
PARTS = ("attention.query", "attention.key", "mlp.up", "mlp.down", "norm")


def model() -> Inventory:
    """A transformer of 1,000 parameters, its modules with classes."""
    names = [
        f"layers.{i}.{p}.{leaf}"
        for i in range(LAYERS)
        for p in PARTS
        for leaf in ("weight", "bias")
    ]
    parameters = (
        Parameter(
            (n,),
            (64, 64) if n.endswith("weight") and "norm" not in n else (64,),
            "float32",
            True,
            n,
        )
        for n in names
    )
    modules = {"": Module("", "model.Model", ("torch.nn.modules.module.Module",))}
    for name in names:
        pieces = name.split(".")[:-1]
        for depth in range(1, len(pieces) + 1):
            path = ".".join(pieces[:depth])
            modules[path] = Module(path, f"model.{pieces[depth - 1].title()}", ())
    return Inventory(tuple(parameters), modules)


def rules(path: str) -> str:
    lines = [f'for "{path}"', "let base = 0.1", "optimizer SGD lr=base momentum=0.9"]
    for i in range(LAYERS):
        lines += [
            f"layers.{i}.attention.*.weight and ndim == 2 -> att{i} lr=base*{i + 1} momentum=0.8",
            f"layers.{i}.mlp.{{up,down}}.* -> mlp{i} lr=0.01",
            f"layers.{i}.norm.* or layers.{i}.attention.*.bias -> rest{i} lr=0.001",
        ]
    return "\n".join(lines) + "\n"


class Client:
    """A rules file that is open in a server, and its edits."""

    def __init__(self, client: LanguageClient, uri: str, text: str) -> None:
        self.client, self.uri, self.text, self.version = client, uri, text, 1
        self.published: asyncio.Queue[tuple[int | None, float]] = asyncio.Queue()

        @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def _(params: types.PublishDiagnosticsParams) -> None:
            self.published.put_nowait((params.version, time.perf_counter()))

    def edit(self) -> None:
        """One character more, in the middle of the file."""
        self.version += 1
        text = self.text.replace("-> mlp50 lr=0.01", "-> mlp50 lr=0.01" + "1" * (self.version % 9))
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self.version, self.uri),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    async def findings(self, version: int) -> float:
        """When the findings of a version came."""
        while True:
            found, when = await self.published.get()
            if found == version:
                return when


def requests(client: Client) -> dict[str, Callable[[], Awaitable[object]]]:
    here = types.TextDocumentIdentifier(client.uri)
    of, lines = client.client, client.text.split("\n")
    row = next(i for i, line in enumerate(lines) if "att50" in line)

    def at(word: str) -> types.Position:
        return types.Position(row, lines[row].index(word) + 1)

    screen = types.Range(types.Position(row - 25, 0), types.Position(row + 25, 0))
    return {
        "completion, a module": lambda: of.text_document_completion_async(
            types.CompletionParams(here, at(".attention"))
        ),
        "completion, a value": lambda: of.text_document_completion_async(
            types.CompletionParams(here, at("base"))
        ),
        "hover, a selector": lambda: of.text_document_hover_async(
            types.HoverParams(here, at("layers"))
        ),
        "hover, an option": lambda: of.text_document_hover_async(
            types.HoverParams(here, at("lr="))
        ),
        "definition": lambda: of.text_document_definition_async(
            types.DefinitionParams(here, at("base"))
        ),
        "references": lambda: of.text_document_references_async(
            types.ReferenceParams(types.ReferenceContext(True), here, at("base"))
        ),
        "rename": lambda: of.text_document_rename_async(
            types.RenameParams(here, at("base"), "rate")
        ),
        "symbols": lambda: of.text_document_document_symbol_async(types.DocumentSymbolParams(here)),
        "folding": lambda: of.text_document_folding_range_async(types.FoldingRangeParams(here)),
        "formatting": lambda: of.text_document_formatting_async(
            types.DocumentFormattingParams(here, types.FormattingOptions(4, True))
        ),
        "semantic tokens": lambda: of.text_document_semantic_tokens_full_async(
            types.SemanticTokensParams(here)
        ),
        "inlay hints, 50 lines": lambda: of.text_document_inlay_hint_async(
            types.InlayHintParams(here, screen)
        ),
        "quick fixes": lambda: of.text_document_code_action_async(
            types.CodeActionParams(here, screen, types.CodeActionContext([]))
        ),
    }  # fmt: skip


async def milliseconds(ask: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    try:
        await ask()
    except JsonRpcContentModified:
        return float("nan")
    return (time.perf_counter() - start) * 1000


async def measure(folder: Path) -> None:
    snapshot = "".join(PARAMETERS.render("json", model(), Output()))
    (folder / "model.json").write_text(snapshot, "utf-8")
    text = rules("model.json")
    lsp = LanguageClient("benchmark", "1")
    await lsp.start_io(sys.executable, "-m", "grouper", "lsp")
    await lsp.initialize_async(types.InitializeParams(types.ClientCapabilities()))
    lsp.initialized(types.InitializedParams())
    client = Client(lsp, from_fs_path(str(folder / "big.rules")) or "", text)
    start = time.perf_counter()
    lsp.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(client.uri, "grouper", 1, text))
    )
    print(f"findings of a file just opened: {(await client.findings(1) - start) * 1000:.0f} ms")
    print(f"{'milliseconds':<24}{'at rest':>10}{'worst':>8}{'edited':>10}{'worst':>8}")
    for name, ask in requests(client).items():
        await ask()
        rested = [await milliseconds(ask) for _ in range(ROUNDS)]
        edited = []
        for _ in range(ROUNDS):
            client.edit()
            edited.append(await milliseconds(ask))
            await client.findings(client.version)
        print(
            f"{name:<24}{median(rested):>10.1f}{max(rested):>8.1f}"
            f"{median(edited):>10.1f}{max(edited):>8.1f}"
        )
    waits = []
    for _ in range(ROUNDS):
        client.edit()
        start = time.perf_counter()
        waits.append((await client.findings(client.version) - start - PAUSE) * 1000)
    print(f"{'findings':<24}{'':>18}{median(waits):>10.1f}{max(waits):>8.1f}")
    await lsp.shutdown_async(None)
    lsp.exit(None)
    await lsp.stop()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))


if __name__ == "__main__":
    main()
