"""Parts of the base model train together with its adapters, or LoRA matrices get the wrong lr.

With peft, only the adapters should train, but a rule for all remaining parameters also trains norms
and embeddings of the base model. LoRA+ raises the lr of the B matrices, but those of embeddings
have another name. For `modules_to_save`, peft trains a copy of the module, not the original.

    *lora_*                    -> lora
    @Linear and not *lora_*    -> freeze
    else                       -> rest          # bad: norms and embeddings train
    else                       -> freeze        # good
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grouper.checks.context import Context, rule_name
from grouper.checks.rule_edits import also_selecting, frozen
from grouper.checks.trained import Trained, place_of
from grouper.language.ruleset import Rule
from grouper.model.adapters import ADAPTER, adapters_possible
from grouper.text.findings import Code, Edit, Finding, Fix, Severity
from grouper.text.printable import count_phrase

CODE = Code("GR311", "adapters-and-others", Severity.WARNING, __doc__ or "")

MOST_TRAINED = 0.2  # of the base model's parameters, if only adapters should train


def check(context: Context) -> Iterator[Finding]:
    """One finding for each rule that trains leftovers, and for B matrices with the lr of A."""
    trained = context.trained
    if not adapters_possible(one.name for one in trained):
        return
    adapters = [one for one in trained if ADAPTER.search(one.name)]
    if not adapters:
        return
    base = [p for p in context.inventory.parameters if not ADAPTER.search(p.name)]
    others = [one for one in trained if not ADAPTER.search(one.name)]
    numbers = sum(p.numel or 0 for p in base)
    by_rules = any(
        rule.freezes for rule in context.rules.rules
    )  # otherwise peft decides what trains
    size = sum(one.parameter.numel or 0 for one in others)
    if by_rules and others and size <= MOST_TRAINED * numbers:
        yield from _leftovers(others)
    yield from _embedding_factors(context, adapters)
    yield from _originals(context)


def _leftovers(trained: list[Trained]) -> Iterator[Finding]:
    by_rule: dict[int, tuple[Rule, list[Trained]]] = {}
    for one in trained:
        rule = one.assigned.rules[-1]
        if rule.selector is None or rule.label is None:
            by_rule.setdefault(id(rule), (rule, []))[1].append(one)
    for rule, members in by_rule.values():
        examples = ", ".join(f"`{one.name}`" for one in members[:2])
        yield Finding(
            CODE,
            f"{rule_name(rule)} trains {count_phrase(members)} of the base model together with the"
            f" adapters, including norms or embeddings: {examples}",
            place_of(rule),
            tuple(one.name for one in members),
            help="if only adapters should train, freeze the rest: `else -> freeze`; otherwise add a"
            " rule for the other parameters",
            candidates=(frozen(rule),),
        )


def _embedding_factors(context: Context, adapters: list[Trained]) -> Iterator[Finding]:
    plain = [o for o in adapters if re.search(r"\.lora_B(\.|$)", o.name)]
    others = [o for o in adapters if re.search(r"\.lora_embedding_B(\.|$)", o.name)]
    factors = [o for o in adapters if re.search(r"\.lora_A(\.|$)", o.name)]
    if not (plain and others and factors):
        return
    rate, low = plain[0].value("lr"), factors[0].value("lr")
    if rate == low or any(one.value("lr") != low for one in others):
        return
    rule, left = plain[0].rule("lr"), others[0].assigned.rules[-1]
    yield Finding(
        CODE,
        f"`lora_B` has its own lr, but {count_phrase(others)} of the same role"
        f" {'keeps' if len(others) == 1 else 'keep'} the lr of A: `{others[0].name}`"
        " (of an embedding)",
        place_of(left, None, "keeps the lr of A") + place_of(rule, "lr", "sets the others"),
        tuple(one.name for one in others),
        help="add a rule for the embeddings' matrices: `*lora_embedding_B* -> ...`",
        candidates=(also_selecting(rule, "*lora_embedding_B*"),) if rule is not None else (),
    )


def _originals(context: Context) -> Iterator[Finding]:
    """Original modules that train although the forward pass uses their copies."""
    originals = [one for one in context.trained if ".original_module." in one.name]
    copies = {p.name for p in context.inventory.parameters if ".modules_to_save." in p.name}
    if not originals or not copies:
        return
    rule = originals[0].rule("lr")
    yield Finding(
        CODE,
        f"peft trains copies of {count_phrase(originals)} that also"
        f" {'trains' if len(originals) == 1 else 'train'}: `{originals[0].name}` is not used in the"
        " forward pass",
        place_of(rule),
        tuple(one.name for one in originals),
        help="freeze the originals: `*.original_module.* -> freeze`; the copies are in"
        " `modules_to_save`",
        candidates=for_copies(rule),
    )


def for_copies(rule: Rule | None) -> tuple[Fix, ...]:
    """The fix of a rule that names the originals instead of the copies that peft trains."""
    span = rule.selector.span if rule is not None and rule.selector is not None else None
    if span is None or "original_module" not in span.text:
        return ()
    return ((Edit(span, span.text.replace("original_module", "modules_to_save")),),)
