"""`grouper lsp`, driven end to end by a client library over its standard streams."""

import asyncio
import random
import subprocess
import sys

import pytest

pytest.importorskip("pygls")
pytest.importorskip("pytest_lsp")

from editor.corpus import RIGHT, WRONG, edits
from editor.server import ROOT, driven, running
from lsprotocol import types
from pygls.exceptions import JsonRpcContentModified, JsonRpcInvalidParams

from grouper.cli.main import main
from grouper.editor.positions import Lines

MODEL = str(ROOT / "examples" / "yolov5s.pt")
FINE_TUNE = RIGHT["yolo-finetune.rules"]
EVERYTHING = types.Range(types.Position(0, 0), types.Position(10_000, 0))
INDENT = types.FormattingOptions(tab_size=4, insert_spaces=True)


def at(text, word, shift=1, encoding="utf-16"):
    return types.Position(*Lines(text, encoding).position(text.index(word) + shift))


def offset(text, position):
    return Lines(text).offset(position.line, position.character)


def applied(text, changes):
    """A text after edits of it, as an editor applies them."""
    for change in sorted(changes, key=lambda e: offset(text, e.range.start), reverse=True):
        start, end = offset(text, change.range.start), offset(text, change.range.end)
        text = text[:start] + change.new_text + text[end:]
    return text


async def all_answers(editor, uri, position):
    """Every request on a place of a file."""
    nothing = types.CodeActionContext([])
    asked = [
        editor.ask("hover", uri, position),
        editor.ask("completion", uri, position),
        editor.ask("definition", uri, position),
        editor.ask("references", uri, position, context=types.ReferenceContext(True)),
        editor.ask("document_symbol", uri),
        editor.ask("folding_range", uri),
        editor.ask("formatting", uri, options=INDENT),
        editor.ask("semantic_tokens_full", uri),
        editor.ask("inlay_hint", uri, range=EVERYTHING),
        editor.ask("code_action", uri, range=EVERYTHING, context=nothing),
        editor.ask("prepare_rename", uri, position),
        editor.ask("rename", uri, position, new_name="renamed"),
    ]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for answer in answers[:-2]:
        assert not isinstance(answer, BaseException), answer
    for answer in answers[-2:]:
        assert not isinstance(answer, BaseException) or isinstance(answer, JsonRpcInvalidParams)
    return answers


@pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")
@pytest.mark.parametrize(
    ("editor_name", "files"),
    [("visual-studio-code", {**RIGHT, **WRONG}), ("neovim", WRONG), ("emacs", WRONG)],
    ids=["visual-studio-code", "neovim", "emacs"],
)
@driven
@pytest.mark.slow
async def test_every_request_on_every_file(editor_name, files, tmp_path):
    rng = random.Random(0)
    async with running("--model", MODEL, editor=editor_name) as editor:
        for name, text in files.items():
            uri = editor.open(tmp_path / f"{name}.rules", text)
            await all_answers(editor, uri, types.Position(*Lines(text).position(len(text))))
            place = rng.randrange(len(text) + 1)
            await all_answers(editor, uri, types.Position(*Lines(text).position(place)))
            await editor.findings(uri)
            editor.close(uri)
        assert not editor.client.log_messages


@driven
async def test_findings_are_those_of_the_command(tmp_path, capsys):
    text = FINE_TUNE.replace("momentum", "momentun")
    (tmp_path / "a.rules").write_text(text)
    async with running("--model", MODEL) as editor:
        found = await editor.findings(editor.open(tmp_path / "a.rules", text))
    main(["check", "--model", MODEL, str(tmp_path / "a.rules")])
    printed = capsys.readouterr().out
    assert len(found) == printed.count("error[") + printed.count("warning[") + printed.count(
        "note["
    )
    for one in found:
        assert f"[{one.code}]" in printed
        assert one.message.splitlines()[0] in printed


@driven
async def test_a_quick_fix_mends_what_it_is_for(tmp_path):
    text = FINE_TUNE.replace("nesterov", "nestrov")
    async with running("--model", MODEL) as editor:
        uri = editor.open(tmp_path / "a.rules", text)
        found = await editor.findings(uri)
        context = types.CodeActionContext(found)
        (action,) = await editor.ask("code_action", uri, range=EVERYTHING, context=context)
        assert action.title == "Replace `nestrov` with `nesterov`"
        assert [d.code for d in action.diagnostics] == ["GR201"]
        assert applied(text, action.edit.changes[uri]) == FINE_TUNE
        editor.change(uri, FINE_TUNE)
        assert not await editor.findings(uri)


