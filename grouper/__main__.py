"""The process of the command line, from its first moment to its exit status."""

from __future__ import annotations

import gc
import os
import signal
import sys
from importlib.util import find_spec
from types import ModuleType

# What these leave to the end of a process (temporary folders, threads) is done at its end.
LEAVE_WORK = ("fsspec", "matplotlib", "pygls", "torch")


class _Postponed(ModuleType):
    """A package of which modules are used, and what it gathers from all of them is not: it does so
    when something of that is asked for."""

    def __getattr__(self, name: str) -> object:
        self.__class__ = ModuleType  # type: ignore[assignment]
        assert self.__spec__ is not None
        assert self.__spec__.loader is not None
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def _postpone(package: str) -> None:
    found = find_spec(package)
    if found is not None and package not in sys.modules:
        module = sys.modules[package] = _Postponed(package)
        module.__spec__, module.__file__ = found, found.origin
        module.__path__ = list(found.submodule_search_locations or ())


def main() -> int:
    """Run the command of `sys.argv`; what the console script calls.

    Ctrl-C and a reader that goes away end the process as the system ends others: by the signal.
    The garbage collector stays off, which finds nothing in so short a life; commands that go on
    turn it on.
    """
    gc.disable()
    _postpone("lark")  # what builds its parsers, for those who use one
    heeds_ctrl_c = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeds_ctrl_c:  # nothing needs to be cleaned up while Python still imports
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from grouper.cli.main import SIGNALLED
    from grouper.cli.main import main as run

    if heeds_ctrl_c:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    status = run()
    if status > SIGNALLED and os.name == "posix":
        signal.signal(status - SIGNALLED, signal.SIG_DFL)
        signal.raise_signal(status - SIGNALLED)
    if not any(name in sys.modules for name in LEAVE_WORK):
        os._exit(status)  # all is written: taking the interpreter apart is a tenth of a check
    return status


if __name__ == "__main__":
    sys.exit(main())
