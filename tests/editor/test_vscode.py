"""The extension for VS Code: its grammar tokenized by VS Code's own tokenizer, its client's side of
the protocol speaking to the server, and its files."""

import json
import re
import subprocess
import sys
import zipfile

import pytest
from editor.corpus import RIGHT
from editor.node import EXTENSION, run_node

import grouper
from grouper.editor.scan import all_tokens, scan
from grouper.editor.tokens import Kind
from grouper.language.syntax.statements import cut
from grouper.text.source import Source

SCOPES = {
    Kind.COMMENT: "comment.line",
    Kind.STRING: "string.quoted",
    Kind.REGEX: "string.regexp",
    Kind.NUMBER: "constant.numeric",
    Kind.CONSTANT: "constant.language",
    Kind.KEYWORD: "keyword.",
    Kind.OPERATOR: "keyword.operator",
    Kind.GLOB: "variable.other.glob",
    Kind.CLASS: "entity.name.class",
    Kind.FACT: "support.variable.fact",
    Kind.MARK: "support.variable.mark",
    Kind.LABEL: "entity.name.label",
    Kind.KEY: "variable.other.property",
    Kind.WORD: "variable.other.readwrite",
    Kind.REFERENCE: "entity.name.label",
    Kind.FUNCTION: "entity.name.function",
    Kind.VARIABLE: "variable.other.declaration",
    Kind.OPTIMIZER: "entity.name.class",
    Kind.ALIAS: "entity.name.class",
    Kind.SCHEDULE: "support.function.schedule",
    Kind.SPLIT: "entity.name.namespace",
    Kind.TAG: "variable.other.property",
    Kind.CODE: "constant.other.code",
}
MORE = """\
for "a.pt"
base_model "b.pt"
tag param_group, use_muon
in.weight and for.* or tag -> in_ lr=1 # no keywords
optimizer pkg.mod:Class as mine lr=1e-3 betas=(0.9, 0.95)
optional has no_weight_decay and (shape[-1] == 80 or tied) -> "a label" freeze
override else not /bias|norm/ where i < 4 and not i == 2 -> b{i} lr*=0.9**(max(i) - i)
    weight_decay=true
split kind { *.bias -> bias; else @{A,B} -> rest schedule=step(size=10) }
expect count(head) in 1..3 after warmup
expect "a label".lr == pi
allow GR101 ndim >= 2 and dtype == float16
allow unmatched-parameter
strict
else -> freeze
schedule weight_decay cosine final=0 after=warmup
"""


def test_the_grammar_sees_what_the_scanner_sees():
    texts = {**RIGHT, "more": MORE}
    found = run_node("tokenize.js", texts=texts)
    wrong = []
    for name, text in texts.items():
        pieces = cut(Source(text))
        for token in all_tokens(pieces, scan(pieces)):
            if token.kind in SCOPES:
                scopes = [s for a, b, s in found[name] if a <= token.start < b]
                if not any(SCOPES[token.kind] in scope for scope in scopes[0]):
                    wrong.append((name, token, scopes[0]))
    assert not wrong, wrong[:5]


def test_its_client_speaks_to_the_server(tmp_path):
    pytest.importorskip("pygls")
    text = "optimizer SGD lr=0.1\n* -> all lr=rate\n"
    said = run_node("speak.js", sys.executable, tmp_path, text=text)
    assert said["findings"] == ["GR023"]
    assert said["symbols"] == ["SGD", "all"]
    assert "optimizer" in said["items"]
    assert "renameProvider" in said["capabilities"]
    assert said["status"] == 0


def test_it_is_packaged_whole(tmp_path):
    run_node("tokenize.js", texts={})  # skips where there is no node
    made = tmp_path / "grouper.vsix"
    command = ["npx", "--no-install", "vsce", "package", "--allow-missing-repository"]
    subprocess.run(
        [*command, "--skip-license", "--out", str(made)],
        cwd=EXTENSION,
        check=True,
        capture_output=True,
        timeout=300,
    )
    names = zipfile.ZipFile(made).namelist()
    for name in ("extension.js", "syntaxes/grouper.tmLanguage.json", "snippets.json"):
        assert f"extension/{name}" in names
    assert any("vscode-languageclient/" in name for name in names)


def test_what_it_declares_is_there():
    package = json.loads((EXTENSION / "package.json").read_text())
    (language,) = package["contributes"]["languages"]
    (grammar,) = package["contributes"]["grammars"]
    assert (language["id"], grammar["language"]) == ("grouper", "grouper")
    for path in (language["configuration"], grammar["path"], package["main"]):
        assert (EXTENSION / path).is_file()


@pytest.mark.parametrize("name", json.loads((EXTENSION / "snippets.json").read_text()))
def test_snippets_are_rules(name):
    snippet = json.loads((EXTENSION / "snippets.json").read_text())[name]
    text = "\n".join(snippet["body"])
    text = re.sub(r"\$\{\d+\|([^,|]*)[^|]*\|\}", r"\1", text)
    text = re.sub(r"\$\{\d+:((?:[^\\}]|\\.)*)\}", r"\1", text).replace("\\}", "}")
    assert not [f for f in grouper.parse(text).findings if f.code.id < "GR020"], text
