"""Imports every file of a room, so that a test sees which modules are loaded beyond them."""

import importlib
import pkgutil
from contextlib import suppress


def preload(name):
    """Import a package and all that is in it, but for what needs torch where there is none."""
    package = importlib.import_module(name)
    for found in pkgutil.walk_packages(package.__path__, f"{name}."):
        with suppress(ModuleNotFoundError):
            importlib.import_module(found.name)
