"""The texts of places, sources, terms and rules in an explanation, each for one line."""

from __future__ import annotations

from pathlib import PureWindowsPath

from grouper.language.ruleset import Rule, RuleSet
from grouper.language.syntax.unparse import selector_text
from grouper.match.classes import owner_path
from grouper.match.derivation.derivation import Source, Term
from grouper.match.derivation.rule_words import rule_words
from grouper.match.derivation.untaken import Untaken
from grouper.model.inventory import Inventory, Parameter
from grouper.options.values import Value, value_text
from grouper.text.source import Span

LONGEST_NUMBER = 10  # characters; longer numbers are rounded


class Words:
    """Texts for one rules file: its own lines are given by number, lines of other files with the
    file's name."""

    def __init__(self, rules: RuleSet) -> None:
        self._path = rules.path

    def place(self, span: Span) -> str:
        """`line 12`, or `warmup.rules:3` for another file."""
        if span.source.path == self._path:
            return f"line {span.line}"
        return f"{PureWindowsPath(span.source.path).name}:{span.line}"

    def source(self, source: Source) -> str:
        return f"{source.what}, {self.place(source.span)}" if source.span else source.what

    def sources(self, term: Term) -> str:
        """The text in parentheses after a number."""
        return "; ".join(map(self.source, term.sources))

    def rule(self, rule: Rule) -> str:
        return f"{rule_words(rule)}{f' ({self.place(rule.span)})' if rule.span else ''}"

    def untaken(self, untaken: Untaken, of: int) -> str:
        """A rule that did not apply, and why."""
        notes = [self.place(untaken.rule.span)] if untaken.rule.span else []
        if untaken.taker is not None:
            taker = rule_words(untaken.taker)
            span = untaken.taker.span
            notes.append(f"taken by {self.place(span)}" if span else f"taken by {taker}")
            if untaken.hidden < of:
                notes.append(f"{untaken.hidden:,} of {of:,}")
        if untaken.failed is not None:
            notes.append(f"not {selector_text(untaken.failed)}")
        why = f" ({', '.join(notes)})" if notes else ""
        return f"{rule_words(untaken.rule)}{why}"


def rounded(value: Value) -> str:
    """The text of a value; long numbers are rounded to six digits."""
    text = value_text(value)
    if isinstance(value, float) and len(text) > LONGEST_NUMBER:
        return f"{value:.6g}"
    return text


def owner(parameter: Parameter, inventory: Inventory) -> str:
    """The module that a parameter belongs to: `Conv2d at model.0`."""
    modules = inventory.modules
    path = owner_path(parameter.name, modules)
    module = modules.get(path) if modules is not None else None
    cls = module.cls.rpartition(".")[2] if module is not None else ""
    return f"{cls} at {path or 'the root'}" if cls else ""
