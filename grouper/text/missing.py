"""Says how to install what an optional part of the package needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def missing(package: str, message: str) -> Iterator[None]:
    """Raises ModuleNotFoundError with this message where imports inside do not find the package."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise ModuleNotFoundError(message, name=package) from error
