"""The command line parser. Errors are one line with the nearest name; every help text ends with
examples and the exit statuses."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn

from grouper.cli import write
from grouper.cli.exit import CLEAN, FAILED, STATUSES, Failure
from grouper.version import __version__

DESCRIPTION = "Parameter groups for PyTorch optimizers, from rules that can be read and checked."
EXAMPLES = (
    "grouper check model.pt my.rules",
    "grouper explain model.pt my.rules head.weight",
    "grouper plan model.pt my.rules --epochs 100 --steps-per-epoch 500",
)
# The default help for these arguments.
ARGUMENTS = {
    "MODEL": "a model file or folder, a snapshot, or what builds a model, such as timm:NAME",
    "RULES": "a rules file, or the name of a shipped one",
}


OF_ALL = ("completion", "help")  # commands that need the parsers of all commands


class Parser(argparse.ArgumentParser):
    """A parser that raises Failure for errors, also when output cannot be written."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_formatter, **settings)

    def error(self, message: str) -> NoReturn:
        joint = " See" if message.endswith("?") else "; see"
        raise Failure(f"{message}{joint} `{self.prog} --help`")

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Like the base class, but unknown arguments raise Failure."""
        first = args[0] if args else ""
        if subparsers(self) and first.startswith("-") and first not in self._option_string_actions:
            self.error(
                f"`{first}` is not a flag of grouper itself; put the flags after the command"
            )
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self._refuse(unknown[0])
        return parsed, unknown

    def _refuse(self, word: str) -> NoReturn:
        if not word.startswith("-"):
            self.error(f"`{word}` is an unexpected argument")
        flag = word.partition("=")[0]
        flags = {name.strip("-"): name for name in self._option_string_actions}
        self.error(f"there is no flag `{flag}`{_hint(flag.strip('-'), flags)}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        choices = {str(choice): str(choice) for choice in action.choices}
        if isinstance(action, argparse._SubParsersAction):
            self.error(f"there is no command `{value}`{_hint(value, choices)}")
        name = " or ".join(action.option_strings) or action.metavar
        allowed = ", ".join(choices)
        self.error(f"{name} takes {allowed}, not `{value}`{_hint(value, choices)}")

    def _print_message(self, message: str, file: Any = None) -> None:
        write.emit(message, file)


def run(commands: Mapping[str, str], words: Sequence[str]) -> int:
    """Parse the words of a command line, run the command and return its exit status. Without words,
    print the help."""
    first = words[0] if words else ""
    if first in OF_ALL:
        parser = build(commands)
    elif first in commands:
        parser = build({first: commands[first]})
    else:
        parser = build(commands, outline=True)
    if not words:
        write.emit(parser.format_help())
        return FAILED
    try:
        parsed = parser.parse_args(words)
    except SystemExit:  # after --help and --version
        return CLEAN
    status: int = _module(parsed.command).run(parsed)
    return status


def build(commands: Mapping[str, str], outline: bool = False) -> Parser:
    """The parser for commands, given as name and help. Parsed arguments carry the parser itself as
    `tree`. With `outline`, no command is imported, so none has flags or examples."""
    parser = Parser(prog="grouper", description=DESCRIPTION, epilog=_epilog(EXAMPLES))
    parser.add_argument("-V", "--version", action="version", version=f"grouper {__version__}")
    parser.set_defaults(tree=parser)
    added = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=Parser
    )
    for name, help in commands.items():
        one = added.add_parser(name, help=help)
        if outline:
            continue
        command = _module(name)
        one.description = command.__doc__
        command.add(one)
        for action in one._actions:
            if action.help is None and isinstance(action.metavar, str):
                action.help = ARGUMENTS.get(action.metavar)
        one.epilog = _epilog(getattr(command, "EXAMPLES", ()))
    return parser


def subparsers(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """The parsers of a parser's commands, by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _module(command: str) -> Any:
    return import_module(f"grouper.cli.{command}")


def _formatter(prog: str) -> argparse.HelpFormatter:
    """The help formatter. argparse makes one for each added flag, and would import `shutil` for the
    terminal's width."""
    return argparse.RawDescriptionHelpFormatter(prog, width=_columns() - 2)


def _columns() -> int:
    """The width of the terminal, computed like `shutil.get_terminal_size`."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        assert sys.__stdout__ is not None
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80
    except (AssertionError, AttributeError, ValueError, OSError):
        return 80


def _epilog(examples: Iterable[str]) -> str:
    lines = [f"  {example}" for example in examples]
    return "\n".join([*(["examples:", *lines, ""] if lines else []), STATUSES])


def _hint(word: str, names: Mapping[str, str]) -> str:
    from grouper.text.similar import near

    similar = near(word, names)
    return f"; did you mean `{names[similar[0]]}`?" if similar else ""
