"""Vectors decay and matrices do not.

Weight decay is meant for the matrices of linear layers and convolutions, not for biases and norms.
If it is the other way round, the two values are probably swapped.

    ndim <= 1 -> no_decay weight_decay=0.2      # bad
    else      -> decay    weight_decay=0

    ndim <= 1 -> no_decay weight_decay=0        # good
    else      -> decay    weight_decay=0.2
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.checks.module_kinds import Kind
from grouper.checks.rule_edits import option_of, with_value
from grouper.checks.trained import Trained, most_common_rule, place_of
from grouper.language.ruleset import Rule
from grouper.text.findings import Code, Finding, Fix, Severity
from grouper.text.printable import count_phrase

LEAST = 4  # matrices of layers, for the check to be meaningful
CODE = Code("GR302", "decay-reversed", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding if no matrix decays, but half of the vectors or all norms do."""
    untied = (one for one in _matrices(context) if not one.parameter.tied)
    if any(one.number("weight_decay") != 0 for one in untied):
        return
    matrices = list(_matrices(context))
    yield from _layers_exempt(context, matrices)
    vectors = [o for o in context.trained if (o.parameter.ndim or 2) <= 1]
    decaying = [
        one
        for one in vectors
        if (one.number("weight_decay") or 0) > 0 and "weight_decay" in one.group.options
    ]
    norms = [one for one in vectors if one.kind is Kind.NORM]
    all_norms = len(norms) > 1 and all(one in decaying for one in norms)
    if not matrices or not decaying or (2 * len(decaying) < len(vectors) and not all_norms):
        return
    if any(one.number("weight_decay") != 0 for one in matrices):
        return
    rule = most_common_rule(decaying, "weight_decay")
    other = most_common_rule(matrices, "weight_decay")
    labels = place_of(rule, "weight_decay", "decays vectors")
    if other is not None and other is not rule:
        labels += place_of(other, "weight_decay", "exempts matrices")
    yield Finding(
        CODE,
        f"{count_phrase(decaying, 'vector')} {'decays' if len(decaying) == 1 else 'decay'}"
        f" (`{decaying[0].name}`: biases, norms), but none of {len(matrices):,} matrices does"
        f" (`{matrices[0].name}`)",
        labels,
        tuple(one.name for one in decaying),
        help="swap the two values of `weight_decay`: 0 for biases and norms",
        candidates=(_swapped(rule, other),) if rule and other and rule is not other else (),
    )


def _matrices(context: Context) -> Iterator[Trained]:
    """The trained weights of linear layers and convolutions."""
    layers = (one for one in context.trained if one.kind in (Kind.LINEAR, Kind.CONV))
    return (one for one in layers if (one.parameter.ndim or 0) >= 2)


def _layers_exempt(context: Context, matrices: list[Trained]) -> Iterator[Finding]:
    """A finding if a rule exempts every matrix of layers, and only embeddings decay."""
    layers = [one for one in matrices if not one.parameter.tied]
    if len(layers) < LEAST:
        return
    decaying = [o for o in context.trained if (o.number("weight_decay") or 0) > 0]
    same = {one.group.optimizer for one in layers} & {one.group.optimizer for one in decaying}
    rule = most_common_rule(layers, "weight_decay")
    if rule is None or not same or any((o.parameter.ndim or 0) < 2 for o in decaying):
        return
    yield Finding(
        CODE,
        f"none of {len(layers):,} layer matrices decays (`{layers[0].name}`), but"
        f" {count_phrase(decaying)} outside of layers"
        f" {'does' if len(decaying) == 1 else 'do'}: `{decaying[0].name}`",
        place_of(rule, "weight_decay", "exempts them"),
        tuple(one.name for one in layers),
        help="select matrices by their dimensions instead of their class: `ndim >= 2 -> matrix"
        " weight_decay=...`",
    )


def _swapped(first: Rule, second: Rule) -> Fix:
    one, other = option_of(first, "weight_decay"), option_of(second, "weight_decay")
    if one is None or other is None or one.value.span is None or other.value.span is None:
        return ()
    return with_value(one, other.value.span.text) + with_value(other, one.value.span.text)
