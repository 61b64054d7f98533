"""The process of the command line, from its first moment to its exit status."""

from __future__ import annotations

import os
import signal
import sys


def main() -> int:
    """Run the command of `sys.argv`; what the console script calls.

    Ctrl-C and a reader that goes away end the process as the system ends others: by the signal.
    """
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
    return status


if __name__ == "__main__":
    sys.exit(main())
