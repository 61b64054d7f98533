"""What cannot be converted, in one sentence with a place and a way out."""

from __future__ import annotations


class ConvertError(ValueError):
    """A configuration that cannot be read, is not known, or would not build in its own system."""
