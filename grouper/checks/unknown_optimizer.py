"""torch.optim has no optimizer with this name.

Optimizers of other packages and custom ones are written with their module.

    optimizer SDG lr=0.01                        # bad
    optimizer SGD lr=0.01                        # good
    optimizer ultralytics.optim:MuSGD lr=0.01    # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.language.ruleset import Optimizer
from grouper.options.foreign import OPTIMIZER_NAMES
from grouper.options.signatures import torch_signatures
from grouper.options.torch_values import faults
from grouper.text.findings import Code, Edit, Finding, Severity, labels_at
from grouper.text.similar import did_you_mean, near
from grouper.text.source import Span

CODE = Code("GR204", "unknown-optimizer", Severity.ERROR, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each statement that names neither an optimizer of torch nor a module."""
    for name, declared in context.optimizers.items():
        if ":" in declared.name or name in context.signatures:
            continue
        place = _place(declared.span, declared.name)
        yield Finding(
            CODE,
            f"torch.optim has no optimizer `{declared.name}`",
            labels_at(place),
            help=_foreign(declared.name)
            or did_you_mean(declared.name, torch_signatures())
            or "write an optimizer of another package as `package.module:Class`",
            edits=_edits(declared, place) if place and place.text == declared.name else (),
        )


def _foreign(name: str) -> str | None:
    translation = OPTIMIZER_NAMES.get(name)
    return f"write `optimizer {translation}`" if translation else None


def _edits(declared: Optimizer, place: Span) -> tuple[Edit, ...]:
    translation = OPTIMIZER_NAMES.get(declared.name)
    if translation is not None:
        return (Edit(place, translation),)
    best = near(declared.name, torch_signatures(), limit=1)
    return (Edit(place, best[0]),) if best and _takes(best[0], declared) else ()


def _takes(name: str, declared: Optimizer) -> bool:
    """Whether the optimizer accepts the declared options and their values."""
    signature = torch_signatures()[name]
    if not set(declared.options) <= set(signature.constructor):
        return False
    return not any(faults(name, {**signature.defaults, **declared.options}))


def _place(span: Span | None, name: str) -> Span | None:
    """The span of the optimizer's name in its statement."""
    at = span.text.find(name, len("optimizer")) if span else -1
    if span is None or at < 0:
        return span
    return Span(span.source, span.start + at, span.start + at + len(name))
