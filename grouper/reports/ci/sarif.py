"""SARIF 2.1.0, the format of code scanning: one run, with its findings as results.

See "Static Analysis Results Interchange Format (SARIF) Version 2.1.0" by OASIS.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from grouper.checks.catalog import ALL
from grouper.checks.report import Report
from grouper.reports.ci.entries import Entry, Place, all_entries, place_of
from grouper.reports.output import Output
from grouper.text.findings import Code, Edit, Severity
from grouper.text.printable import visible
from grouper.version import __version__

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
MOST_PARAMETERS = 100  # of a finding; code scanning rejects files of more than 10 MB


def render_reports(reports: Sequence[Report], _output: Output) -> str:
    findings = all_entries(reports)
    reported = {entry.finding.code for entry in findings}
    codes = [code for code in ALL if code in reported]
    run = {
        "tool": {
            "driver": {
                "name": "grouper",
                "version": __version__,
                "rules": [_rule(code) for code in codes],
            }
        },
        "invocations": [{"executionSuccessful": True}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(entry, codes) for entry in findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(code: Code) -> dict[str, Any]:
    page = inspect.cleandoc(code.page)
    first = page.partition("\n\n")[0]
    return {
        "id": code.id,
        "name": code.name,
        "shortDescription": _message(code.name.replace("-", " ")),
        "fullDescription": _message(" ".join(first.split())),
        "help": _message(page),
        "defaultConfiguration": {"level": LEVELS[code.severity]},
    }


def _result(entry: Entry, codes: list[Code]) -> dict[str, Any]:
    finding = entry.finding
    message = [entry.message, *entry.lines[1 + bool(finding.parameters) :]]
    location = {"physicalLocation": _physical(entry.place), **_logical(finding.parameters)}
    result = {
        "ruleId": finding.code.id,
        "ruleIndex": codes.index(finding.code),
        "level": LEVELS[finding.severity],
        "message": _message("\n".join(message)),
        "locations": [location],
        "partialFingerprints": {"grouper/v1": entry.fingerprint},
    }
    if len(finding.labels) > 1:
        result["relatedLocations"] = [
            {
                "id": number,
                "physicalLocation": _physical(place_of(label.span)),
                **_label_message(label.message),
            }
            for number, label in enumerate(finding.labels[1:], 1)
        ]
    if finding.edits:
        result["fixes"] = [_fix(finding.edits, finding.help)]
    return result


def _label_message(message: str) -> dict[str, Any]:
    return {"message": _message(visible(message))} if message else {}


def _logical(parameters: Sequence[str]) -> dict[str, Any]:
    locations = [
        {"fullyQualifiedName": visible(name), "kind": "parameter"}
        for name in parameters[:MOST_PARAMETERS]
    ]
    return {"logicalLocations": locations} if locations else {}


def _physical(place: Place) -> dict[str, Any]:
    return {"artifactLocation": {"uri": _uri(place.path)}, "region": _region(place)}


def _region(place: Place) -> dict[str, int]:
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }


def _fix(edits: Sequence[Edit], help: str | None) -> dict[str, Any]:
    """All edits of a finding as one fix, with a list of replacements for each file."""
    changes: dict[str, list[dict[str, Any]]] = {}
    for edit in edits:
        place = place_of(edit.span)
        replacement = {
            "deletedRegion": _region(place),
            "insertedContent": {"text": edit.replacement},
        }
        changes.setdefault(_uri(place.path), []).append(replacement)
    artifacts = [
        {"artifactLocation": {"uri": uri}, "replacements": replacements}
        for uri, replacements in changes.items()
    ]
    return {**_description(help), "artifactChanges": artifacts}


def _description(help: str | None) -> dict[str, Any]:
    return {"description": _message(visible(help))} if help else {}


def _uri(path: str) -> str:
    return Path(path).as_uri() if PurePath(path).is_absolute() else quote(path)


def _message(text: str) -> dict[str, str]:
    """A message with placeholders (`{0}`) and links (`[text](address)`) escaped."""
    return {"text": text.replace("{", "{{").replace("}", "}}").replace("](", "] (")}
