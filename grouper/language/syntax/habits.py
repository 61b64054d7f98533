"""What people write out of habit from other tools and languages, and how it is said here."""

from __future__ import annotations

import re
from collections.abc import Callable

from grouper.language.syntax import codes
from grouper.language.syntax.error_site import Unparsed
from grouper.language.syntax.statements import SPACED_LIST
from grouper.text.findings import Finding

_OPERATORS = {"||": "or", "|": "or", "&&": "and", "&": "and", "!": "not ", ",": "or"}


def by_habit(statement: Unparsed) -> Finding | None:
    """The finding about a statement that another tool would accept; None for others."""
    for habit in _HABITS:
        finding = habit(statement)
        if finding is not None:
            return finding
    return None


def _comment(statement: Unparsed) -> Finding | None:
    found = re.match(r"//|--(?!>)|/\*", statement.rest)
    if found is None:
        return None
    return statement.finding(
        codes.SYNTAX,
        f"`{found.group()}` does not begin a comment",
        "comments begin with `#`",
        statement.place(2),
        "#",
    )


def _freeze(statement: Unparsed) -> Finding | None:
    """`freeze=10`, `freeze model.*`, `freeze: [model.0]`: a rule that freezes. Right after another
    statement the line is taken for options of that one."""
    line = re.search(r"(?<![^\n])[ \t]*((?:freeze|frozen|unfreeze)\b[^\n]*)\s*$", statement.text)
    text = line[1] if line is not None and statement.at >= line.start() else statement.text
    found = re.match(r"(freeze|frozen|unfreeze)\s*[=: (]\s*(.*?)\)?\s*$", text, re.DOTALL)
    if found is None or "->" in text:
        return None
    given = found[2].strip(" []\"'")
    if re.fullmatch(r"\d+", given) and int(given) > 0:
        rule = f"model.{{0..{int(given) - 1}}}.* -> freeze"
    else:
        selector = given if re.fullmatch(r"[\w.*@?{}]+", given) else "SELECTOR"
        rule = f"{selector} -> freeze"
    return statement.finding(
        codes.SYNTAX,
        f"`{found[1]}` is not a statement: a rule freezes what its selector matches",
        f"write `{rule}`",
        statement.place(len(text), statement.text.rindex(text)),
        None if "SELECTOR" in rule else rule,
    )


def _spaced_list(statement: Unparsed) -> Finding | None:
    """`{a, b}`, and `{0 .. 3}`: the braces of a glob hold no spaces."""
    selector = statement.text.partition("->")[0]
    rest = selector[statement.at :]
    lists = list(re.finditer(SPACED_LIST, rest))
    if not lists or lists[0].start() or not lists[0].group()[1:-1].strip():
        return None
    if re.search(r"^(let|expect)\b|[=<>]", selector[: statement.at]):
        return None
    wrong = rest[: lists[-1].end()]
    right = re.sub(SPACED_LIST, _closed_up, wrong)
    return statement.finding(
        codes.SYNTAX,
        "the braces of a glob hold no spaces",
        f"write `{right}`",
        statement.place(len(wrong)),
        right,
    )


def _closed_up(braces: re.Match[str]) -> str:
    inside = re.sub(r"[ \t]*(,|\.\.|[{}])[ \t]*", r"\1", braces.group()[1:-1].strip())
    return "{" + re.sub(r"[ \t]+", ",", inside) + "}"


def _list(statement: Unparsed) -> Finding | None:
    """`betas=[0.9, 0.95]`: a tuple."""
    found = re.match(r"\[([^\[\]]*)\]", statement.rest)
    if found is None or not re.search(r"=\s*$", statement.before):
        return None
    return statement.finding(
        codes.SYNTAX,
        "write a list of values in parentheses",
        f"write `({found[1]})`",
        statement.place(len(found.group())),
        f"({found[1]})",
    )


def _regex_sign(statement: Unparsed) -> Finding | None:
    """`^encoder`, `.*norm$`: a regex without its slashes."""
    if "->" not in statement.text:
        return None
    selector = statement.text.partition("->")[0].strip()
    body = re.sub(r"^(else|override|optional)\s+", "", selector)
    if not (body.startswith("^") or re.search(r"\\[.dw]|\$$", body)) or " " in body:
        return None
    start = statement.text.find(body)
    return statement.finding(
        codes.SYNTAX,
        f"`{body}` is not a glob",
        f"write a regex between slashes: `/{body}/`",
        statement.place(len(body), start),
        f"/{body}/",
    )


def _operator(statement: Unparsed) -> Finding | None:
    if "->" not in statement.text or "->" in statement.before:
        return None
    found = re.match(r"\|\||&&|[|&!,]", statement.rest)
    if found is None:
        return None
    word = _OPERATORS[found.group()]
    spaced = word if word == "not " else f" {word} "
    return statement.finding(
        codes.SYNTAX,
        f"selectors are joined by words, not by `{found.group()}`",
        f"write `{word.strip()}`",
        statement.place(len(found.group())),
        spaced,
    )


