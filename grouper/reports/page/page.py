"""Builds the HTML page from its style, its script and the report as inert data."""

from __future__ import annotations

import html
import json
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from string import Template
from typing import Any

from grouper.checks.report import Report
from grouper.language.shipped import title_of
from grouper.reports.page.data import page_data
from grouper.text.printable import count_phrase, size_phrase, visible
from grouper.train.plan import Plan

SCRIPTS = ("page.js",)


def html_page(report: Report, plan: Plan | None = None) -> str:
    """The page of a report, with its plan if there is one.

    Names and rules are untrusted: the page contains them as JSON in which no tag can start, and the
    script shows them as text. The page's content security policy allows only its own style and
    script, by their hashes, and no requests.
    """
    style, script = _asset("page.css"), "".join(map(_asset, SCRIPTS))
    inventory = report.inventory
    model = (
        f"{inventory.path} ({inventory.kind}): {count_phrase(inventory.parameters, 'tensor')},"
        f" {size_phrase(inventory.numel)}"
    )
    groups = report.grouping.groups if report.grouping else ()
    heading = title_of(report.rules.path)
    verdict = f"ok: {count_phrase(groups, 'group')}" if report.ok else "errors"
    return Template(_asset("page.html")).substitute(
        policy=_policy(style, script),
        title=_text(f"{heading} · grouper"),
        style=style,
        script=script,
        heading=_text(heading),
        model=_text(model),
        verdict=_text(verdict),
        verdict_class="good" if report.ok else "bad",
        report=embedded(page_data(report, plan)),
    )


def embedded(value: Any) -> str:
    """JSON that is safe inside a script element, even with untrusted strings."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}';"
        " base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _asset(name: str) -> str:
    return files("grouper.reports.page").joinpath(name).read_text("utf-8")


def _text(text: str) -> str:
    return html.escape(visible(text))
