"""What there is to complete: commands, their flags, and what each argument takes.

All of it is read off the parser, so that a new command or flag is completed as soon as it is there.
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
    """What an argument is, as far as a shell can complete it."""

    NOTHING = "nothing"
    CHOICE = "choice"
    FILE = "file"
    RULES = "rules"  # a rules file, or a shipped one by its name
    ANY = "any"  # a word that nobody can guess


@dataclass(frozen=True)
class Argument:
    """A positional argument or a flag. `names` are empty for the former; `help` is one line.
    `may_stand_alone` is true of flags whose value may be missing, `repeated` of arguments that take
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
    takes, choices = _taken(action, commands)
    return Argument(
        takes,
        tuple(action.option_strings),
        " ".join((action.help or "").split()).replace("%%", "%"),
        choices,
        action.nargs == "?",
        action.nargs in ("+", "*"),
    )


def _taken(action: argparse.Action, commands: tuple[str, ...]) -> tuple[Takes, tuple[str, ...]]:
    """What an action takes: by its choices, else by the word that its help shows for it."""
    shown = " ".join(_words(action.metavar))
    if action.nargs == 0:
        return Takes.NOTHING, ()
    if action.choices is not None:
        return Takes.CHOICE, tuple(map(str, action.choices))
    if shown == "COMMAND":
        return Takes.CHOICE, commands
    if shown == "RECIPE":
        return Takes.CHOICE, shipped_names()
    if shown == "CODE":
        return Takes.CHOICE, tuple(word for code in ALL for word in (code.id, code.name))
    if "RULES" in shown:
        return (Takes.FILE if "MODEL" in shown else Takes.RULES), ()
    names_file = any(word in shown for word in ("FILE", "MODEL", "RUN", "CHECKPOINT", "OUT"))
    return (Takes.FILE if names_file else Takes.ANY), ()


def _words(metavar: str | tuple[str, ...] | None) -> Iterator[str]:
    if isinstance(metavar, str):
        yield metavar
    else:
        yield from metavar or ()
