"""Messages for statements that do not parse: what is wrong, where, and what to write instead."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from lark.exceptions import UnexpectedInput

from grouper.language.syntax import codes
from grouper.language.syntax.error_site import Unparsed
from grouper.language.syntax.habits import by_habit
from grouper.language.syntax.keywords import STATEMENTS
from grouper.text.findings import Finding
from grouper.text.similar import near
from grouper.text.source import Span

_ARROWS = ("-->", "=>", ":=", "→", "⇒", "~>", "—>", "–>", ":", "=")


def explain(error: UnexpectedInput, span: Span, opening: Span | None = None) -> Finding:
    """The one finding of a statement that lark could not parse."""
    statement = Unparsed(error, span, opening)
    for mistake in _MISTAKES:
        finding = mistake(statement)
        if finding is not None:
            return finding
    return _unexpected(statement)


def _control(statement: Unparsed) -> Finding | None:
    found = re.search(
        r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060]", statement.text
    )
    if found is None or found.start() > statement.at:
        return None
    name = unicodedata.name(found.group(), f"U+{ord(found.group()):04X}").lower()
    return statement.finding(
        codes.SYNTAX,
        f"an invisible character ({name}) stands in the text",
        "remove it",
        statement.place(1, found.start()),
        "",
    )


def _quotes(statement: Unparsed) -> Finding | None:
    if not statement.rest or statement.rest[0] not in "'`“”„«»‘’":
        return None
    return statement.finding(
        codes.SYNTAX,
        f"`{statement.rest[0]}` does not open a string",
        'write strings in straight double quotes: `"like this"`',
        statement.place(1),
    )


def _unclosed_text(statement: Unparsed) -> Finding | None:
    if statement.rest.startswith('"') and '"' not in statement.rest[1:]:
        what = "string"
    elif statement.rest.startswith("/") and "a selector" in statement.expected:
        what = "regex"
    else:
        return None
    end = statement.rest[0]
    return statement.finding(
        codes.UNCLOSED,
        f"this {what} is never closed",
        f"close it with `{end}` on the same line",
        statement.place(len(statement.rest)),
    )


def _unclosed_bracket(statement: Unparsed) -> Finding | None:
    pairs = {"(": ")", "[": "]", "{": "}"}
    stack: list[int] = []
    for found in re.finditer(r'"[^"\n]*"|[()\[\]{}]|->', statement.text):
        token = found.group()
        if token in pairs:
            stack.append(found.start())
        elif stack and token == pairs[statement.text[stack[-1]]]:
            stack.pop()
    if not stack:
        return None
    first = stack[0]
    here = statement.text[first]
    if first > statement.at:
        return None
    return statement.finding(
        codes.UNCLOSED,
        f"this `{here}` is never closed",
        f"close it with `{pairs[here]}`",
        statement.place(1, first),
    )


def _arrow(statement: Unparsed) -> Finding | None:
    if "`->`" not in statement.expected or "->" in statement.text:
        return None
    arrow = next((a for a in _ARROWS if statement.rest.startswith(a)), None)
    if arrow is None:
        return None
    return statement.finding(
        codes.SYNTAX,
        f"`{arrow}` is not the arrow of a rule",
        "write `->` between the selector and what it gives",
        statement.place(len(arrow)),
        "->",
    )


def _statement_word(statement: Unparsed) -> Finding | None:
    """A rule that has no arrow and begins with a word much like a statement's."""
    found = re.match(r"[^\W\d]\w*", statement.text)
    if found is None or "->" in statement.text or "`->`" not in statement.expected:
        return None
    word = found.group()
    if not re.match(r"\s|$", statement.text[found.end() :]):
        return None
    likely = near(word, STATEMENTS, limit=1)
    if likely and word not in STATEMENTS:  # `else` begins a rule, too
        return statement.finding(
            codes.UNKNOWN_STATEMENT,
            f"there is no statement `{word}`",
            f"did you mean `{likely[0]}`?",
            statement.place(len(word), 0),
            likely[0],
        )
    return None


def _before_string(statement: Unparsed) -> Finding | None:
    """A word that begins no statement, and a string."""
    found = re.match(r'([^\W\d]\w*)\s+"', statement.text)
    if found is None or found[1] in STATEMENTS or found.end() != statement.at + 1:
        return None
    return statement.finding(
        codes.UNKNOWN_STATEMENT,
        f"there is no statement `{found[1]}`",
        'a string follows `include "FILE"`, `for "MODEL"` and `base_model "MODEL"`',
        statement.place(len(found[1]), 0),
    )


def _no_arrow(statement: Unparsed) -> Finding | None:
    if "`->`" not in statement.expected or "->" in statement.text:
        return None
    if statement.opening is not None:
        return statement.finding(
            codes.SYNTAX,
            "only `split NAME` opens a block",
            "write `split NAME {` before the rules that divide the parameters among them",
            statement.opening,
        )
    return statement.finding(
        codes.SYNTAX,
        "a rule has no `->`",
        "write `SELECTOR -> label key=value`; put a selector over several lines in parentheses",
    )


