"""The models that rules are written for, cached until their files change."""

from __future__ import annotations

import os
from collections.abc import Callable

from grouper.model import factories
from grouper.model.codes import BROKEN, NOT_BUILT
from grouper.model.errors import ModelError
from grouper.model.files import remote
from grouper.model.inventory import Inventory
from grouper.model.read import read
from grouper.text.addresses import without_secrets
from grouper.text.dataclass import dataclass, field
from grouper.text.findings import Finding, Severity

Stamp = tuple[int, int, int] | None
MOST_KEPT = 16


@dataclass
class Models:
    """Inventories by path. A model that needs code to run or the network is not read: opening a
    rules file in an editor must not run code that it names."""

    reader: Callable[[str, str | None], Inventory] = read
    _cache: dict[tuple[str, str | None], tuple[Stamp, Inventory | ModelError]] = field(
        default_factory=dict
    )

    def read(self, path: str, key: str | None = None) -> Inventory:
        """The inventory of a file or folder. Raises ModelError if it cannot be read."""
        if not is_looked_at(path):
            raise ModelError(NOT_BUILT, not_looked_at(path).message)
        stamp = stamp_of(path)
        entry = self._cache.get((path, key))
        if entry is None or entry[0] != stamp:
            if len(self._cache) >= MOST_KEPT:
                self._cache.pop(next(iter(self._cache)))
            entry = self._cache[path, key] = (stamp, self._fresh(path, key))
        if isinstance(entry[1], ModelError):
            raise entry[1]
        return entry[1]

    def _fresh(self, path: str, key: str | None) -> Inventory | ModelError:
        try:
            return self.reader(path, key)
        except ModelError as error:
            return error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            return ModelError(BROKEN, f"`{path}` cannot be read: {reason}", "correct its path")


def stamp_of(path: str) -> Stamp:
    """A value that changes when a file changes, or an entry of a folder."""
    try:
        status = os.stat(path)
        return status.st_mtime_ns, status.st_size, status.st_ino
    except (OSError, ValueError):
        return None


def is_looked_at(path: str) -> bool:
    """Whether a model is read from local files only."""
    return not (factories.recognises(path) or remote.recognises(path))


def not_looked_at(path: str) -> Finding:
    """The note on a model that is not read."""
    name = without_secrets(path)
    return Finding(
        NOT_BUILT,
        f"the editor does not read `{name}`, which would run code or need the network",
        help=f"save a snapshot, `grouper params {name} --save model.json`, and name it instead",
        severity_override=Severity.NOTE,
    )
