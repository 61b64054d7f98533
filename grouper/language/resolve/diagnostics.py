"""How faults of a rules file are put into words."""

from __future__ import annotations

from collections.abc import Iterable

from grouper.findings import Code, Edit, Finding, Label
from grouper.language.resolve import codes
from grouper.text.similar import near, similar
from grouper.text.source import Span


class Faults:
    """Collects findings."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def unknown(self, kind: str, name: str, candidates: Iterable[str], span: Span | None) -> None:
        candidates = list(candidates)
        listed = ", ".join(f"`{candidate}`" for candidate in sorted(candidates)[:12])
        best = near(name, candidates, limit=1)
        exact = span is not None and span.text == name
        edit = (Edit(span, best[0]),) if best and span is not None and exact else ()
        self.findings.append(
            Finding(
                codes.UNKNOWN_NAME,
                f"there is no {kind} `{name}`",
                (Label(span),) if span else (),
                help=similar(kind, name, candidates)
                or (f"there are {listed}" if listed else f"no {kind} is declared"),
                edits=edit,
            )
        )

    def twice(
        self, what: str, span: Span | None, first: Span | None, help: str = "keep one of them"
    ) -> None:
        self.report(codes.DUPLICATE, f"{what} is declared twice", span, help, also=first)

    def report(
        self,
        code: Code,
        message: str,
        span: Span | None,
        help: str,
        also: Span | None = None,
    ) -> None:
        labels = [Label(span)] if span else []
        if also is not None:
            labels.append(Label(also, "the other one"))
        self.findings.append(Finding(code, message, tuple(labels), help=help))
