"""Values that show themselves, as text where they are printed and as HTML in notebooks.

The views are drawn above the rooms of these values (grouper.reports.views), so they are found by
name when somebody looks, and nothing is loaded before.
"""

from __future__ import annotations

VIEWS = "grouper.reports.views"


class Shown:
    """A value with views. Its own `__repr__` is one line, for containers and debuggers."""

    __slots__ = ()

    def __str__(self) -> str:
        """What the terminal shows, without colours."""
        from pkgutil import resolve_name

        text: str = resolve_name(f"{VIEWS}:text")(self)
        return text

    def _repr_html_(self) -> str:
        from pkgutil import resolve_name

        html: str = resolve_name(f"{VIEWS}:html")(self)
        return html


def line(value: object, words: str) -> str:
    """The one line of a value: `<Plan 3 groups, 40 steps>`."""
    return f"<{type(value).__name__} {words}>"
