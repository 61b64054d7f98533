"""How long a command takes from a cold start, and the memory of it.

python benchmarks/start.py [PYTHON]

Seconds of whole processes and their peak memory, the medians of runs in turn, beside Python doing
nothing and importing torch. PYTHON is another interpreter, such as that of an environment into
which a wheel was installed. Compiled modules are written and used, as on a user's machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
ROUNDS = 11
MODEL, RULES = "examples/yolov5s.pt", "rules/yolov5.rules"

MEASURE = """
import resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""

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


def process(*command: str) -> tuple[float, float]:
    """Seconds, and mebibytes at the peak: of a child of a small process, since the peak of its
    parent counts."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    printed = subprocess.run(
        [sys.executable, "-c", MEASURE, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    seconds, memory = map(float, printed.split())
    return seconds, memory


def main() -> None:
    python = sys.argv[1] if len(sys.argv) > 1 else sys.executable
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS + 2):
        for name, arguments in COMMANDS.items():
            runs[name].append(process(python, *arguments))
    for name, measured in runs.items():
        seconds, memory = zip(*measured[2:], strict=True)
        print(f"{name:20}{median(seconds):8.3f} s{median(memory):8.1f} MiB")


if __name__ == "__main__":
    main()
