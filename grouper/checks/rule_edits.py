"""Builds edits of a rule's text."""

from __future__ import annotations

from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.language.syntax.unparse import selector_text
from grouper.text.findings import Edit, Fix
from grouper.text.source import Span


def option_of(rule: Rule, key: str) -> tree.Option | None:
    """The option of a rule with a key."""
    return next((option for option in rule.options if option.key == key), None)


def with_value(option: tree.Option | None, text: str) -> Fix:
    """The option with another value; empty if it has no place in the text."""
    if option is None or option.value.span is None:
        return ()
    return (Edit(option.value.span, text),)


def with_option(rule: Rule, text: str) -> Fix:
    """The rule with one more option, or with an existing one replaced."""
    present = option_of(rule, text.partition("=")[0].rstrip("*"))
    if present is not None and present.span is not None:
        return (Edit(present.span, text),)
    if rule.span is None or rule.freezes:
        return ()
    end = Span(rule.span.source, rule.span.end, rule.span.end)
    return (Edit(end, f" {text}"),)


def with_selector(rule: Rule, text: str) -> Fix:
    """The rule with another selector."""
    span = rule.selector.span if rule.selector is not None else None
    return (Edit(span, text),) if span is not None else ()


def also_selecting(rule: Rule, text: str) -> Fix:
    """The rule with `or text` added to its selector."""
    span = rule.selector.span if rule.selector is not None else None
    if span is None:
        return ()
    return (Edit(Span(span.source, span.end, span.end), f" or {text}"),)


def except_selecting(rule: Rule, text: str) -> Fix:
    """The rule with `and not text` added to its selector."""
    span = rule.selector.span if rule.selector is not None else None
    if span is None:
        return ()
    if isinstance(rule.selector, tree.Or):
        return (Edit(span, f"({span.text}) and not {text}"),)
    return (Edit(Span(span.source, span.end, span.end), f" and not {text}"),)


def only_selecting(rule: Rule, text: str) -> Fix:
    """The rule with `and text` added to its selector."""
    span = rule.selector.span if rule.selector is not None else None
    if span is None:
        return ()
    if isinstance(rule.selector, tree.Or):
        return (Edit(span, f"({span.text}) and {text}"),)
    return (Edit(Span(span.source, span.end, span.end), f" and {text}"),)


def frozen(rule: Rule) -> Fix:
    """The rule with its label and options replaced by `freeze`."""
    if rule.span is None:
        return ()
    arrow = rule.span.text.find("->")
    if arrow < 0:
        return ()
    start = rule.span.start + arrow + 2
    return (Edit(Span(rule.span.source, start, rule.span.end), " freeze"),)


def without_rule(rule: Rule) -> Fix:
    """The file without the rule."""
    if rule.span is None:
        return ()
    text = rule.span.source.text
    start, end = text.rfind("\n", 0, rule.span.start) + 1, rule.span.end
    alone = not text[start : rule.span.start].strip() and text[end : end + 1] in ("\n", "")
    return (Edit(Span(rule.span.source, start, end + 1) if alone else rule.span, ""),)


def selector_text_of(rule: Rule) -> str:
    """The selector of a rule, without `else` and `override`; empty for a bare `else`."""
    if rule.selector is None:
        return ""
    span = rule.selector.span
    return span.text if span is not None else selector_text(rule.selector)


def without_else(rule: Rule) -> Fix:
    """The rule without its `else`."""
    at = rule.span.text.find("else") if rule.span is not None else -1
    if rule.span is None or at < 0:
        return ()
    start = rule.span.start + at
    return (Edit(Span(rule.span.source, start, start + len("else ")), ""),)


def optional(rule: Rule) -> Fix:
    """The rule with `optional` before it."""
    if rule.span is None:
        return ()
    return (Edit(Span(rule.span.source, rule.span.start, rule.span.start), "optional "),)


def before(rule: Rule, text: str) -> Fix:
    """A new rule before this one."""
    if rule.span is None:
        return ()
    source, start = rule.span.source, rule.span.start
    line = source.text[source.text.rfind("\n", 0, start) + 1 : start]
    between = f"\n{line}" if not line.strip() else "; "
    return (Edit(Span(source, start, start), text + between),)


def moved_before(rule: Rule, other: Rule) -> Fix:
    """The rule moved before an earlier one."""
    removal = without_rule(rule)
    if not removal or other.span is None or rule.span is None:
        return ()
    if other.span.source is not rule.span.source:
        return ()
    return (*before(other, rule.span.text), *removal)


def grouped(text: str, selector: tree.Selector | None) -> str:
    """The text of a selector, in parentheses if needed as an operand of `and` and `not`."""
    return f"({text})" if isinstance(selector, tree.And | tree.Or | tree.Not) else text
