"""Completion for zsh."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from grouper.cli.shells.tree import Argument, Command, Takes, shipped_names

SCRIPT = r"""#compdef grouper
# zsh completion of grouper; load it with: eval "$(grouper completion zsh)"
# or save it as `_grouper` in a folder of $fpath
_grouper_rules() {
    local -a shipped=(@SHIPPED@)
    _alternative 'shipped:shipped rules:compadd -a shipped' 'files:rules file:_files -g "*.rules"'
}
_grouper() {
    local context state state_descr line
    typeset -A opt_args
    local -a commands=(
@COMMANDS@
    )
    _arguments -C @TOP@ '1:command:->command' '*::argument:->argument'
    case $state in
        command) _describe -t commands command commands ;;
        argument)
            case $words[1] in
@ARGUMENTS@
            esac ;;
    esac
}
if [[ $funcstack[1] == _grouper ]]; then
    _grouper "$@"
elif (( $+functions[compdef] )); then
    compdef _grouper grouper
fi
"""


def script(flags: Sequence[Argument], commands: Sequence[Command]) -> str:
    """The completion script for these flags and commands."""
    filled = {
        "SHIPPED": " ".join(map(shlex.quote, shipped_names())),
        "COMMANDS": "\n".join(
            f"        {shlex.quote(f'{_plain(c.name)}:{_plain(c.help)}')}" for c in commands
        ),
        "TOP": " ".join(spec for flag in flags for spec in _flag(flag)),
        "ARGUMENTS": "\n".join(map(_command, commands)),
    }
    text = SCRIPT
    for name, part in filled.items():
        text = text.replace(f"@{name}@", part)
    return text


def _command(command: Command) -> str:
    specs = [spec for flag in command.flags for spec in _flag(flag)]
    specs += [shlex.quote(_positional(argument)) for argument in command.positionals]
    return f"                {command.name}) _arguments -s {' '.join(specs)} ;;"


def _flag(flag: Argument) -> Iterable[str]:
    for name in flag.names:
        value = ""
        if flag.takes is not Takes.NOTHING:
            value = f"{':' if flag.may_stand_alone else ''}:value:{_action(flag)}"
        equals = "=" if value and name.startswith("--") else ""
        yield shlex.quote(f"*{name}{equals}[{_plain(flag.help)}]{value}")


def _positional(argument: Argument) -> str:
    place = "*" if argument.repeated else ""
    return f"{place}:{_plain(argument.help) or 'argument'}:{_action(argument)}"


def _action(argument: Argument) -> str:
    match argument.takes:
        case Takes.CHOICE:
            return f"({' '.join(argument.choices)})"
        case Takes.FILE:
            return "_files"
        case Takes.RULES:
            return "_grouper_rules"
        case Takes.ANY | Takes.NOTHING:
            return " "


def _plain(text: str) -> str:
    """Text with the special characters of a specification escaped."""
    for character in "\\[]:":
        text = text.replace(character, f"\\{character}")
    return text
