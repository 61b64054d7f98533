"""`grouper completion SHELL`: a script that completes commands, flags and files."""

from __future__ import annotations

import argparse

from grouper.cli.exit import CLEAN
from grouper.cli.shells import bash, fish, zsh
from grouper.cli.shells.tree import commands_of, flags_of
from grouper.cli.write import emit

SHELLS = {"bash": bash.script, "zsh": zsh.script, "fish": fish.script}
EXAMPLES = (
    'eval "$(grouper completion bash)"  # in ~/.bashrc; for zsh in ~/.zshrc, after compinit',
    "grouper completion fish > ~/.config/fish/completions/grouper.fish",
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=tuple(SHELLS), metavar="SHELL", help="bash, zsh or fish")


def run(arguments: argparse.Namespace) -> int:
    tree: argparse.ArgumentParser = arguments.tree
    emit(SHELLS[arguments.shell](flags_of(tree), commands_of(tree)))
    return CLEAN
