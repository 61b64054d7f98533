"""Values with views: text when printed, HTML in notebooks.

The views are defined in a higher layer (grouper.reports.views), so they are imported by name when a
value is displayed.
"""

from __future__ import annotations

VIEWS = "grouper.reports.views"


class Shown:
    """A value with views. Its `__repr__` is one line, for containers and debuggers."""

    __slots__ = ()

    def __str__(self) -> str:
        """The terminal view, without colours."""
        from pkgutil import resolve_name

        text: str = resolve_name(f"{VIEWS}:text")(self)
        return text

    def _repr_html_(self) -> str:
        from pkgutil import resolve_name

        html: str = resolve_name(f"{VIEWS}:html")(self)
        return html


def line(value: object, words: str) -> str:
    """The one-line repr of a value: `<Plan 3 groups, 40 steps>`."""
    return f"<{type(value).__name__} {words}>"
