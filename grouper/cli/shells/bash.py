"""Completion for bash 4 and later."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from grouper.cli.shells.tree import Argument, Command, Takes, shipped_names

SCRIPT = r"""# bash completion of grouper; load it with: eval "$(grouper completion bash)"
_grouper_files() {
    local found
    compopt -o filenames 2>/dev/null
    while IFS= read -r found; do COMPREPLY+=("$found"); done < <(compgen -f -- "$current")
}
_grouper_rules() {
    local found
    compopt -o filenames 2>/dev/null
    while IFS= read -r found; do COMPREPLY+=("$found"); done < <(
        compgen -W "$shipped" -- "$current"
        compgen -f -X '!*.rules' -- "$current"
        compgen -d -- "$current"
    )
}
_grouper_words() {
    local found
    while IFS= read -r found; do COMPREPLY+=("$found"); done < <(compgen -W "$1" -- "$current")
}
_grouper() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    local command= place=0 word i
    local shipped=@SHIPPED@
    COMPREPLY=()
    if [[ $current == = ]]; then current=
    elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ -z $command ]]; then
            [[ $word == -* ]] || command=$word
        else
            case "$command ${COMP_WORDS[i-1]}" in
                @VALUED@) continue ;;
            esac
            [[ $word == -?* || $word == = ]] || ((place += 1))
        fi
    done
    if [[ -z $command ]]; then
        if [[ $current == -* ]]; then _grouper_words @TOP@; else _grouper_words @COMMANDS@; fi
        return
    fi
    case "$command $previous" in
@VALUES@
    esac
    if [[ $current == -* ]]; then
        case $command in
@FLAGS@
        esac
        return
    fi
    case "$command $place" in
@PLACES@
    esac
}
complete -F _grouper grouper
"""


def script(flags: Sequence[Argument], commands: Sequence[Command]) -> str:
    """The completion script for these flags and commands."""
    top = [name for flag in flags for name in flag.names]
    filled = {
        "SHIPPED": shlex.quote(" ".join(shipped_names())),
        "VALUED": " | ".join(_valued(commands)) or '""',
        "TOP": shlex.quote(" ".join(top)),
        "COMMANDS": shlex.quote(" ".join(command.name for command in commands)),
        "VALUES": "\n".join(_values(commands)),
        "FLAGS": "\n".join(_flags(commands)),
        "PLACES": "\n".join(_places(commands)),
    }
    text = SCRIPT
    for name, part in filled.items():
        text = text.replace(f"@{name}@", part)
    return text


def _valued(commands: Iterable[Command]) -> Iterable[str]:
    """Flags whose value is the next word, which is then not a positional argument."""
    for command in commands:
        for flag in command.flags:
            if flag.takes is not Takes.NOTHING and not flag.may_stand_alone:
                yield from (f'"{command.name} {name}"' for name in flag.names)


def _values(commands: Iterable[Command]) -> Iterable[str]:
    for command in commands:
        for flag in command.flags:
            if flag.takes is not Takes.NOTHING:
                names = " | ".join(f'"{command.name} {name}"' for name in flag.names)
                end = "[[ $current == -* ]] || return" if flag.may_stand_alone else "return"
                yield f"        {names}) {_offer(flag)}; {end} ;;"


def _flags(commands: Iterable[Command]) -> Iterable[str]:
    for command in commands:
        names = " ".join(name for flag in command.flags for name in flag.names)
        yield f"            {command.name}) _grouper_words {shlex.quote(names)} ;;"


def _places(commands: Iterable[Command]) -> Iterable[str]:
    for command in commands:
        for place, argument in enumerate(command.positionals):
            pattern = f'"{command.name} "*' if argument.repeated else f'"{command.name} {place}"'
            yield f"        {pattern}) {_offer(argument)} ;;"


def _offer(argument: Argument) -> str:
    match argument.takes:
        case Takes.CHOICE:
            return f"_grouper_words {shlex.quote(' '.join(argument.choices))}"
        case Takes.FILE:
            return "_grouper_files"
        case Takes.RULES:
            return "_grouper_rules"
        case Takes.ANY | Takes.NOTHING:
            return ":"
