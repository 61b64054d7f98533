"""An explanation as JSON: one object with stable keys (see docs/explanation.schema.json)."""

from __future__ import annotations

from typing import Any

from grouper.language.ruleset import Rule
from grouper.language.syntax.unparse import expression_text
from grouper.match.derivation.derivation import Derivation, Term
from grouper.match.derivation.rule_words import rule_words
from grouper.match.derivation.untaken import Untaken
from grouper.options.values import Configured, Value
from grouper.reports.explain.explanation import Explained, Explanation
from grouper.reports.json import VERSION, dumps, model_value
from grouper.reports.output import Output
from grouper.text.source import Span


def render_json(explanation: Explanation, _output: Output) -> str:
    value = {
        "version": VERSION,
        "model": model_value(explanation.report.inventory),
        "explained": [_explained(each, explanation) for each in explanation.explained],
    }
    return dumps(value)


def _explained(each: Explained, explanation: Explanation) -> dict[str, Any]:
    value = {
        "parameters": [assigned.parameter.name for assigned in each.alike],
        "group": each.group.name if each.group else None,
        "frozen": each.first.frozen,
        "options": [_derivation(derivation) for derivation in each.derivations],
        "matched": [_rule(match.rule) for match in each.first.matches],
        "not_matched": [_rule(one.rule) for one in each.untaken if one.taker is None],
        "hidden": [_hidden(one) for one in each.untaken if one.taker is not None],
    }
    return {**value, **_run(each, explanation)}


def _derivation(derivation: Derivation) -> dict[str, Any]:
    return {
        "key": derivation.key,
        "value": _value(derivation.value),
        "arithmetic": derivation.arithmetic,
        "terms": [
            _term(term, text) for term, text in zip(derivation.terms, derivation.texts, strict=True)
        ],
        "overruled": [_term(term) for term in derivation.overruled],
        "in_conflict": [_term(term) for term in derivation.in_conflict],
    }


def _term(term: Term, text: str | None = None) -> dict[str, Any]:
    return {
        "text": text if text is not None else expression_text(term.expression),
        "value": _value(term.value),
        "sources": [{"what": source.what, **_place(source.span)} for source in term.sources],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {"rule": rule_words(rule), **_place(rule.span)}


def _hidden(untaken: Untaken) -> dict[str, Any]:
    taker = untaken.taker
    by = _rule(taker) if taker is not None else None
    return {**_rule(untaken.rule), "parameters": untaken.hidden, "taken_by": by}


def _place(span: Span | None) -> dict[str, Any]:
    return {
        "file": span.source.path if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
    }


def _value(value: Value) -> Any:
    return str(value) if isinstance(value, Configured) else value


def _run(each: Explained, explanation: Explanation) -> dict[str, Any]:
    if explanation.plan is None or each.group is None:
        return {}
    steps = [step.step for step in explanation.steps]
    values = explanation.plan.over(steps)[each.group.name]["lr"]
    rows = zip(explanation.steps, values, strict=True)
    return {"steps": [{"step": s.step, "words": list(s.words), "lr": lr} for s, lr in rows]}