@driven
async def test_hover_says_what_is_matched_and_where_an_option_comes_from(tmp_path):
    async with running("--model", MODEL) as editor:
        uri = editor.open(tmp_path / "a.rules", FINE_TUNE)
        hover = await editor.ask("hover", uri, at(FINE_TUNE, "@{Detect"))
        assert "matches 6 tensors, 229,245 parameters" in hover.contents.value
        assert "`model.24.m.{0..2}.{weight,bias}`" in hover.contents.value
        hover = await editor.ask("hover", uri, at(FINE_TUNE, "lr*="))
        assert "it takes effect for 171 of 171 tensors" in hover.contents.value
        assert "`lr=0.001` = `0.01 * 0.1` in 171 tensors" in hover.contents.value
        hover = await editor.ask("hover", uri, at(FINE_TUNE, "lr=base", 4))
        assert "`let base = 0.01`" in hover.contents.value
        wrong = FINE_TUNE.replace("nesterov", "nestrov")
        editor.change(uri, wrong)
        await editor.findings(uri)
        hover = await editor.ask("hover", uri, at(wrong, "nestrov"))
        assert "GR201 unknown-option" in hover.contents.value
        assert "# bad: SGD has `momentum`" in hover.contents.value


@driven
async def test_hints_count_what_rules_take_and_last_through_a_slip(tmp_path):
    async with running("--model", MODEL) as editor:
        uri = editor.open(tmp_path / "a.rules", FINE_TUNE)
        hints = await editor.ask("inlay_hint", uri, range=EVERYTHING)
        labels = [hint.label for hint in hints]
        assert "57 tensors, 9,504 parameters" in labels
        assert "6 tensors, 229,245 parameters" in labels
        editor.change(uri, FINE_TUNE + "\nlet x = ")
        hints = await editor.ask("inlay_hint", uri, range=EVERYTHING)
        assert "6 tensors, 229,245 parameters" in [hint.label for hint in hints]


@driven
async def test_names_are_found_and_renamed_over_files(tmp_path):
    (tmp_path / "base.rules").write_text("let rate = 0.1  # a\n")
    text = 'include "base.rules"\nlet é = "😀"; * -> head lr=rate; expect head.lr == rate\n'
    async with running() as editor:
        uri = editor.open(tmp_path / "main.rules", text)
        place = at(text, "lr=rate", 3)
        (found,) = await editor.ask("definition", uri, place)
        assert found.uri.endswith("/base.rules")
        context = types.ReferenceContext(include_declaration=True)
        assert len(await editor.ask("references", uri, place, context=context)) == 3
        edit = await editor.ask("rename", uri, place, new_name="speed")
        assert applied(text, edit.changes[uri]) == text.replace("rate", "speed")
        assert len(edit.changes) == 2
        edit = await editor.ask("rename", uri, at(text, "head.lr"), new_name="top")
        assert applied(text, edit.changes[uri]) == text.replace("head", "top")
        for name in ("let", "é", "a b", "sqrt", ""):
            with pytest.raises(JsonRpcInvalidParams):
                await editor.ask("rename", uri, place, new_name=name)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@driven
async def test_places_are_in_the_units_of_the_client(encoding, tmp_path):
    text = '# é\nlet a = "😀é"; let b = a\n* -> x lr=b'
    async with running(encodings=[encoding]) as editor:
        assert editor.client.started.capabilities.position_encoding == encoding
        uri = editor.open(tmp_path / "a.rules", text)
        (found,) = await editor.ask("definition", uri, at(text, "= a", 2, encoding))
        assert found.range.start == at(text, "a =", 0, encoding)
        (found,) = await editor.ask("definition", uri, at(text, "lr=b", 3, encoding))
        assert found.range.start == at(text, "b =", 0, encoding)