def _second_arrow(statement: Unparsed) -> Finding | None:
    if not statement.rest.startswith("->") or "->" not in statement.before:
        return None
    return statement.finding(
        codes.SYNTAX,
        "a rule has one `->`, and this is a second one",
        "write a rule of its own, on a new line or after `;`",
        statement.place(2),
    )


def _no_value(statement: Unparsed) -> Finding | None:
    found = re.search(r"([^\W\d]\w*)\s*(\*?=)\s*([^\W\d]\w*\s*)?$", statement.before)
    if found is None or (found[3] and not statement.rest.startswith("=")):
        return None
    if not (statement.at_end or found[3] or re.match(r"[;,]|freeze\b", statement.rest)):
        return None
    start = found.start()
    return statement.finding(
        codes.SYNTAX,
        f"`{found[1]}` has no value",
        f"write it after `{found[2]}`, such as `{found[1]}{found[2]}0.01`",
        statement.place(found.end(2) - start, start),
    )


def _comma(statement: Unparsed) -> Finding | None:
    if statement.rest.startswith(",") and "an option" in statement.expected:
        return statement.finding(
            codes.SYNTAX,
            "options are separated by spaces, not by `,`",
            "remove the comma; write a tuple in parentheses: `betas=(0.9, 0.95)`",
            statement.place(1),
            "",
        )
    return None


def _option_sign(statement: Unparsed) -> Finding | None:
    """`lr: 0.1`, `lr 0.1`, `lr == 0.1`: an option without its `=`."""
    found = re.match(r"([^\W\d]\w*)\s*(:=|==|:|[-+/]=|(?=[\d.\"(]))", statement.rest)
    if found is None or "an option" not in statement.expected:
        return None
    key = found[1]
    return statement.finding(
        codes.SYNTAX,
        f"the option `{key}` is not followed by `=`",
        f"write `{key}=value`, or `{key}*=factor`",
        statement.place(len(found[0].rstrip())),
        f"{key}=" if found[2] in (":", ":=", "==") else None,
    )


def _bad_number(statement: Unparsed) -> Finding | None:
    found = re.match(r"[\d.][\w.]*", statement.rest)
    if found is None or "a value" not in statement.expected:
        return None
    return statement.finding(
        codes.BAD_NUMBER,
        f"`{found.group()[:40]}` is not a number",
        "numbers are written like `0.01`, `5e-4` or `1000`",
        statement.place(len(found.group())),
    )


def _stray_in(statement: Unparsed) -> Finding | None:
    if statement.text.strip() == "in" or re.search(r"\bin\s*$", statement.before):
        return statement.finding(
            codes.SYNTAX,
            "`in` is followed by no module",
            "write a module's path (`in model.24`) or class (`in @Detect`) behind it",
        )
    return None


def _include(statement: Unparsed) -> Finding | None:
    if statement.text.startswith("include") and statement.expected == ("a string",):
        name = statement.rest.strip()
        return statement.finding(
            codes.SYNTAX,
            "the file of an `include` is written in quotes",
            f'write `include "{name or "FILE.rules"}"`',
            statement.place(len(name) or None),
            f'"{name}"' if name else None,
        )
    return None


def _misplaced_word(statement: Unparsed) -> Finding | None:
    word = statement.found
    if word in ("override", "else") and statement.before.strip() in ("else", "override"):
        return statement.finding(
            codes.SYNTAX,
            f"`{word}` cannot follow `{statement.before.strip()}`",
            "`override else S -> ...` is the order; mostly one of the two is meant",
        )
    return None


def _unexpected(statement: Unparsed) -> Finding:
    wanted = _listed(statement.expected)
    if statement.at_end:
        message = f"the statement ends too early: {wanted} is missing"
        last = statement.text.rstrip().rfind(" ") + 1
        return statement.finding(codes.SYNTAX, message, "finish it", statement.place(None, last))
    shown = statement.found if len(statement.found) <= 40 else statement.found[:37] + "..."
    return statement.finding(codes.SYNTAX, f"unexpected `{shown}`", f"expected {wanted}")


def _listed(words: tuple[str, ...]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} or {words[-1]}"


_MISTAKES: tuple[Callable[[Unparsed], Finding | None], ...] = (
    _control,
    by_habit,
    _quotes,
    _unclosed_text,
    _arrow,
    _unclosed_bracket,
    _include,
    _misplaced_word,
    _stray_in,
    _statement_word,
    _before_string,
    _no_arrow,
    _second_arrow,
    _no_value,
    _comma,
    _option_sign,
    _bad_number,
)
