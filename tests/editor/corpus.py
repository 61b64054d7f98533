"""Rules files, right ones and wrong ones, and a model for them."""

from __future__ import annotations

import random
from pathlib import Path

from support.builders import small_yolo

from grouper.editor.models import Models
from grouper.editor.workspace import Workspace

ROOT = Path(__file__).parents[2]
FILES = sorted(
    [*(ROOT / "rules").glob("*.rules"), *(ROOT / "tests/language/recipes").glob("*.rules")]
)
RIGHT = {path.name: path.read_text("utf-8") for path in FILES}
WRONG = {
    "empty": "",
    "an arrow": "->",
    "braces": "split a {\n{}\n} }",
    "no value": "* -> head lr=\nmodel.* -> ",
    "a string": 'include "',
    "a regex": "/(a+)+/ -> x\n/[/ -> y",
    "a circle": 'include "circle"',
    "bytes": "\ufeff\x00\u2028* -> a\x0c lr=1\r* -> b\r\n",
    "wide": "# \U0001f600 é\n\U0001f600.* -> a; é.* -> b lr=x",
    "deep": "let x = " + "(" * 150 + "1" + ")" * 150,
    "words": "let let = let\nexpect expect\nallow allow\noptimizer\nschedule\nwarmup warmup=\nfor",
    "labels": 'expect count(head) == 1\nexpect "a b".lr == 1\n* -> "a b" lr=count(',
    "nothing here": 'for "missing.pt"\nfor "timm:resnet18"\n* -> a lr=1',
    "elsewhere": 'base_model "https://example.invalid/a.pt"\n* -> a lr=base_model.fan_in',
    "captures": "layers.{i}.{i:0..3}.* where i < x -> b{i}{j} lr=0.1**max(i) schedule=step(size=",
}  # fmt: skip


EVERY = {**RIGHT, **WRONG}


def workspace(model=None):
    """A workspace whose files, where they name no model, are for a small YOLO."""
    inventory = model or small_yolo()
    return Workspace("small.pt", Models(lambda path, key: inventory))


def cuts(text, count=4, seed=0):
    """Beginnings of a text, as if it were being typed."""
    rng = random.Random(seed)
    return [text[: rng.randrange(len(text) + 1)] for _ in range(count)]


def edits(text, rng):
    """A text after a random edit, such as people make."""
    kind = rng.randrange(5)
    a, b = sorted(rng.randrange(len(text) + 1) for _ in range(2))
    b = min(b, a + rng.choice((1, 1, 2, 5, 40)))
    if kind == 0 and text:
        return text[:a] + text[b:]
    if kind == 1:
        return text[:a] + text[a:b] + text[a:]
    if kind == 2:
        return text[:a] + "\n" + text[a:]
    return text[:a] + rng.choice(WORDS) + text[a:]


WORDS = (
    *'abz019.*?{}[]()"/@=<>!,;:#-+ \n\t\r\\_\u00e9\U0001f600\u2028\x0c',
    "->", " -> ", "{i}", "{0..9}", "lr=", "lr*=", "in @", "split k {\n", "}\n", "let x = ", "else ",
    "override ", "where i < 2 ", "and ", "not ", "include \"yolov5\"\n", "expect count(", "head",
    "ndim == ", "shape[0] ", "freeze", "schedule ", "warmup ", "optimizer SGD ", "allow GR101 ",
    "1e-", "**", "==", "model.",
)  # fmt: skip