@driven
async def test_formatting_is_that_of_the_command(tmp_path):
    text = FINE_TUNE.replace("    ", " ").replace("\n", "\r\n")
    (tmp_path / "a.rules").write_bytes(text.encode())
    async with running() as editor:
        uri = editor.open(tmp_path / "a.rules", text)
        changes = await editor.ask("formatting", uri, options=INDENT)
        main(["fmt", "-q", str(tmp_path / "a.rules")])
        assert applied(text, changes).encode() == (tmp_path / "a.rules").read_bytes()
        editor.change(uri, "* -> ")
        assert not await editor.ask("formatting", uri, options=INDENT)


@driven
async def test_a_model_that_changes_on_the_disk_is_read_again(tmp_path):
    model = tmp_path / "model.json"
    main(["params", MODEL, "--key", "model", "--save", str(model)])
    whole = model.read_text()
    model.write_text("{}")
    text = 'for "model.json"\n* -> all lr=0.1\n'
    async with running() as editor:
        uri = editor.open(tmp_path / "a.rules", text)
        (found,) = await editor.findings(uri)
        assert found.range.start.line == 0
        model.write_text(whole)
        editor.client.published.clear()
        editor.client.diagnostics.clear()
        editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([]))
        assert not await editor.findings(uri)
        assert "177 tensors" in str(await editor.ask("inlay_hint", uri, range=EVERYTHING))


@driven
async def test_code_that_a_file_names_is_not_run(tmp_path):
    (tmp_path / "trap.py").write_text(
        f"open({str(tmp_path / 'sprung')!r}, 'w')\ndef model(): pass\n"
    )
    text = 'for "trap:model"\nbase_model "trap:model"\n* -> all lr=base_model.fan_in\n'
    async with running() as editor:
        uri = editor.open(f"untitled:{tmp_path}/a.rules", text)
        found = await editor.findings(uri)
        assert any("the editor does not read" in one.message for one in found)
        assert not (tmp_path / "sprung").exists()


@driven
@pytest.mark.slow
async def test_edits_that_come_faster_than_answers(tmp_path):
    rng = random.Random(1)
    async with running("--model", MODEL) as editor:
        text = FINE_TUNE
        uri = editor.open(tmp_path / "a.rules", text)
        for _ in range(150):
            text = edits(text, rng)[:3000]
            editor.change(uri, text)
            place = types.Position(*Lines(text).position(rng.randrange(len(text) + 1)))
            first = asyncio.ensure_future(editor.ask("inlay_hint", uri, range=EVERYTHING))
            symbols = await editor.ask("document_symbol", uri)
            assert all(offset(text, s.range.end) <= len(text) for s in symbols)
            await editor.ask("completion", uri, place)
            try:
                for hint in await first:
                    assert offset(text, hint.position) <= len(text)
            except JsonRpcContentModified:
                pass
        last = await editor.findings(uri)
        fresh = editor.open(tmp_path / "b.rules", text)
        assert [(d.range, d.message) for d in await editor.findings(fresh)] == [
            (d.range, d.message) for d in last
        ]


@driven
async def test_files_are_called_as_the_client_calls_them(tmp_path):
    folder = tmp_path / "a b é"
    folder.mkdir()
    (folder / "base.rules").write_text("let rate = 0.1\n")
    text = 'include "base.rules"\n* -> all lr=rates\n'
    async with running() as editor:
        uri = f"file://{tmp_path}/a%20b%20%C3%A9/main%2Erules"
        assert await editor.findings(editor.open_uri(uri, text))
        assert set(editor.client.diagnostics) == {uri}
        edit = await editor.ask("rename", uri, at(text, "-> all", 4), new_name="every")
        assert set(edit.changes) == {uri}


def test_it_needs_no_torch_and_says_what_it_needs(capsys, monkeypatch):
    code = "import sys, grouper.editor.run; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
    for name in [n for n in sys.modules if n.startswith("grouper.editor")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pygls", None)
    monkeypatch.setitem(sys.modules, "pygls.exceptions", None)
    assert main(["lsp"]) == 2
    error = "error: the language server needs pygls: `pip install pygls`\n"
    assert capsys.readouterr().err == error


def test_it_ends_when_nobody_speaks_to_it_any_more():
    done = subprocess.run(
        [sys.executable, "-m", "grouper", "lsp"],
        input=b"",
        cwd=ROOT,
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
