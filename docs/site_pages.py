"""Generates pages of the site: the Python reference, all findings, and llms.txt."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import grouper
from grouper.checks.catalog import ALL

if TYPE_CHECKING:
    from collections.abc import Callable

    from sphinx.application import Sphinx

DOCS = Path(__file__).parent
GENERATED = DOCS / "_generated"


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", _generate)
    app.connect("build-finished", _llms_txt)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _generate(_app: Sphinx) -> None:
    GENERATED.mkdir(exist_ok=True)
    for name, text in {"findings.md": _findings(), "api.md": _api()}.items():
        path = GENERATED / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def _findings() -> str:
    """The documentation of each finding, as `grouper rule CODE` prints it."""
    parts = ["# Findings", "All findings, by code."]
    for code in ALL:
        parts.append(f"## {code.id} {code.name}")
        parts.append(f"*{code.severity.value}*")
        parts.append(_fenced(inspect.cleandoc(code.page)))
    return "\n\n".join(parts) + "\n"


def _fenced(page: str) -> str:
    """Turns indented examples into fences, which are coloured by language."""
    parts: list[str] = []
    for example, lines in groupby(page.split("\n"), _is_example()):
        text = "\n".join(lines)
        parts.append(_fence(textwrap.dedent(text).strip("\n")) if example else text)
    return "\n\n".join(parts)


def _is_example() -> Callable[[str], bool]:
    """Tests whether a line belongs to an example; an empty line belongs with the one above."""
    inside = False

    def check(line: str) -> bool:
        nonlocal inside
        if line.strip():
            inside = line.startswith("    ")
        return inside

    return check


def _fence(example: str) -> str:
    try:
        ast.parse(example)
    except SyntaxError:
        return f"```\n{example}\n```"
    return f"```python\n{example}\n```"


def _api() -> str:
    parts = ["# Python", "All public names of `grouper`."]
    for name in grouper.__all__:
        kind = "class" if inspect.isclass(getattr(grouper, name)) else "function"
        kind = "exception" if _is_error(getattr(grouper, name)) else kind
        members = "" if kind != "class" else ":members:\n"
        home = getattr(grouper, name).__module__
        parts.append(f"## {name}")
        parts.append(f"```{{eval-rst}}\n.. auto{kind}:: {home}.{name}\n   {members}```")
    return "\n\n".join(parts) + "\n"


def _is_error(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, BaseException)


def _llms_txt(app: Sphinx, error: Exception | None) -> None:
    """Writes llms.txt: every page with its first paragraph."""
    if error is not None or app.builder.format != "html":
        return
    lines = [
        "# grouper",
        "",
        "> Parameter groups for PyTorch optimizers, from rules that can be read and checked.",
        "",
    ]
    for name in sorted(app.env.found_docs):
        text = Path(app.env.doc2path(name)).read_text("utf-8")
        title = re.search(r"^# (.+)$", text, re.MULTILINE)
        first = re.search(r"^(?![#`<\[|\s*-]).+(?:\n\S.*)*", text, re.MULTILINE)
        summary = " ".join(first[0].split()) if first else ""
        lines.append(f"- [{title[1] if title else name}]({name}.html): {summary}")
    (Path(app.outdir) / "llms.txt").write_text("\n".join(lines) + "\n", "utf-8")
