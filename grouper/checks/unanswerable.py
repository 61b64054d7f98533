"""A selector asks what the model's file does not tell.

A state dict has no classes, and a file names classes without saying what their bases are. The
selector is taken not to match there; it is never guessed silently.

    in @Detect -> head                # bad on a state dict
    model.24.* -> head                # good on a state dict
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, all_names
from grouper.findings import Code, Finding, Severity, labels_at
from grouper.model.inventory import Parameter
from grouper.text.printable import count_phrase

CODE = Code("GR110", "unanswerable-question", Severity.ERROR, __doc__ or "")


def check(facts: Context) -> Iterator[Finding]:
    """One finding for each selector that had no answer; where only bases are unknown, a warning."""
    asked: dict[object, tuple[str, dict[str, None], list[Parameter], object]] = {}
    for unknown in facts.assignment.unanswered:
        place = unknown.selector.span or unknown.selector
        entry = asked.setdefault(place, (unknown.question, {}, [], unknown.selector))
        entry[1][unknown.reason] = None
        entry[2].extend(unknown.parameters)
    for question, reasons, parameters, selector in asked.values():
        bases = all("bases" in reason for reason in reasons)
        severity = Severity.WARNING if bases else None
        if bases:
            help = (
                "check the live model instead (`grouper.check(model, rules)`), or a snapshot of it"
            )
        else:
            help = "select by name, or check a whole module, a snapshot of it, or the live model"
        shown = list(reasons)
        notes = tuple(shown[:4]) + ((f"and {len(shown) - 4} more",) if len(shown) > 4 else ())
        yield Finding(
            CODE,
            f"`{question}` has no answer for {count_phrase(parameters)}",
            labels_at(getattr(selector, "span", None)),
            all_names(parameters),
            notes=notes,
            help=help,
            severity_override=severity,
        )
