"""Loads the rules and models named on the command line, and checks them."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping

from grouper.api.check import check
from grouper.checks.report import Report
from grouper.cli.exit import Failure
from grouper.cli.rules_file import STDIN, is_binary, read_rules
from grouper.cli.select import selection
from grouper.cli.settings import settings_for
from grouper.language.resolve.resolve import assignment, load, resolve
from grouper.language.ruleset import RuleSet
from grouper.model.inventory import Inventory
from grouper.options.values import Value
from grouper.text.addresses import without_secrets
from grouper.text.source import Source
from grouper.text.write_file import names_stream

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:[/:]")


def load_rules(name: str, settings: list[str]) -> RuleSet:
    """Loads rules from a path, a shipped name or, for `-`, standard input, with the variables of
    `--set` and of the project. A pipe that the process has open (`/dev/stdin`, a shell's `<(...)`)
    is read like `-`."""
    values = {**settings_for(name).of(name).variables, **variables(settings)}
    if name == STDIN or (names_stream(name) and not os.path.isdir(name)):
        text = read_rules(name).text
        return resolve(Source(text, "<stdin>" if name == STDIN else name), values)
    if _ADDRESS.match(name) and not os.path.exists(name):  # not quoted: it may contain a password
        raise Failure("rules cannot be read from a URL: download the file first")
    if is_binary(name):  # a mistake in the command, not in a file
        raise Failure(f"`{name}` is not a rules file; give the model first, then the rules")
    try:
        return load(name, values)
    except FileNotFoundError as error:
        raise Failure(str(error)) from None
    except (OSError, ValueError) as error:
        raise Failure(f"`{name}` cannot be read: {_reason(error)}") from None


def variables(settings: list[str]) -> Mapping[str, Value]:
    """The values of `--set`."""
    try:
        return dict(assignment(setting) for setting in settings)
    except ValueError as error:
        raise Failure(f"--set {error}") from None


def checked(arguments: argparse.Namespace) -> Report:
    """The report on the model and rules of the arguments, filtered by the flags."""
    return selection(arguments, arguments.rules).of(_report(arguments))


def fitting(arguments: argparse.Namespace) -> Report:
    """The report of a command that needs groups. An error that `--ignore` or `--select` hides still
    prevents groups: if it is the only kind of error, the report is not filtered."""
    selected = selection(arguments, arguments.rules)
    unfiltered = _report(arguments)
    report = selected.of(unfiltered)
    return unfiltered if report.ok and not unfiltered.ok else report


def read_model(path: str, key: str | None, *, by_rules: bool = False) -> Inventory:
    """Reads the model that MODEL and `--key` name or, with `by_rules`, that a rules file names."""
    from grouper.model.read import read, read_named_by_rules

    try:
        return read_named_by_rules(path, key) if by_rules else read(path, key)
    except FileNotFoundError:
        raise Failure(f"there is no model file `{without_secrets(path)}`") from None
    except (OSError, ValueError) as error:
        raise Failure(f"`{without_secrets(path)}` cannot be read: {_reason(error)}") from None


def _report(arguments: argparse.Namespace) -> Report:
    rules = load_rules(arguments.rules, arguments.set)
    return check(read_model(arguments.model, arguments.key), rules)


def _reason(error: OSError | ValueError) -> object:
    return getattr(error, "strerror", None) or error
