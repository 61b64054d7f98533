"""The model has frozen all of its parameters: no rule can train any.

Models that are saved for inference, or as running averages, are often frozen as a whole, and stay
frozen when they are loaded.

    model = YOLO("best.pt").model           # bad: Ultralytics saves all of it frozen
    model.requires_grad_(True)              # good: the rules say what is frozen
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.findings import Code, Finding, Severity
from grouper.text.printable import count_phrase

CODE = Code("GR113", "frozen-model", Severity.ERROR, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding in place of one for each rule. A model without parameters has none."""
    if context.model_is_frozen:
        yield Finding(
            CODE,
            f"the model has frozen all of its {count_phrase(context.inventory.parameters)}:"
            " nothing is left to train",
            help="call `model.requires_grad_(True)`, and freeze by rules what should stay so",
        )
