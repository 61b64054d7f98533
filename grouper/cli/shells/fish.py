"""Completion for fish."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grouper.cli.shells.tree import Argument, Command, Takes, shipped_names

HEAD = r"""# fish completion of grouper; load it with: grouper completion fish | source
function __grouper_command
    for word in (commandline -opc)[2..]
        string match -q -- '-*' $word; or begin
            echo $word
            return
        end
    end
end
function __grouper_in
    test "$(__grouper_command)" = "$argv[1]"
end
complete -c grouper -f
"""


def script(flags: Sequence[Argument], commands: Sequence[Command]) -> str:
    """The completion script for these flags and commands."""
    first = "__grouper_in ''"
    lines = [_flag(flag, first) for flag in flags]
    for command in commands:
        what = f"-a {command.name} -d {_quoted(command.help)}"
        lines.append(f'complete -c grouper -n "{first}" {what}')
        here = f"__grouper_in {command.name}"
        lines += [_flag(flag, here) for flag in command.flags]
        lines += _positionals(command.positionals, here)
    return HEAD + "\n".join(lines) + "\n"


def _flag(flag: Argument, where: str) -> str:
    names = " ".join(f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}" for n in flag.names)
    value = "" if flag.takes is Takes.NOTHING else f" {_value(flag)}"
    return f'complete -c grouper -n "{where}" {names}{value} -d {_quoted(flag.help)}'


def _positionals(arguments: Iterable[Argument], where: str) -> list[str]:
    """fish offers one list for all positional arguments of a command."""
    lines = []
    for argument in dict.fromkeys(arguments):
        if argument.takes is not Takes.ANY:
            lines.append(f'complete -c grouper -n "{where}" {_value(argument, "")}')
    return list(dict.fromkeys(lines))


def _value(argument: Argument, required: str = "r") -> str:
    match argument.takes:
        case Takes.CHOICE:
            return f"-{required}fa {_quoted(' '.join(argument.choices))}"
        case Takes.FILE:
            return f"-{required}F"
        case Takes.RULES:
            names = " ".join(shipped_names())
            return f"-{required}fa {_quoted(f'(__fish_complete_suffix .rules) {names}')}"
        case Takes.ANY | Takes.NOTHING:
            return f"-{required}f"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
