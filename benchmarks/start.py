"""How long a command takes from a cold start, and the memory of it.

python benchmarks/start.py [PYTHON]

Seconds of whole processes and their peak memory, the medians of runs in turn, beside Python doing
nothing and importing torch. PYTHON is another interpreter, such as that of an environment into
which a wheel was installed. Compiled modules are written and used, as on a user's machine.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
ROUNDS = 11
MODEL, RULES = "examples/yolov5s.pt", "rules/yolov5.rules"

COMMANDS = {
    "python -c pass": ("-c", "pass"),
    "import torch": ("-c", "import torch"),
    "check, to a pipe": ("-m", "grouper", "check", MODEL, RULES),
    "check, as JSON": ("-m", "grouper", "check", MODEL, RULES, "--format", "json"),
    "check, in colour": ("-m", "grouper", "check", MODEL, RULES, "--color", "always"),
    "check, rules alone": ("-m", "grouper", "check", RULES),
    "--version": ("-m", "grouper", "--version"),
    "--help": ("-m", "grouper", "--help"),
    "rule GR101": ("-m", "grouper", "rule", "GR101"),
}


def once(python: str, arguments: tuple[str, ...]) -> tuple[float, float]:
    """Seconds, and mebibytes at the peak."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.chdir(ROOT)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.execve(python, [python, *arguments], environment)
    _, _, usage = os.wait4(child, 0)
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    python = sys.argv[1] if len(sys.argv) > 1 else sys.executable
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS + 2):
        for name, arguments in COMMANDS.items():
            runs[name].append(once(python, arguments))
    for name, measured in runs.items():
        seconds, memory = zip(*measured[2:], strict=True)
        print(f"{name:20}{median(seconds):8.3f} s{median(memory):8.1f} MiB")


if __name__ == "__main__":
    main()
