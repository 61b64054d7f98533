"""What the commands share: flags, loading, and how a run ends."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from grouper import api
from grouper.checks.missing_lr import CODE as NO_LR
from grouper.checks.report import Report
from grouper.findings import Code, Severity
from grouper.language.resolve.resolve import assignment
from grouper.language.ruleset import RuleSet
from grouper.model.inventory import Inventory
from grouper.options.values import Value

CLEAN, FOUND, FAILED = 0, 1, 2


class Failure(Exception):
    """The command cannot run: exit status 2, and one line that says why."""


def rules_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of every command that reads rules."""
    parser.add_argument(
        "--set", action="append", default=[], metavar="X=EXPR", help="the value of a `let` variable"
    )
    parser.add_argument("--strict", action="store_true", help="warnings and notes are errors")
    parser.add_argument("--select", action="append", metavar="CODE", help="report only these codes")
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="CODE", help="do not report these codes"
    )


def model_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of every command that reads a model."""
    parser.add_argument("--key", metavar="PATH", help="which model inside a checkpoint")


def output_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of every command that prints a report."""
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only what is wrong")


def run_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of the commands that plan a run."""
    parser.add_argument("--epochs", metavar="E", help="epochs of the run")
    parser.add_argument("--steps-per-epoch", metavar="N", help="the length of the loader")


def run_length(arguments: argparse.Namespace) -> tuple[int, int] | None:
    """Epochs, and steps in each; None where neither is given."""
    given = {
        "--epochs": arguments.epochs,
        "--steps-per-epoch": arguments.steps_per_epoch,
    }
    missing = [flag for flag, value in given.items() if value is None]
    if len(missing) == 2:
        return None
    if missing:
        raise Failure(f"a run has a length in both: {missing[0]} is missing")
    epochs, steps = (whole(flag, value) for flag, value in given.items())
    return epochs, steps


def whole(flag: str, text: str) -> int:
    """The value of a flag that wants a whole number from 1 on."""
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0):
        raise Failure(f"{flag} wants a whole number from 1 to 999999999, not `{text}`")
    return int(text)


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
    """A model given where rules are due is a mistake in the command, not in the file."""
    try:
        with open(name, "rb") as file:
            binary = b"\0" in file.read(4096)
    except (OSError, ValueError):
        return  # loading says why, or finds a shipped file of that name
    if binary:
        raise Failure(f"`{name}` is no rules file; `check` takes a model first, and then rules")


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
    """The report as `--select`, `--ignore` and `--strict` want it.

    Errors stay errors for building groups: leaving one out of the report is the user's choice.
    """
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
    wanted = {word for given in words for word in given.split(",")}
    return code.id in wanted or code.name in wanted


def fitting(arguments: argparse.Namespace) -> Report:
    """The report of a command that needs groups. What `--ignore` or `--select` leave out still
    forbids them: where no error is left to print, all are printed."""
    rules = load_rules(arguments.rules, arguments.set)
    everything = api.check(read_model(arguments.model, arguments.key), rules)
    report = filtered(everything, arguments)
    return everything if report.ok and not everything.ok else report


def print_faults(report: Report, arguments: argparse.Namespace, stderr: bool = False) -> int:
    """Why a command has nothing to show: the findings, and exit status 1."""
    if arguments.format == "json":
        from grouper.reports.json import report_json

        emit(report_json(report))
    else:
        from grouper.reports.terminal import closing_line, console, print_findings

        out = console(arguments.color, stderr)
        print_findings(report.findings, out, arguments.quiet)
        out.print(closing_line(report.findings, report.grouping), soft_wrap=True)
    return FOUND


def print_no_plan(
    report: Report, why: ValueError, arguments: argparse.Namespace, stderr: bool = False
) -> int:
    """Why groups that are sound cannot be planned: an lr that is missing is an error among the
    findings now, with a line that names the group, and exit status 1. Raises Failure for others."""
    from grouper.text.printable import visible

    raised = tuple(
        replace(finding, severity_override=Severity.ERROR) if finding.code is NO_LR else finding
        for finding in report.findings
    )
    if raised == report.findings:
        raise Failure(str(why)) from why
    if arguments.format == "json":
        from grouper.reports.json import report_json

        emit(report_json(replace(report, findings=raised)))
    else:
        from grouper.reports.terminal import console, print_findings

        print_findings(raised, console(arguments.color, stderr), quiet=True)
    print(f"error: {visible(str(why))}", file=sys.stderr)
    return FOUND


def status(report: Report) -> int:
    return CLEAN if report.ok else FOUND


def emit(text: str) -> None:
    """Print text that is for programs."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def write(path: str, content: str | bytes | Iterable[str]) -> None:
    """Write a whole file or nothing: to a temporary file beside it, then renamed."""
    target = Path(path)
    pieces = [content] if isinstance(content, str | bytes) else content
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                for piece in pieces:
                    file.write(piece.encode() if isinstance(piece, str) else piece)
            mode = target.stat().st_mode if target.exists() else 0o666 & ~_umask()
            os.chmod(temporary, mode)
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise Failure(f"`{path}` cannot be written: {error.strerror}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def picture_format(path: str) -> str:
    """The format of a picture by the ending of its file."""
    format = Path(path).suffix.removeprefix(".").lower()
    if format not in ("png", "svg"):
        raise Failure(f"`{path}` is no picture that grouper draws: name a .png or .svg")
    return format


def drawn(draw: Callable[[], bytes]) -> bytes:
    """What a picture's maker gives, where the library to draw with is there and can."""
    try:
        return draw()
    except ImportError as error:
        raise Failure(f"--plot needs matplotlib ({error}); `pip install 'grouper[plot]'`") from None
    except (ArithmeticError, ValueError):
        raise Failure("matplotlib cannot draw numbers that are so large and so small") from None
