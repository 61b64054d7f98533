"""Words for statements that do not parse: what is wrong, where, and what to write instead."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from grouper.findings import Code, Edit, Finding, Label
from grouper.source import Span
from grouper.syntax import codes
from grouper.syntax.near import near

STATEMENTS = [
    "let",
    "include",
    "optimizer",
    "warmup",
    "schedule",
    "split",
    "strict",
    "expect",
    "allow",
    "override",
    "else",
]
_ARROWS = ("-->", "=>", ":=", "→", "⇒", "~>", "—>", "–>", ":")
_WORDS = {
    "GLOB": "a selector",
    "REGEX": "a selector",
    "CLASS": "a selector",
    "_IN": "a selector",
    "_NOT": "a selector",
    "FACT": "a selector",
    "SHAPE": "a selector",
    "PROPERTY": "a selector",
    "ELSE": "`else`",
    "OVERRIDE": "`override`",
    "_AND": "`and`",
    "_OR": "`or`",
    "_AS": "`as`",
    "_ARROW": "`->`",
    "_DOTS": "`..`",
    "LABEL": "a label",
    "KEY": "an option",
    "FREEZE": "an option",
    "NUMBER": "a value",
    "CONSTANT": "a value",
    "REFERENCE": "a value",
    "NAME": "a name",
    "TARGET": "an optimizer",
    "CODE": "a code such as `GR101`",
    "STRING": "a string",
    "COMPARE": "a comparison",
    "EQUAL": "`=`",
    "TIMES_EQUAL": "`*=`",
    "ADD": "an operator",
    "MULTIPLY": "an operator",
    "POWER": "an operator",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "COMMA": "`,`",
    "DOT": "`.`",
    "$END": "the end of the statement",
}


class Fault:
    """A statement and the first place that does not fit; `rest` is the text from there on."""

    def __init__(self, error: UnexpectedInput, span: Span, opening: Span | None) -> None:
        self.span = span
        self.text = span.text
        self.opening = opening
        token = getattr(error, "token", None)
        self.at_end = isinstance(token, Token) and token.type == "$END"
        position = span.end if self.at_end else error.pos_in_stream
        self.at = (span.end if position is None or position < 0 else position) - span.start
        self.before = self.text[: self.at]
        self.rest = self.text[self.at :]
        self.found = _word_at(self.rest)
        self.expected = _expected(error)

    def place(self, length: int | None = None, start: int | None = None) -> Span:
        """The span at the fault; at the end of a statement, its last character."""
        begin = self.span.start + (self.at if start is None else start)
        if begin >= self.span.end:
            return Span(self.span.source, max(self.span.start, self.span.end - 1), self.span.end)
        end = begin + (len(self.found) or 1 if length is None else length)
        return Span(self.span.source, begin, min(max(end, begin + 1), self.span.end))

    def finding(
        self,
        code: Code,
        message: str,
        help: str,
        span: Span | None = None,
        edit: str | None = None,
    ) -> Finding:
        place = span or self.place()
        edits = () if edit is None else (Edit(place, edit),)
        return Finding(code, message, (Label(place),), help=help, edits=edits)


def explain(error: UnexpectedInput, span: Span, opening: Span | None = None) -> Finding:
    """The one finding of a statement that lark could not parse."""
    fault = Fault(error, span, opening)
    for mistake in _MISTAKES:
        finding = mistake(fault)
        if finding is not None:
            return finding
    return _unexpected(fault)


def _control(fault: Fault) -> Finding | None:
    found = re.search(
        r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060]", fault.text
    )
    if found is None or found.start() > fault.at:
        return None
    name = unicodedata.name(found.group(), f"U+{ord(found.group()):04X}").lower()
    return fault.finding(
        codes.SYNTAX,
        f"an invisible character ({name}) stands in the text",
        "take it away",
        fault.place(1, found.start()),
        "",
    )


def _quotes(fault: Fault) -> Finding | None:
    if not fault.rest or fault.rest[0] not in "'`“”„«»‘’":
        return None
    return fault.finding(
        codes.SYNTAX,
        f"`{fault.rest[0]}` opens no string",
        'strings stand in straight double quotes: `"like this"`',
        fault.place(1),
    )


def _unclosed_text(fault: Fault) -> Finding | None:
    if fault.rest.startswith('"'):
        what = "string"
    elif fault.rest.startswith("/") and "a selector" in fault.expected:
        what = "regex"
    else:
        return None
    end = fault.rest[0]
    return fault.finding(
        codes.UNCLOSED,
        f"this {what} is never closed",
        f"close it with `{end}` on the same line",
        fault.place(len(fault.rest)),
    )


def _unclosed_bracket(fault: Fault) -> Finding | None:
    pairs = {"(": ")", "[": "]", "{": "}"}
    stack: list[int] = []
    for found in re.finditer(r'"[^"\n]*"|[()\[\]{}]|->', fault.text):
        token = found.group()
        if token in pairs:
            stack.append(found.start())
        elif stack and token == pairs[fault.text[stack[-1]]]:
            stack.pop()
    if not stack:
        return None
    first = stack[0]
    here = fault.text[first]
    if first > fault.at:
        return None
    return fault.finding(
        codes.UNCLOSED,
        f"this `{here}` is never closed",
        f"close it with `{pairs[here]}`",
        fault.place(1, first),
    )


def _arrow(fault: Fault) -> Finding | None:
    if "`->`" not in fault.expected or "->" in fault.text:
        return None
    gap = fault.text.find(fault.rest) if fault.rest else len(fault.text)
    for arrow in _ARROWS:
        if fault.rest.startswith(arrow) or (fault.rest.startswith("=") and arrow == "=>"):
            length = 1 if fault.rest.startswith("=") and not fault.rest.startswith(arrow) else None
            written = fault.rest[: length or len(arrow)]
            return fault.finding(
                codes.SYNTAX,
                f"`{written}` is not the arrow of a rule",
                "write `->` between the selector and what it gives",
                fault.place(len(written), gap),
                "->",
            )
    return None


def _statement_word(fault: Fault) -> Finding | None:
    """A rule that has no arrow and begins with a word much like a statement's."""
    found = re.match(r"[^\W\d]\w*", fault.text)
    if found is None or "->" in fault.text or "`->`" not in fault.expected:
        return None
    word = found.group()
    if not re.match(r"\s|$", fault.text[found.end() :]):
        return None
    likely = near(word, STATEMENTS, limit=1)
    if likely and word not in STATEMENTS:  # `else` begins a rule, too
        return fault.finding(
            codes.UNKNOWN_STATEMENT,
            f"there is no statement `{word}`",
            f"there is a statement with a similar name: `{likely[0]}`",
            fault.place(len(word), 0),
            likely[0],
        )
    return None


