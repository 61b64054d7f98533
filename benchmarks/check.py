"""How long a check takes, as ratios against something else measured in the same run.

python benchmarks/check.py

The whole command against starting Python with lark and rich alone, and matching against a
plain loop with fnmatch over the same names and patterns.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import median

import grouper
from grouper.match.match_rules import match_rules
from grouper.match.resolve_options import resolve_options
from grouper.model.inventory import Inventory, Parameter

ROOT = Path(__file__).parents[1]
ROUNDS = 9


def seconds(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def ratio(one: Callable[[], object], other: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median of the ratios of neighbouring runs, after one that does not count."""
    one(), other()
    return median(seconds(one) / seconds(other) for _ in range(rounds))


def process(*arguments: str) -> Callable[[], object]:
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def matching(layers: int, patterns: int) -> tuple[float, int]:
    names = [
        f"layers.{i}.{part}.{leaf}"
        for i in range(layers)
        for part in ("attention.query", "attention.key", "mlp.up", "mlp.down", "norm")
        for leaf in ("weight", "bias")
    ]
    globs = [f"layers.{i}.*" for i in range(patterns)]
    inventory = Inventory(tuple(Parameter((n,), (4, 4), "float32", True, n) for n in names))
    rules = grouper.parse("\n".join(f"{glob} -> block lr=0.1" for glob in globs))
    loop = lambda: [[fnmatchcase(n, g) for g in globs] for n in names]  # noqa: E731
    return ratio(lambda: resolve_options(match_rules(rules, inventory)), loop, rounds=3), len(names)


def main() -> None:
    check = process("-m", "grouper", "check", "examples/yolov5s.pt", "rules/yolov5.rules")
    start = process("-c", "import lark, rich.console, rich.table, argparse, json")
    print(f"grouper check, whole command / importing its libraries: {ratio(check, start):.2f}")
    for layers, patterns in ((18, 10), (200, 100), (2000, 100)):
        found, names = matching(layers, patterns)
        print(f"assigning {names} names by {patterns} rules / a loop of fnmatch: {found:.2f}")


if __name__ == "__main__":
    main()
