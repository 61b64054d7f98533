"""A schedule ends at almost 0: `final` is a fraction of the lr, not an lr.

`eta_min` of torch and `min_lr` of other tools are absolute; `final` is multiplied by each group's
lr.

    schedule cosine final=1e-5                  # bad: an lr of 1e-4 ends at 1e-9
    schedule cosine final=1e-5/lr               # good: every group ends at 1e-5
    schedule cosine final=0.1                   # good: every group ends at a tenth of its lr
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from grouper.checks.context import Context
from grouper.language.syntax import tree
from grouper.options.values import rounded_text, value_text
from grouper.text.findings import Code, Edit, Finding, Severity, labels_at
from grouper.text.source import Span

CODE = Code("GR321", "small-final", Severity.WARNING, __doc__ or "")

LEAST_FINAL = 1e-3
LEAST_GAMMA = 0.01


def check(context: Context) -> Iterator[Finding]:
    """One finding for each `final` below 1e-3 and `gamma` below 0.01, in statements and rules."""
    rates = [group.options.get("lr") for group in context.grouping.groups]
    numbers = [rate for rate in rates if isinstance(rate, int | float) and rate]
    most = max(numbers, default=None)
    schedule = context.rules.schedule
    if schedule is not None:
        yield from _of(schedule.options, schedule.span, most)
    for rule in context.rules.rules:
        for option in rule.options:
            if option.key == "final" and isinstance(option.value, tree.Number):
                yield from _of({"final": option.value.value}, option.span, most)
            elif option.key == "schedule" and isinstance(option.value, tree.Configured):
                values = {
                    own.key: own.value.value
                    for own in option.value.options
                    if isinstance(own.value, tree.Number)
                }
                yield from _of(values, option.span, most)


def _of(options: Mapping[str, object], span: Span | None, lr: float | None) -> Iterator[Finding]:
    final, gamma = options.get("final"), options.get("gamma")
    if isinstance(final, int | float) and 0 < final < LEAST_FINAL:
        ends = f": an lr of {rounded_text(lr)} ends at {lr * final:.3g}" if lr else ""
        rate = value_text(final)
        yield Finding(
            CODE,
            f"`final` is a fraction of the lr, and {rate} of it is almost 0{ends}",
            labels_at(_place(span, "final")),
            help=f"to end at an lr of {rate}, write `final={rate}/lr`; to end at a tenth of"
            " each group's lr, `final=0.1`",
            candidates=((Edit(place, f"{place.text}/lr"),),)
            if (place := _place(span, "final")) is not None and place is not span
            else (),
        )
    if isinstance(gamma, int | float) and 0 < gamma < LEAST_GAMMA:
        yield Finding(
            CODE,
            f"`gamma` is a factor of each step of the schedule: {value_text(gamma)} reduces the lr"
            " to almost 0",
            labels_at(_place(span, "gamma")),
            help="use a larger factor, such as torch's default: `gamma=0.1`",
        )


def _place(span: Span | None, key: str) -> Span | None:
    """The span of an option and its value in a statement."""
    if span is None:
        return None
    at = span.text.find(f"{key}=")
    if at < 0:
        return span
    end = at
    while end < len(span.text) and not span.text[end].isspace() and span.text[end] not in ",);":
        end += 1
    return Span(span.source, span.start + at, span.start + end)