def _no_arrow(fault: Fault) -> Finding | None:
    if "`->`" not in fault.expected or "->" in fault.text:
        return None
    if fault.opening is not None:
        return fault.finding(
            codes.SYNTAX,
            "only `split NAME` opens a block",
            "write `split NAME {` before the rules that divide the parameters among them",
            fault.opening,
        )
    return fault.finding(
        codes.SYNTAX,
        "a rule has no `->`",
        "write `SELECTOR -> label key=value`; a selector over several lines stands in parentheses",
    )


def _second_arrow(fault: Fault) -> Finding | None:
    if not fault.rest.startswith("->") or "->" not in fault.before:
        return None
    return fault.finding(
        codes.SYNTAX,
        "a rule has one `->`, and this is a second one",
        "write a rule of its own, on a new line or behind `;`",
        fault.place(2),
    )


def _no_value(fault: Fault) -> Finding | None:
    found = re.search(r"([^\W\d]\w*)\s*(\*?=)\s*([^\W\d]\w*\s*)?$", fault.before)
    if found is None or (found[3] and not fault.rest.startswith("=")):
        return None
    if not (fault.at_end or found[3] or re.match(r"[;,]|freeze\b", fault.rest)):
        return None
    start = found.start()
    return fault.finding(
        codes.SYNTAX,
        f"`{found[1]}` has no value",
        f"write it behind `{found[2]}`, such as `{found[1]}{found[2]}0.01`",
        fault.place(found.end(2) - start, start),
    )


def _comma(fault: Fault) -> Finding | None:
    if fault.rest.startswith(",") and "an option" in fault.expected:
        return fault.finding(
            codes.SYNTAX,
            "options are separated by spaces, not by `,`",
            "take the comma away; a tuple stands in parentheses: `betas=(0.9, 0.95)`",
            fault.place(1),
            "",
        )
    return None


