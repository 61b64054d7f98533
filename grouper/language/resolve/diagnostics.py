"""Collects what is wrong with a rules file, in words."""

from __future__ import annotations

from collections.abc import Iterable

from grouper.language.resolve import codes
from grouper.language.syntax import tree
from grouper.options.foreign import Translation
from grouper.text.findings import Code, Edit, Finding, labels_at
from grouper.text.printable import quoted_list
from grouper.text.similar import did_you_mean, near
from grouper.text.source import Span

LISTED = 12  # candidates that a help names
MOST_SUGGESTIONS = 50  # faults whose near names are looked for


class Diagnostics:
    """The findings so far."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def unknown(
        self,
        kind: str,
        name: str,
        candidates: Iterable[str],
        span: Span | None,
        meant: str | None = None,
    ) -> None:
        """A word that names nothing; the help says what is `meant`, the near ones, or all."""
        known = sorted(candidates)
        looked_for = len(self.findings) < MOST_SUGGESTIONS
        best = (meant,) if meant else near(name, known, limit=1) if looked_for else ()
        exact = span is not None and span.text == name
        help = (
            f"that is `{kind} {meant}`"
            if meant
            else (did_you_mean(name, known) if looked_for else None)
            or (f"there are {quoted_list(known[:LISTED])}" if known else f"no {kind} is declared")
        )
        edits = (Edit(span, best[0]),) if best and span is not None and exact else ()
        message = f"there is no {kind} `{name}`"
        self.findings.append(
            Finding(codes.UNKNOWN_NAME, message, labels_at(span), help=help, edits=edits)
        )

    def foreign(self, option: tree.Option, where: str, translation: Translation) -> None:
        """An option that another tool has under this name, in a statement."""
        span, value = option.span, option.value.span
        edits: tuple[Edit, ...] = ()
        if translation.key is not None and span is not None and value is not None:
            edits = (Edit(span, f"{translation.key}={value.text}{translation.suffix}"),)
        message = f"there is no option `{option.key}`"
        help = f"in `{where}` it is {translation.says}"
        self.findings.append(
            Finding(codes.UNKNOWN_NAME, message, labels_at(option.key_span), help=help, edits=edits)
        )

    def twice(
        self, what: str, span: Span | None, first: Span | None, help: str = "keep one of them"
    ) -> None:
        """Something that may be said once is said again at `span`."""
        self.report(codes.DUPLICATE, f"{what} is declared twice", span, help, also=first)

    def report(
        self, code: Code, message: str, span: Span | None, help: str, also: Span | None = None
    ) -> None:
        """A finding at `span`, with a second place where there is one."""
        labels = labels_at(span) + labels_at(also, "the other one")
        self.findings.append(Finding(code, message, labels, help=help))
