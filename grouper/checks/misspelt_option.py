"""An option looks like a misspelt option of torch's optimizers or of the plan.

Optimizers accept any key in a parameter group, so a misspelt option is silently unused. Keys that
are not similar to a known one are not reported: a custom optimizer may read them. If all optimizers
of the file are known, GR201 is reported instead.

    *.bn.* -> norm weigth_decay=0     # bad
    *.bn.* -> norm weight_decay=0     # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks import foreign_key
from grouper.checks.context import Context
from grouper.checks.foreign_key import translation
from grouper.checks.near_option import edit_in_rule, edit_in_statement
from grouper.language.syntax import tree
from grouper.options.foreign import FOREIGN, Translation
from grouper.options.misspelt import misspelt
from grouper.text.findings import Code, Edit, Finding, Severity, labels_at
from grouper.text.source import Span

CODE = Code("GR030", "misspelt-option", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each misspelt key of a statement or a rule."""
    if context.knows_all_optimizers:
        return
    for name, declared in context.optimizers.items():
        for key in declared.options:
            span = declared.spans.get(key)
            place = span and Span(span.source, span.start, span.start + len(key))
            signature = context.signatures.get(name)
            yield from _finding(key, place, edit_in_statement(declared, key, place, signature))
    for rule in context.rules.rules:
        for option in rule.options:
            if option.key in context.rules.tags:
                continue
            foreign = translation(option.key, context.rules)
            if foreign is not None:
                edits = foreign_key.edit_in_rule(context.rules, rule, option)
                yield _foreign(option, foreign, edits)
                continue
            yield from _finding(option.key, option.key_span, edit_in_rule(context, rule, option))


def _foreign(option: tree.Option, foreign: Translation, edits: tuple[Edit, ...]) -> Finding:
    whose = (
        "an option of another tool" if foreign in FOREIGN.values() else "an option of a schedule"
    )
    return Finding(
        CODE,
        f"`{option.key}` is {whose}, which torch's optimizers do not read",
        labels_at(option.key_span),
        help=f"{foreign.says}; if something else reads it, declare it: `tag {option.key}`",
        edits=edits,
    )


def _finding(key: str, place: Span | None, edits: tuple[Edit, ...]) -> Iterator[Finding]:
    correction = misspelt(key)
    if correction is not None:
        yield Finding(
            CODE,
            f"there is no option `{key}`",
            labels_at(place),
            help=f"did you mean `{correction}`?",
            edits=edits,
        )