def _option_sign(fault: Fault) -> Finding | None:
    """`lr: 0.1`, `lr 0.1`, `lr == 0.1`: an option without its `=`."""
    found = re.match(r"([^\W\d]\w*)\s*(:=|==|:|[-+/]=|(?=[\d.\"(]))", fault.rest)
    if found is None or "an option" not in fault.expected:
        return None
    key = found[1]
    return fault.finding(
        codes.SYNTAX,
        f"the option `{key}` is not followed by `=`",
        f"write `{key}=value`, or `{key}*=factor`",
        fault.place(len(found[0].rstrip())),
    )


def _bad_number(fault: Fault) -> Finding | None:
    found = re.match(r"[\d.][\w.]*", fault.rest)
    if found is None or "a value" not in fault.expected:
        return None
    return fault.finding(
        codes.BAD_NUMBER,
        f"`{found.group()[:40]}` is not a number",
        "numbers are written like `0.01`, `5e-4` or `1000`",
        fault.place(len(found.group())),
    )


def _stray_in(fault: Fault) -> Finding | None:
    if fault.text.strip() == "in" or re.search(r"\bin\s*$", fault.before):
        return fault.finding(
            codes.SYNTAX,
            "`in` is followed by no module",
            "write a module's path (`in model.24`) or class (`in @Detect`) behind it",
        )
    return None


def _include(fault: Fault) -> Finding | None:
    if fault.text.startswith("include") and fault.expected == ("a string",):
        name = fault.rest.strip()
        return fault.finding(
            codes.SYNTAX,
            "the file of an `include` is written in quotes",
            f'write `include "{name or "FILE.rules"}"`',
            fault.place(len(name) or None),
            f'"{name}"' if name else None,
        )
    return None


def _misplaced_word(fault: Fault) -> Finding | None:
    word = fault.found
    if word in ("override", "else") and fault.before.strip() in ("else", "override"):
        return fault.finding(
            codes.SYNTAX,
            f"`{word}` cannot follow `{fault.before.strip()}`",
            "`override else S -> ...` is the order; mostly one of the two is meant",
        )
    return None


def _unexpected(fault: Fault) -> Finding:
    wanted = _listed(fault.expected)
    if fault.at_end:
        message = f"the statement ends too early: {wanted} is missing"
        last = fault.text.rstrip().rfind(" ") + 1
        return fault.finding(codes.SYNTAX, message, "finish it", fault.place(None, last))
    shown = fault.found if len(fault.found) <= 40 else fault.found[:37] + "..."
    if not wanted:
        return fault.finding(codes.SYNTAX, f"`{shown}` cannot stand here", "take it away")
    return fault.finding(codes.SYNTAX, f"`{shown}` cannot stand here", f"here could stand {wanted}")


def _expected(error: UnexpectedInput) -> tuple[str, ...]:
    """What could stand at the fault, in words, each once; exact, not the parse state's guess."""
    if isinstance(error, UnexpectedToken):
        names: Iterable[str] = error.accepts or error.expected
    elif isinstance(error, UnexpectedCharacters):
        names = error.allowed or ()
    else:
        names = ()
    present = set(names)
    if "NUMBER" in present:
        present -= {"NAME", "STRING", "LPAR", "ADD", "REFERENCE"}
    elif "LABEL" in present or ("GLOB" in present):
        present -= {"STRING", "LPAR"}
    if "KEY" in present and "$END" in present:
        present -= {"ADD", "MULTIPLY", "POWER", "LPAR", "LSQB", "DOT"}
    words = [_WORDS[name] for name in _WORDS if name in present]
    return tuple(dict.fromkeys(words))


def _listed(words: tuple[str, ...]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _word_at(rest: str) -> str:
    found = re.match(r"[\w.*?@]+|->|[=!<>*]=|\*\*|.", rest, re.DOTALL)
    return found.group() if found else ""


_MISTAKES: tuple[Callable[[Fault], Finding | None], ...] = (
    _control,
    _quotes,
    _unclosed_text,
    _arrow,
    _unclosed_bracket,
    _include,
    _misplaced_word,
    _stray_in,
    _statement_word,
    _no_arrow,
    _second_arrow,
    _no_value,
    _comma,
    _option_sign,
    _bad_number,
)
