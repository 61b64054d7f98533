"""How time grows with size: ten times the size should take ten times the time, not a hundred.

python benchmarks/growth.py

Each task runs at a size and at a tenth of it, in one process. The number behind it is the time at
the size over ten times the time at the tenth: 1 is linear, 10 quadratic. Exit status 1 where one is
above 3.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch import nn

import grouper
from grouper.api.check import check_rules
from grouper.model.formats import snapshot
from grouper.model.inventory import Inventory, Parameter
from grouper.reports.terminal import report_text

MOST = 3.0
WORDS = ("query", "key", "value", "output", "gate", "up", "down", "norm")
Task = Callable[[int, Path], Callable[[], object]]


def names(count: int) -> list[str]:
    """Names as models have them: a few parts in very many layers."""
    return [f"layers.{i // 8}.{WORDS[i % 8]}.weight" for i in range(count)]


def scattered(count: int) -> list[str]:
    """Names with nothing in common, which no pattern joins."""
    return [f"m{i * 7919 % 99991}.part{i * 104729 % 9973}.weight{i}" for i in range(count)]


def inventory(listed: list[str]) -> Inventory:
    return Inventory(tuple(Parameter((n,), (4, 4), "float32", True, n) for n in listed))


def state_dict_file(count: int, folder: Path) -> Callable[[], object]:
    path = folder / f"{count}.pt"
    one = torch.zeros(1)
    torch.save({name: one.clone() for name in names(count)}, path)
    rules = grouper.parse("* -> all lr=0.1")
    return lambda: grouper.check(path, rules)


def snapshot_file(count: int, folder: Path) -> Callable[[], object]:
    path = folder / f"{count}.json"
    path.write_text(snapshot.dumps(inventory(names(count))))
    rules = grouper.parse("* -> all lr=0.1")
    return lambda: grouper.check(path, rules)


def unmatched(count: int, folder: Path) -> Callable[[], object]:
    model, rules = inventory(names(count)), grouper.parse("head.* -> head lr=0.1")
    return lambda: report_text(grouper.check(model, rules))


def unmatched_scattered(count: int, folder: Path) -> Callable[[], object]:
    model, rules = inventory(scattered(count)), grouper.parse("head.* -> head lr=0.1")
    return lambda: report_text(grouper.check(model, rules))


def rule_for_each_layer(count: int, folder: Path) -> Callable[[], object]:
    """Parameters and rules grow together; so would their product."""
    layers = count // 8
    text = "\n".join(f"layers.{i}.* -> layer{i} lr={0.1 / (i + 1)}" for i in range(layers))
    model, rules = inventory(names(count)), grouper.parse(text)
    return lambda: grouper.check(model, rules)


def captured_layers(count: int, folder: Path) -> Callable[[], object]:
    text = "layers.{i}.* -> layer{i} lr=0.1 * 0.9999 ** i; *.norm.* -> weight_decay=0"
    model, rules = inventory(names(count)), grouper.parse(text)
    return lambda: grouper.check(model, rules)


def rules_alone(count: int, folder: Path) -> Callable[[], object]:
    """Rules of which each two can match one name."""
    text = "\n".join(f"*w{i} -> group{i} lr=0.1 * {i + 1}" for i in range(count))
    return lambda: check_rules(grouper.parse(text))


def options_of_a_rule(count: int, folder: Path) -> Callable[[], object]:
    text = "* -> all " + " ".join(f"option{i}={i}" for i in range(count))
    model = inventory(names(8))
    return lambda: grouper.check(model, grouper.parse(text))


def resume(count: int, folder: Path) -> Callable[[], object]:
    model = nn.ParameterList(nn.Parameter(torch.zeros(1)) for _ in range(count))
    optimizer = grouper.build_optimizer(
        model, grouper.parse("optimizer SGD lr=0.1 momentum=0.9\n* -> all")
    )
    for parameter in model:
        parameter.grad = torch.ones(1)
    optimizer.step()
    state = optimizer.state_dict()
    return lambda: grouper.load_optimizer_state(optimizer, state)


TASKS: dict[str, tuple[Task, int]] = {
    "read and check a state dict, tensors": (state_dict_file, 100_000),
    "read and check a snapshot, parameters": (snapshot_file, 100_000),
    "report unmatched names": (unmatched, 100_000),
    "report unmatched names, all different": (unmatched_scattered, 100_000),
    "check a rule for each layer, parameters": (rule_for_each_layer, 32_000),
    "check captured layers, parameters": (captured_layers, 80_000),
    "check rules without a model, rules": (rules_alone, 2_000),
    "read and check a rule of many options": (options_of_a_rule, 20_000),
    "resume an optimizer, parameters": (resume, 10_000),
}


def seconds(task: Callable[[], object], rounds: int = 3) -> float:
    """The median time of a few runs."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return median(times)


def growth(task: Task, size: int, folder: Path) -> tuple[float, float]:
    """The time at the size, in seconds, and what that is of ten times the time at a tenth."""
    small, large = task(size // 10, folder), task(size, folder)
    small()  # what is loaded once is not counted
    once = seconds(large)
    return once, once / (10 * seconds(small))


def main() -> int:
    chosen = {name: row for name, row in TASKS.items() if all(w in name for w in sys.argv[1:])}
    steep = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, (task, size) in chosen.items():
            time_taken, ratio = growth(task, size, Path(folder))
            steep += ratio > MOST
            print(f"{name}: {size:,} in {time_taken:.2f} s, {ratio:.2f}", flush=True)
    return 1 if steep else 0


if __name__ == "__main__":
    sys.exit(main())
