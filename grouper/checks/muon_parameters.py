"""Muon gets embeddings, output layers or adapters.

Muon orthogonalises the update of a matrix. Its authors use AdamW for embeddings and the output
layer, whose rows are used one by one. It is not suitable for the factors of low-rank adapters
either.

    optimizer AdamW lr=3e-4
    optimizer Muon as hidden lr=0.02
    ndim == 2 -> matrix optimizer=hidden        # bad: embeddings as well
    else      -> rest

    @Embedding or lm_head.* -> ends             # good
    else ndim == 2 -> matrix optimizer=hidden
    else           -> rest
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from grouper.checks.context import Context
from grouper.checks.module_kinds import Kind
from grouper.checks.rule_edits import also_selecting, except_selecting, option_of
from grouper.checks.trained import Trained, most_common_rule, place_of
from grouper.language.ruleset import Rule
from grouper.text.findings import Code, Finding, Fix, Severity
from grouper.text.printable import count_phrase

CODE = Code("GR310", "muon-parameters", Severity.WARNING, __doc__ or "")

ADAPTER = re.compile(r"(^|\.)(lora|loha|lokr|vera|oft|adalora)_")
NUMBERED = re.compile(r"\.\d+\.")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each kind of parameter that Muon should not get."""
    under = [one for one in context.trained if _is_muon(context, one)]
    if not under:
        return
    embeddings = [one for one in under if one.kind is Kind.EMBEDDING]
    yield from _finding(context, embeddings, "an embedding", "embeddings", "@*Embedding*")
    adapters = [one for one in under if ADAPTER.search(one.name)]
    yield from _finding(context, adapters, "a factor of an adapter", "adapters", "*lora_*")
    tables = {
        p.shape
        for p in context.inventory.parameters
        if context.kinds.of[id(p)] is Kind.EMBEDDING and p.ndim == 2
    }
    heads = [
        one
        for one in under
        if one.kind is Kind.LINEAR
        and one.parameter.shape in tables
        and not NUMBERED.search(f".{one.name}")
    ]
    for head in heads[:1]:
        pattern = f"{head.name.rpartition('.')[0]}.*"
        yield from _finding(context, heads, "the output layer", "output layers", pattern)


def _is_muon(context: Context, one: Trained) -> bool:
    declared = context.optimizers.get(one.group.optimizer or "")
    return declared is not None and "Muon" in declared.name


def _finding(
    context: Context, members: Sequence[Trained], what: str, whats: str, selector: str
) -> Iterator[Finding]:
    if not members:
        return
    rule = most_common_rule(members, "optimizer") or members[0].rule("lr")
    other = _other_optimizer(context)
    sends = f" optimizer={other}" if other is not None and _is_default(context) else ""
    yield Finding(
        CODE,
        f"Muon gets {count_phrase(members)} that it should not: `{members[0].name}` is {what}",
        place_of(rule, "optimizer"),
        tuple(one.name for one in members),
        help=f"send {whats} to another optimizer, in a rule before this one:"
        f" `{selector} -> ends{sends}`",
        candidates=_candidates(context, rule, selector) if rule is not None else (),
    )


def _is_default(context: Context) -> bool:
    """Whether Muon is declared first, so that it gets all parameters not sent elsewhere."""
    return "Muon" in next(iter(context.optimizers.values())).name


def _other_optimizer(context: Context) -> str | None:
    return next(
        (k for k, declared in context.optimizers.items() if "Muon" not in declared.name), None
    )


def _candidates(context: Context, rule: Rule, selector: str) -> tuple[Fix, ...]:
    """The rule without these parameters; for a bare `else`, an earlier rule for another optimizer
    that also matches them."""
    if rule.selector is not None:
        return (except_selecting(rule, selector),)
    for other in context.rules.rules:
        if other is rule:
            break
        sends = option_of(other, "optimizer")
        word = getattr(sends.value, "name", None) if sends is not None else None
        declared = context.optimizers.get(str(word))
        elsewhere = declared is not None and "Muon" not in declared.name
        if elsewhere and other.split == rule.split and other.condition is None:
            return (also_selecting(other, selector),)
    return ()
