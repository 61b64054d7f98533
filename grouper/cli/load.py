"""Loading what a command names: rules, models, and the report on both."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace

from grouper import api
from grouper.checks.report import Report
from grouper.cli.exit import Failure
from grouper.findings import Code, Severity
from grouper.language.resolve.resolve import assignment
from grouper.language.ruleset import RuleSet
from grouper.model.inventory import Inventory
from grouper.options.values import Value


def load_rules(name: str, settings: list[str]) -> RuleSet:
    """The rules of a path or a shipped name, with `--set` applied."""
    _refuse_binary(name)
    try:
        return api.load(name, **variables(settings))
    except FileNotFoundError as error:
        raise Failure(str(error)) from None
    except OSError as error:
        raise Failure(f"`{name}` cannot be read: {error.strerror}") from None


def _refuse_binary(name: str) -> None:
    """A model in the place of the rules is a mistake in the command, not in a file."""
    try:
        with open(name, "rb") as file:
            binary = b"\0" in file.read(4096)
    except (OSError, ValueError):
        return  # loading reports why, or finds a shipped file of that name
    if binary:
        raise Failure(f"`{name}` is not a rules file; the model comes first, and then the rules")


def variables(settings: list[str]) -> Mapping[str, Value]:
    try:
        return dict(assignment(setting) for setting in settings)
    except ValueError as error:
        raise Failure(f"--set {error}") from None


def checked(arguments: argparse.Namespace) -> Report:
    """The report on the model and the rules of the arguments, filtered by its flags."""
    rules = load_rules(arguments.rules, arguments.set)
    report = api.check(read_model(arguments.model, arguments.key), rules)
    return filtered(report, arguments)


def read_model(path: str, key: str | None) -> Inventory:
    from grouper.model.read import read

    try:
        return read(path, key)
    except FileNotFoundError:
        raise Failure(f"there is no model file `{path}`") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Failure(f"`{path}` cannot be read: {reason}") from None


def filtered(report: Report, arguments: argparse.Namespace) -> Report:
    """The report after `--select`, `--ignore` and `--strict`."""
    findings = [
        finding
        for finding in report.findings
        if (not arguments.select or _named(finding.code, arguments.select))
        and not _named(finding.code, arguments.ignore)
    ]
    if arguments.strict:
        findings = [replace(f, severity_override=Severity.ERROR) for f in findings]
    return replace(report, findings=tuple(findings))


def _named(code: Code, words: list[str]) -> bool:
    names = {name for word in words for name in word.split(",")}
    return code.id in names or code.name in names


def fitting(arguments: argparse.Namespace) -> Report:
    """The report of a command that needs groups. An error that `--ignore` or `--select` leave out
    still prevents them: if no other error remains to be printed, all findings are."""
    rules = load_rules(arguments.rules, arguments.set)
    whole = api.check(read_model(arguments.model, arguments.key), rules)
    report = filtered(whole, arguments)
    return whole if report.ok and not whole.ok else report