def _factor(statement: Unparsed) -> Finding | None:
    """`lr*0.1`, `lr/=10`, `lr x0.1`: a factor without its sign."""
    found = re.match(r"(\w+)\s*(?:\*(?!=)|/=)\s*([\d.]+(?:e-?\d+)?)", statement.rest)
    if found is None or "an option" not in statement.expected:
        return None
    factor = f"1/{found[2]}" if "/=" in found.group() else found[2]
    option = f"{found[1]}*={factor}"
    return statement.finding(
        codes.SYNTAX,
        "a factor of what is set elsewhere is written with `*=`",
        f"write `{option}`",
        statement.place(len(found.group())),
        option,
    )


def _statement_equals(statement: Unparsed) -> Finding | None:
    """`schedule=cosine`, `optimizer: AdamW`, `warmup=500`, `warmup 500`."""
    found = re.match(r"(optimizer|schedule|warmup|include|let)\s*[=:]?\s*(.+)$", statement.text)
    if found is None or statement.at > found.start(2):
        return None
    word, value = found[1], found[2].strip()
    if word == "warmup" and re.fullmatch(r"[\d.]+(e\d+)?", value):
        whole = "." not in value and float(value) > 20
        written = f"warmup {'steps' if whole else 'epochs'}={value}"
        help = f"say what it counts: `warmup steps={value}` or `warmup epochs={value}`"
        return statement.finding(
            codes.SYNTAX,
            "the length of a warm-up is an option",
            help,
            statement.place(len(statement.text), 0),
            written if "." not in value else None,
        )
    name = re.match(r"[\w.:]+", value)
    if word not in ("optimizer", "schedule") or name is None:
        return None
    rest = value[name.end() :].strip().strip("(),").replace(",", "")
    written = f"{word} {name.group()}{' ' if rest else ''}{rest}"
    return statement.finding(
        codes.SYNTAX,
        f"`{word}` is followed by a name, and then by options",
        f"write `{written}`",
        statement.place(len(statement.text), 0),
        written,
    )


def _call(statement: Unparsed) -> Finding | None:
    """`optimizer AdamW(lr=0.1)`, `schedule step(size=3)`."""
    found = re.match(r"(optimizer|schedule)\s+([\w.:]+)\s*\((.*)\)\s*$", statement.text)
    if found is None:
        return None
    options = re.sub(r"\s*,\s*(?=\w+\s*=)", " ", found[3])
    written = f"{found[1]} {found[2]} {options}"
    return statement.finding(
        codes.SYNTAX,
        "options of a statement follow the name, without parentheses",
        f"write `{written}`",
        statement.place(len(statement.text), 0),
        written,
    )


def _assignment(statement: Unparsed) -> Finding | None:
    """`base = 0.01`: a variable. `lr=0.01`: an option of the optimizer."""
    found = re.match(r"([A-Za-z_]\w*)\s*(?:=(?![>=])|:(?!=))\s*(.+)$", statement.text)
    if found is None or "->" in statement.text or '"' in found[1]:
        return None
    key, value = found[1], found[2].strip()
    if key in ("lr", "weight_decay", "momentum", "betas", "eps"):
        return statement.finding(
            codes.SYNTAX,
            f"`{key}` stands alone",
            f"options of everything are the optimizer's: `optimizer AdamW {key}={value}`; of all"
            f" parameters a rule's: `* -> all {key}={value}`",
            statement.place(len(key), 0),
        )
    return statement.finding(
        codes.SYNTAX,
        "a variable is declared by `let`",
        f"write `let {key} = {value}`",
        statement.place(len(statement.text), 0),
        f"let {key} = {value}",
    )


def _exclude(statement: Unparsed) -> Finding | None:
    found = re.match(r"(exclude|ignore|skip|except|no_decay|nodecay)\s+(.+)$", statement.text)
    if found is None or "->" in statement.text:
        return None
    selector = found[2].strip()
    return statement.finding(
        codes.UNKNOWN_STATEMENT,
        f"there is no statement `{found[1]}`",
        f"what is not trained says `{selector} -> freeze`, what does not decay `{selector} ->"
        f" weight_decay=0`; `and not {selector}` leaves it out of a rule",
        statement.place(len(found[1]), 0),
    )


def _import(statement: Unparsed) -> Finding | None:
    found = re.match(r"(import|source|use|require|load)\s+[\"']", statement.text)
    if found is None:
        return None
    return statement.finding(
        codes.UNKNOWN_STATEMENT,
        f"there is no statement `{found[1]}`",
        'other files are included: `include "FILE.rules"`',
        statement.place(len(found[1]), 0),
        "include",
    )


def _word_before_string(statement: Unparsed) -> Finding | None:
    """`whatever "file"`: an unknown word before a string that is closed."""
    found = re.match(r"([A-Za-z_]\w*)\s+\"[^\"\n]*\"", statement.text)
    if found is None or statement.at < found.end(1) or "->" in statement.text:
        return None
    if found[1] in ("include", "for", "base_model"):
        return None
    return statement.finding(
        codes.UNKNOWN_STATEMENT,
        f"there is no statement `{found[1]}` that takes a string",
        'strings follow `include`, `for` and `base_model`; a rule is `"exact.name" -> ...`',
        statement.place(len(found[1]), 0),
    )


_HABITS: tuple[Callable[[Unparsed], Finding | None], ...] = (
    _comment,
    _freeze,
    _spaced_list,
    _list,
    _regex_sign,
    _operator,
    _import,
    _word_before_string,
    _exclude,
    _call,
    _statement_equals,
    _factor,
    _assignment,
)
