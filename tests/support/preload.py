"""Imports every file of a room, so that a test sees which modules are loaded beyond them."""

import importlib
import pkgutil


def preload(name):
    """Import a package and all that is in it."""
    package = importlib.import_module(name)
    for found in pkgutil.walk_packages(package.__path__, f"{name}."):
        importlib.import_module(found.name)
