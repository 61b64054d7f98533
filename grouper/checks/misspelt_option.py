"""An option is called almost like one that torch's optimizers or the plan have.

Optimizers accept any key in a parameter group, so a misspelt option is silently unused. Keys that
are not like any known one are left alone: a custom optimizer may read them. Where all optimizers of
the file are known, GR201 says more.

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
            found = translation(option.key, context.rules)
            if found is not None:
                edits = foreign_key.edit_in_rule(context.rules, rule, option)
                yield _foreign(option, found, edits)
                continue
            yield from _finding(option.key, option.key_span, edit_in_rule(context, rule, option))


def _foreign(option: tree.Option, found: Translation, edits: tuple[Edit, ...]) -> Finding:
    whose = "another tool's word" if found in FOREIGN.values() else "a schedule's option"
    return Finding(
        CODE,
        f"`{option.key}` is {whose}, and torch's optimizers do not read it",
        labels_at(option.key_span),
        help=f"{found.says}; where something reads it, say so: `tag {option.key}`",
        edits=edits,
    )


def _finding(key: str, place: Span | None, edits: tuple[Edit, ...]) -> Iterator[Finding]:
    meant = misspelt(key)
    if meant is not None:
        yield Finding(
            CODE,
            f"there is no option `{key}`",
            labels_at(place),
            help=f"did you mean `{meant}`?",
            edits=edits,
        )
