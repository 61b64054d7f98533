"""The entry point of the command line."""

from __future__ import annotations

import gc
import os
import signal
import sys
from importlib.util import find_spec
from types import ModuleType

# Packages that need a regular exit of the process (temporary folders, threads).
LEAVE_WORK = ("fsspec", "matplotlib", "pygls", "torch")


class _Postponed(ModuleType):
    """A package whose `__init__` runs only when one of its attributes is used; importing its
    submodules does not run it."""

    def __getattr__(self, name: str) -> object:
        self.__class__ = ModuleType  # type: ignore[assignment]
        assert self.__spec__ is not None
        assert self.__spec__.loader is not None
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def _postpone(package: str) -> None:
    spec = find_spec(package)
    if spec is not None and package not in sys.modules:
        module = sys.modules[package] = _Postponed(package)
        module.__spec__, module.__file__ = spec, spec.origin
        module.__path__ = list(spec.submodule_search_locations or ())


def main() -> int:
    """Run the command of `sys.argv`; the console script calls this.

    Ctrl-C and a closed pipe end the process by the signal, like other programs. The garbage
    collector stays off in a short-lived process; commands that run longer turn it on.
    """
    gc.disable()
    _postpone("lark")  # its `__init__` imports the parser generators, which are rarely used
    heeds_ctrl_c = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeds_ctrl_c:  # during imports there is nothing to clean up
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
        os._exit(status)  # all output is written; shutting down takes a tenth of a check
    return status


if __name__ == "__main__":
    sys.exit(main())
