"""What can be completed: commands, their flags, and what each argument takes.

All of it is read from the parser, so new commands and flags are completed automatically.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from enum import Enum

from grouper.checks.catalog import ALL
from grouper.cli.parser import subparsers
from grouper.language.shipped import shipped_rules
from grouper.text.dataclass import dataclass


class Takes(Enum):
    """What a shell can complete for an argument."""

    NOTHING = "nothing"
    CHOICE = "choice"
    FILE = "file"
    RULES = "rules"  # a rules file, or the name of a shipped one
    ANY = "any"  # a word that cannot be completed


@dataclass(frozen=True)
class Argument:
    """A positional argument, which has no `names`, or a flag. `help` is one line.
    `may_stand_alone` is true for flags whose value is optional, `repeated` for arguments that take
    several words."""

    takes: Takes
    names: tuple[str, ...] = ()
    help: str = ""
    choices: tuple[str, ...] = ()
    may_stand_alone: bool = False
    repeated: bool = False


@dataclass(frozen=True)
class Command:
    """A command with its flags and its positional arguments in order."""

    name: str
    help: str
    flags: tuple[Argument, ...]
    positionals: tuple[Argument, ...]


def commands_of(parser: argparse.ArgumentParser) -> tuple[Command, ...]:
    """The commands of a parser."""
    helps = {
        choice.dest: choice.help or ""
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for choice in action._choices_actions
    }
    return tuple(
        Command(
            name,
            helps.get(name, ""),
            tuple(_argument(action) for action in one._actions if action.option_strings),
            tuple(
                _argument(action, tuple(helps))
                for action in one._actions
                if not action.option_strings
            ),
        )
        for name, one in subparsers(parser).items()
    )


def flags_of(parser: argparse.ArgumentParser) -> tuple[Argument, ...]:
    """The flags that come before a command."""
    return tuple(_argument(action) for action in parser._actions if action.option_strings)


def shipped_names() -> tuple[str, ...]:
    """The names of the shipped rules files, without their endings."""
    return tuple(name for name in shipped_rules() if not name.endswith(".rules"))


def _argument(action: argparse.Action, commands: tuple[str, ...] = ()) -> Argument:
    takes, choices = _takes(action, commands)
    return Argument(
        takes,
        tuple(action.option_strings),
        " ".join((action.help or "").split()).replace("%%", "%"),
        choices,
        action.nargs == "?",
        action.nargs in ("+", "*"),
    )


def _takes(action: argparse.Action, commands: tuple[str, ...]) -> tuple[Takes, tuple[str, ...]]:
    """What an action takes, from its choices or else its metavar."""
    metavar = " ".join(_words(action.metavar))
    if action.nargs == 0:
        return Takes.NOTHING, ()
    if action.choices is not None:
        return Takes.CHOICE, tuple(map(str, action.choices))
    if metavar == "COMMAND":
        return Takes.CHOICE, commands
    if metavar == "RECIPE":
        return Takes.CHOICE, shipped_names()
    if metavar == "CODE":
        return Takes.CHOICE, tuple(word for code in ALL for word in (code.id, code.name))
    if "RULES" in metavar:
        return (Takes.FILE if "MODEL" in metavar else Takes.RULES), ()
    names_file = any(word in metavar for word in ("FILE", "MODEL", "RUN", "CHECKPOINT", "OUT"))
    return (Takes.FILE if names_file else Takes.ANY), ()


def _words(metavar: str | tuple[str, ...] | None) -> Iterator[str]:
    if isinstance(metavar, str):
        yield metavar
    else:
        yield from metavar or ()
