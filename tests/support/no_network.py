"""Reads model files with little memory, and says what came of it and what it took.

    python tests/support/no_network.py FILE...

prints one JSON line for each file: the code of the finding (or null), the seconds of the processor,
and what an audit hook saw that reading has no business with.
"""

import codecs
import json
import os
import resource
import sys
import time

from preload import preload

from grouper.model.errors import ModelError
from grouper.model.read import read
from grouper.text import dataclass

preload("grouper.model")
MEMORY = 256 << 20
# the last by `isinstance` of a protocol
EXPECTED = {
    "open", "builtins.id", "os.listdir", "os.scandir", "sys._getframe", "sys._getframemodulename"
}  # fmt: skip


def main(paths):
    for encoding in ("latin-1", "raw-unicode-escape", "utf-8"):
        codecs.lookup(encoding)
    for path in paths:
        result, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(result)
            os.write(write, json.dumps(_confined(path)).encode())
            os._exit(0)
        os.close(write)
        with os.fdopen(result) as out:
            line = out.read()
        _, status = os.waitpid(child, 0)
        print(line or json.dumps({"killed": status}), flush=True)


def _is_expected(event):
    """Whether reading may do this; grouper's own classes write their `__init__` when needed."""
    if event in EXPECTED:
        return True
    return event in {"compile", "exec"} and sys._getframe(2).f_globals is vars(dataclass)


def _confined(path):
    with open("/proc/self/statm") as statm:
        size = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    seen = []
    sys.addaudithook(lambda event, _: _is_expected(event) or seen.append(event))
    start, code = time.process_time(), None
    try:
        read(path)
    except ModelError as error:
        code = error.finding.code.id
        message = error.finding.message
    except BaseException as error:
        code, message = "LEAK", f"{type(error).__name__}: {error}"
    else:
        message = "an inventory"
    seconds = time.process_time() - start
    return {"code": code, "message": message[:300], "seconds": seconds, "seen": seen[:9]}


if __name__ == "__main__":
    main(sys.argv[1:])
