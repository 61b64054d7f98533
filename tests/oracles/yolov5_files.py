"""The project's files that train_yolov5.py proves: the patch, the page about it, the rules."""

from __future__ import annotations

import hashlib
import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATCH = ROOT / "examples" / "yolov5_train.patch"
PAGE = ROOT / "docs" / "yolov5.md"
SGD, ADAMW, FINETUNE = "yolov5.rules", "yolov5-adamw.rules", "yolo-finetune.rules"


def naming() -> str:
    """What docs/yolov5.md says to put before resuming a run that was begun without grouper."""
    page = PAGE.read_text("utf-8").partition("begun without grouper")[2]
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert code is not None
    return textwrap.indent(code[1], " " * 12)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def files() -> dict[str, str]:
    """What the outcome hangs on, digested: the patch, the page's code, the rules without their
    comments. If it changes, the recording is stale."""
    rules = {f"rules/{name}": (ROOT / "rules" / name).read_text("utf-8") for name in (SGD, ADAMW)}
    without = {
        path: re.sub(r"(?m)\s*#.*$|^allow .*\n|^\s*\n", "", text) for path, text in rules.items()
    }
    return {
        str(PATCH.relative_to(ROOT)): digest(PATCH.read_text("utf-8")),
        str(PAGE.relative_to(ROOT)): digest(naming()),
        **{path: digest(text) for path, text in without.items()},
    }
