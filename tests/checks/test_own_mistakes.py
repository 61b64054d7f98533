"""Mistakes of our own making, on models of the realistic ones: the finding and its line."""

# ruff: noqa: E501

from pathlib import Path

import pytest

import grouper
from grouper.model.formats import snapshot
from grouper.text.findings import Severity

FOLDER = Path(__file__).parent / "mistakes"
MODELS = {
    "bert": "l11-llrd-counts-for-another-depth",
    "gpt2": "l03-tied-embedding-decay",
    "llama": "l27-muon-lr-and-adam-lr",
    "vit": "v07-decay-swapped",
    "yolo": "v37-freeze-statement",
    "res": "v11-downsample-norms-missed",
    "seg": "v05-lr-mult-key",
    "lora": "l15-lora-leaves-norms-training",
    "llava": "l19-layrnorm",
    "tied": "l43-freezing-a-tied-head",
    "swin": "v35-bias-table",
    "t5": "l31-bias-in-the-middle",
}
CASES = [
    (
        "bert",
        "optimizer AdamW lr=2e-5\nelse -> all\nelse *.bias -> bias weight_decay=0",
        "GR114",
        3,
    ),
    (
        "bert",
        "optimizer AdamW lr=2e-5 weight_decay=0.01\nbert.encoder.layer.1* -> second lr*=0.1\nelse -> rest",
        "GR308",
        2,
    ),
    (
        "bert",
        "optimizer AdamW lr=2e-5 weight_decay=0.01\nclassifier.weight -> head lr*=10\nelse -> body",
        "GR313",
        2,
    ),
    (
        "bert",
        "optimizer AdamW lr=2e-5 weight_decay=0.01\nbert.encoder.layer.{0-5}.* -> freeze\nelse -> rest",
        "GR003",
        2,
    ),
    (
        "bert",
        "optimizer AdamW lr=2e-5 weight_decay=0.01\nencoder.layer.* -> enc lr*=0.1\nelse -> rest",
        "GR105",
        2,
    ),
    (
        "bert",
        "optimizer AdamW lr=2e-5 weight_decay=0.01\nmodule.bert.embeddings.* -> freeze\nelse -> rest",
        "GR105",
        2,
    ),
    (
        "bert",
        "optimizer AdamW lr=2e-5 weight_decay=0.01\nbert.embeddings -> freeze\nelse -> rest",
        "GR105",
        2,
    ),
    (
        "bert",
        "optimizer AdamW lr=2e-5\nbias -> nodecay weight_decay=0\nelse -> decay weight_decay=0.01",
        "GR105",
        2,
    ),
    (
        "bert",
        "optimizer AdamW lr=2e-5\n*.bias or *LayerNorm* -> no_decay weight_decay=0\nelse -> decay weight_decay=0.01\n*.classifier.* -> head lr=1e-3",
        "GR105",
        4,
    ),
    (
        "bert",
        "optimizer AdamW lr=2e-5 weight_decay=0.01\nbert.encoder.layer.{i}.* -> layer{i} lr*=0.9 ** i\nelse -> rest",
        "GR319",
        2,
    ),
    (
        "bert",
        "optimizer AdamW lr=2e-5 weight_decay=0.01\nbert.encoder.layer.{i}.* -> layer{i} lr*=0.9 ** (24 - i)\nbert.embeddings.* -> emb lr*=0.9**25\nelse -> rest",
        "GR319",
        2,
    ),
    (
        "bert",
        "optimizer AdamW lr=2e-5 weight_decay=0.01\nbert.encoder.layer.{i}.* -> layer{i} lr*=0.9 ** (12 - i)\nelse -> rest",
        "GR319",
        3,
    ),
    (
        "gpt2",
        "optimizer AdamW lr=6e-4\nndim >= 2 -> decay weight_decay=0.1\nelse -> no_decay",
        "GR303",
        3,
    ),
    (
        "gpt2",
        "optimizer AdamW lr=6e-4 weight_decay=0.1\n@Linear -> matrix\nelse -> rest weight_decay=0",
        "GR302",
        3,
    ),
    (
        "llama",
        "optimizer AdamW lr=3e-4\noptimizer Muon as muon lr=0.02\nndim == 2 -> m optimizer=muon\nelse -> rest",
        "GR310",
        3,
    ),
    (
        "llama",
        "optimizer AdamW lr=3e-4\n*input_layernorm* or *post_attention_layernorm* -> norm weight_decay=0\nelse -> decay weight_decay=0.1",
        "GR301",
        3,
    ),
    ("llama", "optimizer AdamW lr=3e-4 betas=[0.9, 0.95]\nelse -> all", "GR001", 1),
    ("llama", "optimizer AdamW lr=3e-4\nschedule cosine eta_min=1e-5\nelse -> all", "GR023", 2),
    (
        "llama",
        "optimizer AdamW lr=3e-4\nwarmup steps=100\nschedule cosine_with_warmup\nelse -> all",
        "GR023",
        3,
    ),
    (
        "llama",
        "optimizer AdamW lr=3e-4\n* -> all weight_decay=0.1\n*norm* -> norm weight_decay=0",
        "GR102",
        3,
    ),
    (
        "llama",
        "optimizer AdamW lr=3e-4\nmodel.layers.{i}.* -> layer{i} lr*=0 ** (1 - i)\nelse -> rest",
        "GR320",
        2,
    ),
    ("yolo", "optimizer SGD lr=0.01 momentum=0.9\nhead.* -> head lr*=10\nelse -> body", "GR105", 2),
    (
        "yolo",
        "optimizer SGD lr=0.01 momentum=0.9\n*detect* -> head lr*=10\nelse -> body",
        "GR105",
        2,
    ),
    (
        "yolo",
        "optimizer SGD lr=0.01 momentum=0.9\n@Detect -> head lr*=10\nelse -> body",
        "GR105",
        2,
    ),
    (
        "yolo",
        "optimizer SGD lr=0.01 momentum=0.9\nmodel.24.* -> head lr*=10\nelse -> body",
        "GR105",
        2,
    ),
    (
        "yolo",
        "optimizer SGD lr=0.01 momentum=0.9\nmodel[22].* -> head lr*=10\nelse -> body",
        "GR105",
        2,
    ),
    (
        "yolo",
        "optimizer SGD lr=0.01 momentum=0.9\n*.bn.* -> bn weight_decay=0\n*.bias -> bias weight_decay=0 warmup_start=0.1\n*.weight -> w weight_decay=5e-4",
        "GR102",
        4,
    ),
    (
        "yolo",
        "optimizer SGD lr=0.01 momentum=0.9\nwarmup epochs=3 start=0.1\nelse -> all",
        "GR322",
        2,
    ),
    (
        "yolo",
        "optimizer SGD lr=0.01 momentum=0.9\nschedule step size=30 gamma=0.001\nelse -> all",
        "GR321",
        2,
    ),
    ("yolo", "optimizer SGD lr=0.01 momentum=0.9 decay=5e-4\nelse -> all", "GR201", 1),
    (
        "res",
        "optimizer SGD lr=0.1 momentum=0.9\nlayer4[0].* -> last lr*=0.1\nelse -> rest",
        "GR105",
        2,
    ),
    (
        "res",
        "optimizer SGD lr=0.1 momentum=0.9\nfc.* -> head lr=0.1\nbackbone.* -> freeze",
        "GR101",
        3,
    ),
    (
        "seg",
        "optimizer SGD lr=0.01 momentum=0.9\nbackbone.* -> freeze\nbackbone.layer4.* -> last lr=0.001\nelse -> head",
        "GR115",
        3,
    ),
    (
        "seg",
        "optimizer SGD lr=0.01 momentum=0.9\nbackbone.* -> frozen lr=0\nelse -> head",
        "GR303",
        2,
    ),
    (
        "seg",
        "optimizer SGD lr=0.01 momentum=0.9\nbackbone.* -> backbone requires_grad=false\nelse -> head",
        "GR201",
        2,
    ),
    (
        "lora",
        "optimizer AdamW lr=2e-4\noptimizer Muon as muon lr=0.02\nndim == 2 and *lora* -> m optimizer=muon\nelse -> freeze",
        "GR310",
        3,
    ),
    (
        "llava",
        "optimizer AdamW lr=2e-5 weight_decay=0.01\n*.layers.{i}.* -> layer{i} lr*=0.9 ** (count(i) - i)\nelse -> rest",
        "GR314",
        2,
    ),
    ("llava", "optimizer AdamW lr=2e-5\nvision_tower.* -> freeze\nelse -> rest", "GR105", 2),
    ("llava", "optimizer AdamW lr=2e-5\n*vision* -> v lr*=0.1\nmodel.* -> rest\n", "GR101", 3),
    (
        "t5",
        "optimizer AdamW lr=1e-4\n*LayerNorm* -> norm weight_decay=0\nelse -> decay weight_decay=0.01",
        "GR105",
        2,
    ),
    (
        "vit",
        "optimizer AdamW lr=1e-3 weight_decay=0.05\nhead.* -> head lr*=10\nelse -> body",
        "GR105",
        2,
    ),
    ("tied", "optimizer AdamW lr=2e-5\nlm_head.* -> head lr*=10\nelse -> body", "GR120", 2),
]


@pytest.mark.parametrize(("model", "text", "code", "line"), CASES)
def test_what_is_found_first(model, text, code, line):
    case = FOLDER / MODELS[model] / "model.json"
    inventory = snapshot.loads(case.read_text("utf-8"), "model.json")
    report = grouper.check(inventory, grouper.parse(text))
    first = next(f for f in report.findings if f.severity is not Severity.NOTE)
    assert (first.code.id, first.span and first.span.line) == (code, line)
    assert first.help
