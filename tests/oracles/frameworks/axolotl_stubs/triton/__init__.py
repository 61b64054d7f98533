"""Kernels can be declared, and never launched."""

import importlib.machinery
import sys
import types

__version__ = "3.4.0"


class Anything:
    def __init__(self, *_, **__):
        pass

    def __call__(self, *given, **named):
        decorates = len(given) == 1 and callable(given[0]) and not named
        return given[0] if decorates else Anything()

    def __getattr__(self, name):
        return __getattr__(name)

    def __getitem__(self, _):
        return self

    def __mro_entries__(self, _):
        return (object,)

    def __or__(self, _):
        return self

    __ror__ = __or__


class Module(types.ModuleType):
    def __init__(self, name):
        super().__init__(name)
        self.__path__ = []

    def __getattr__(self, name):
        return __getattr__(name)


class Finder:
    def find_spec(self, name, path=None, target=None):
        inside = name.startswith("triton.")
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if inside else None

    def create_module(self, spec):
        return Module(spec.name)

    def exec_module(self, module):
        pass


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return Anything()


sys.meta_path.append(Finder())
