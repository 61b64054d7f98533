"""Finds the lock of a rules file, reads it, and compares reports with it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from grouper.checks.report import Report
from grouper.cli.exit import Failure
from grouper.cli.rules_file import STDIN
from grouper.group.lock import LOCK_CHANGED, LockedModel, locked_model
from grouper.group.lock_changes import changed
from grouper.group.lock_text import LockError, read_lock
from grouper.text.dataclass import replace
from grouper.text.findings import Finding, in_order, labels_at
from grouper.text.source import Source
from grouper.text.write_file import names_stream

MOST_BYTES = 64_000_000


def lock_path(rules: str) -> str:
    """The path of a rules file's lock: beside it; for a shipped one, in the working directory."""
    if rules == STDIN or names_stream(rules):
        raise Failure("rules from a pipe cannot have a lock: give a file")
    if os.path.isfile(rules):
        return f"{rules}.lock"
    return f"{rules.removesuffix('.rules')}.rules.lock"


def locked_models(rules: str, reports: Sequence[Report]) -> list[LockedModel]:
    """What the rules give each model now. Raises Failure if there is no model."""
    for report in reports:
        if not report.has_model:
            raise Failure(
                f"a lock needs a model, and `{rules}` has none: give a model, or add"
                ' `for "FILE"` to the rules'
            )
    folder = os.path.dirname(os.path.abspath(lock_path(rules)))
    return [
        locked_model(_beside(report.inventory.path, folder), report.inventory, report.rules, groups)
        for report in reports
        if (groups := report.grouping) is not None
    ]


def compared(rules: str, reports: list[Report]) -> list[Report]:
    """The reports, with a finding where their groups differ from the lock."""
    path = lock_path(rules)
    now = dict(zip(map(id, reports), _now(rules, reports), strict=True))
    try:
        before = read_lock(_source(path))
    except LockError as error:
        broken = Finding(
            LOCK_CHANGED,
            f"`{path}` cannot be read as a lock: {error}",
            labels_at(error.span),
            help=_update_help(rules),
        )
        return [_with(report, broken) for report in reports]
    except FileNotFoundError:
        missing = Finding(
            LOCK_CHANGED,
            f"there is no lock `{path}`",
            help=f"create it: `grouper lock MODEL {rules}`",
        )
        return [_with(report, missing) for report in reports]
    return [_with(r, _finding(path, rules, before, now[id(r)], len(reports))) for r in reports]


def _now(rules: str, reports: Sequence[Report]) -> list[LockedModel | None]:
    """The model to lock for each report; None if errors in its rules prevent groups."""
    models = iter(locked_models(rules, reports))
    return [next(models) if report.grouping is not None else None for report in reports]


def _finding(
    path: str, rules: str, before: Sequence[LockedModel], now: LockedModel | None, reports: int
) -> Finding | None:
    if now is None:
        return None
    same_path = next((model for model in before if model.path == now.path), None)
    only_one = before[0] if len(before) == reports == 1 else None
    if (locked := same_path or only_one) is None:
        return Finding(
            LOCK_CHANGED, f"`{path}` does not have the model `{now.path}`", help=_update_help(rules)
        )
    return changed(path, locked, now, f"if this is intended, {_update_help(rules)}")


def _update_help(rules: str) -> str:
    return f"update the lock: `grouper lock MODEL {rules}`"


def _with(report: Report, finding: Finding | None) -> Report:
    if finding is None:
        return report
    return replace(report, findings=in_order((*report.findings, finding)))


def _source(path: str) -> Source:
    try:
        content = Path(path).read_bytes()
        return Source(content[:MOST_BYTES].decode("utf-8").replace("\r\n", "\n"), path)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise Failure(f"`{path}` cannot be read: {reason}") from None


def _beside(model: str, folder: str) -> str:
    """The name of a model in a lock: a file's path relative to the lock's folder, so that it is the
    same in every clone; anything else unchanged."""
    if not os.path.exists(model):
        return model
    try:
        return Path(os.path.relpath(model, folder)).as_posix()
    except ValueError:  # another drive
        return model
