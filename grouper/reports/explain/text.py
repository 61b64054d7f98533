"""An explanation as text: each option with its arithmetic, and the rules that did not apply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.text import Text

from grouper.match.derivation.derivation import Derivation, Term
from grouper.model.inventory import Inventory, Parameter
from grouper.reports.explain.explanation import Explained, Explanation
from grouper.reports.explain.words import Words, owner, rounded
from grouper.reports.output import UNLIMITED, Output
from grouper.reports.plan.table import number
from grouper.text.fold import fold
from grouper.text.printable import count_phrase, size_phrase, visible, width

MOST_PATTERNS = 8
MOST_LINES = 3  # of names
MOST_RULES = 12
MARGIN = "  "


def render_text(explanation: Explanation, output: Output) -> str:
    return output.printed(lambda out: _print(explanation, out))


def _print(explanation: Explanation, out: Console) -> None:
    out.print(Text("\n").join(explanation_lines(explanation, out.width)), soft_wrap=True)


def explanation_lines(explanation: Explanation, columns: int = UNLIMITED) -> Iterator[Text]:
    """The lines of an explanation, wrapped at `columns` where possible."""
    words = Words(explanation.report.rules)
    for index, each in enumerate(explanation.explained):
        if index:
            yield Text()
        yield from _head(each, explanation.report.inventory, columns)
        yield from derivation_lines(each, explanation, words, columns)


def derivation_lines(
    each: Explained, explanation: Explanation, words: Words, columns: int = UNLIMITED
) -> Iterator[Text]:
    """The lines of equal derivations, without the names of the parameters."""
    yield from _outcome(each, words)
    yield from _options(each, words, columns)
    yield from _run(each, explanation, columns)
    yield from _rules(each, words, columns)


def _head(each: Explained, inventory: Inventory, columns: int) -> Iterator[Text]:
    parameters = [assigned.parameter for assigned in each.alike]
    if len(parameters) == 1:
        names = visible(" = ".join(parameters[0].names))
        facts = ", ".join(filter(None, (_tensor(parameters[0]), owner(parameters[0], inventory))))
        yield from _flowing(Text(""), [Text(names, "bold"), Text(f" {visible(facts)}")], columns, 4)
        return
    size = size_phrase(sum(parameter.numel or 0 for parameter in parameters))
    yield Text(f"{count_phrase(parameters, 'tensor')}, {size}", "bold")
    patterns = [Text(visible(p)) for p in fold(parameter.name for parameter in parameters)]
    for most in range(MOST_PATTERNS, 0, -1):
        lines = list(_listed(MARGIN, patterns, columns, most, "pattern"))
        if len(lines) <= MOST_LINES or most == 1:
            yield from lines
            return


def _tensor(parameter: Parameter) -> str:
    shape = parameter.shape
    words = "shape unknown" if shape is None else "x".join(map(str, shape)) or "scalar"
    return f"{words} {parameter.dtype or 'dtype unknown'}"


def _outcome(each: Explained, words: Words) -> Iterator[Text]:
    first = each.first
    if first.frozen:
        rules = [words.rule(match.rule) for match in first.matches if match.rule.freezes]
        by = visible(", ".join(rules)) or "the model"
        yield Text(f"{MARGIN}frozen by {by}: in no group")
    elif first.uncovered_splits:
        where = ("any rule" if s is None else f"the split `{s}`" for s in first.uncovered_splits)
        yield Text(f"{MARGIN}not matched by {visible(', '.join(where))}: in no group")
    elif each.group is not None:
        yield Text.assemble(f"{MARGIN}group ", (visible(each.group.name), "green"))


def _options(each: Explained, words: Words, columns: int) -> Iterator[Text]:
    """The options, with their values aligned."""
    if not each.derivations:
        return
    wide = max(width(visible(derivation.key)) for derivation in each.derivations)
    yield Text()
    for derivation in each.derivations:
        key = visible(derivation.key)
        head = Text(f"{MARGIN}{key}{' ' * (wide - width(key))}  ")
        indent = len(MARGIN) + wide + 4
        yield from _flowing(head, list(_chunks(derivation, words)), columns, indent)
        for term in derivation.overruled:
            chunks = [Text(visible(rounded(term.value)), "strike"), *_sources(term, words)]
            yield from _flowing(Text(f"{' ' * (indent - 2)}not "), chunks, columns, indent)


def _chunks(derivation: Derivation, words: Words) -> Iterator[Text]:
    """The parts between which a line may be broken: the value, and each number with its
    sources."""
    if derivation.in_conflict:
        yield Text("in conflict:", "bold red")
        for term in derivation.in_conflict:
            yield Text(visible(rounded(term.value)))
            yield from _sources(term, words)
        return
    value = Text(visible(rounded(derivation.value)), "bold")
    if not derivation.computed:
        yield value
        yield from _sources(derivation.terms[0], words)
        return
    yield Text.assemble(value, " =")
    for index, (text, term) in enumerate(zip(derivation.texts, derivation.terms, strict=True)):
        yield Text(f"{'* ' * bool(index)}{visible(text)}")
        yield from _sources(term, words)


def _sources(term: Term, words: Words) -> Iterator[Text]:
    sources = [visible(words.source(source)) for source in term.sources]
    for index, source in enumerate(sources):
        opening, last = "(" * (index == 0), index == len(sources) - 1
        yield Text(f"{opening}{source}{')' if last else ';'}", "dim")


def _run(each: Explained, explanation: Explanation, columns: int) -> Iterator[Text]:
    """The lr at the steps of a run."""
    if explanation.plan is None or each.group is None:
        return
    steps = [step.step for step in explanation.steps]
    values = explanation.plan.over(steps)[each.group.name]["lr"]
    chunks = []
    for index, (step, value) in enumerate(zip(explanation.steps, values, strict=True)):
        why = f" ({', '.join(step.words)})" if step.words else ""
        end = "," * (index < len(values) - 1)
        chunks.append(Text.assemble(f"{step.step:,}: ", (number(value), "bold"), f"{why}{end}"))
    yield Text()
    yield from _flowing(Text(f"{MARGIN}lr at step "), chunks, columns, len(MARGIN) + 2)


def _rules(each: Explained, words: Words, columns: int) -> Iterator[Text]:
    """The rules that match, those that do not, and those that `else` hides."""
    of = len(each.alike)
    hidden = [one for one in each.untaken if one.taker is not None]
    others = [one for one in each.untaken if one.taker is None]
    matches = [words.rule(match.rule) for match in each.first.matches]
    lists = {
        "matched by: ": matches,
        "hidden by else: ": [words.untaken(one, of) for one in hidden],
        "not matched by: ": [words.untaken(one, of) for one in others],
    }
    yield Text()
    for head, rules in lists.items():
        if rules:
            chunks = [Text(visible(rule), "dim") for rule in rules]
            yield from _listed(f"{MARGIN}{head}", chunks, columns, MOST_RULES, "rule")


def _listed(
    head: str, chunks: Sequence[Text], columns: int, most: int, noun: str
) -> Iterator[Text]:
    """A list with commas, cut to `most` items."""
    first = list(chunks[:most])
    more = len(chunks) - len(first)
    parts = [Text.assemble(chunk, "," * (i < len(first) - 1)) for i, chunk in enumerate(first)]
    if more:
        parts.append(Text(f"and {more:,} more {noun}{'s' * (more != 1)}"))
    yield from _flowing(Text(head), parts, columns, len(MARGIN) + 2)


def _flowing(head: Text, chunks: Iterable[Text], columns: int, indent: int) -> Iterator[Text]:
    """A head and chunks, separated by blanks, in lines of at most `columns`. Chunks that are longer
    than a line, and a first one that does not fit after the head, are broken at blanks."""
    line, empty = head.copy(), True
    for chunk in chunks:
        whole = width(chunk.plain)
        too_wide = whole > columns - indent or (empty and width(line.plain) + whole > columns)
        for part in chunk.split(" ") if too_wide else (chunk,):
            if not empty and width(line.plain) + 1 + width(part.plain) > columns:
                yield line
                line, empty = Text(" " * indent), True
            line.append_text(Text(" " * (not empty))).append_text(part)
            empty = False
    yield line
