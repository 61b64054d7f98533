"""Loading what a command names: rules, models, and the report on both."""

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
    """The rules of a path, a shipped name or, for `-`, standard input, with the variables of
    `--set` and of the project. A pipe that the process has open (`/dev/stdin`, a shell's `<(...)`)
    is read as `-` is."""
    values = {**settings_for(name).of(name).variables, **variables(settings)}
    if name == STDIN or (names_stream(name) and not os.path.isdir(name)):
        text = read_rules(name).text
        return resolve(Source(text, "<stdin>" if name == STDIN else name), values)
    if _ADDRESS.match(name) and not os.path.exists(name):  # not repeated: it may hold a password
        raise Failure("rules are read from files, not from addresses: download them first")
    if is_binary(name):  # a mistake in the command, not in a file
        raise Failure(f"`{name}` is not a rules file; the model comes first, and then the rules")
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
    """The report on the model and the rules of the arguments, filtered by its flags."""
    return selection(arguments, arguments.rules).of(_report(arguments))


def fitting(arguments: argparse.Namespace) -> Report:
    """The report of a command that needs groups. An error that `--ignore` or `--select` leave out
    still prevents them: if no other error remains to be printed, all findings are."""
    selected = selection(arguments, arguments.rules)
    whole = _report(arguments)
    report = selected.of(whole)
    return whole if report.ok and not whole.ok else report


def read_model(path: str, key: str | None, *, by_rules: bool = False) -> Inventory:
    """The parameters of the model that MODEL and `--key` name, or, `by_rules`, a rules file."""
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
