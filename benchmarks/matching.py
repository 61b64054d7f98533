"""How matching grows with names and rules.

python benchmarks/matching.py [NAMES ...]

Microseconds of processor time a name, at 1 to 1,000 rules, which are compiled in the measured time,
best of two; beside them one `re.fullmatch` of a glob's regex a name, and the time at 1,000 rules
over that at one. Names are those of a dense transformer and of a mixture of 128 experts. The first
ten rules are suffixes, captures, ranges, classes, `where`; the others name layers: seven in ten a
literal, and the rest a layer behind a `*`, a range of six, a class.
"""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Callable
from functools import partial
from time import process_time

import grouper
from grouper.match.match_rules import match_rules
from grouper.model.inventory import Inventory, Module, Parameter

DENSE = (
    "attn.q.weight", "attn.q.bias", "attn.k.weight", "attn.v.weight", "attn.o.weight",
    "mlp.up.weight", "mlp.up.bias", "mlp.down.weight", "mlp.down.bias", "norm1.weight",
    "norm2.weight", "norm2.bias",
)  # fmt: skip
EXPERTS = tuple(
    f"mlp.experts.{expert}.{part}.weight"
    for expert in range(128)
    for part in ("gate", "up", "down")
)
MIXTURE = (*EXPERTS, *(part for part in DENSE if "bias" not in part and "mlp" not in part))
FIRST = (
    "*.attn.*.weight -> a",
    "model.layers.{i}.mlp.* -> b",
    "model.layers.{0..11}.* -> c",
    "*.{up,down}.weight -> d",
    "*.bias -> e",
    "not *.weight -> f",
    "@RMSNorm and ndim == 1 -> g",
    "*.{i}.gate.* -> h",
    "*norm?.* -> i",
    "model.layers.{i}.* where i < 4 -> j",
)
OF_LAYERS = (
    *("model.layers.{0}.* -> l{0}",) * 7,
    "*.layers.{0}.*.weight -> m{0}",
    "model.layers.{{{0}..{1}}}.mlp.* -> n{0}",
    "@Linear and model.layers.{0}.* -> o{0}",
)
RULES = (1, 10, 100, 1000)


def model(parts: tuple[str, ...], count: int) -> Inventory:
    names = [f"model.layers.{i // len(parts)}.{parts[i % len(parts)]}" for i in range(count)]
    bases = ("torch.nn.modules.module.Module",)
    owners = {name.rpartition(".")[0] for name in names}
    modules = {
        path: Module(path, "my.RMSNorm" if "norm" in path else "torch.nn.Linear", bases)
        for path in owners
    }
    parameters = (
        Parameter((n,), (4,) if "bias" in n or "norm" in n else (4, 4), "float32", True, n)
        for n in names
    )
    return Inventory(tuple(parameters), modules)


def rules(count: int) -> str:
    if count == 1:
        return "model.layers.*.weight -> a"
    more = (OF_LAYERS[i % 10].format(i, i + 5) for i in range(count - len(FIRST)))
    return "\n".join((*FIRST, *more))


def seconds(task: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(2):
        gc.collect()
        gc.disable()
        start = process_time()
        task()
        best = min(best, process_time() - start)
        gc.enable()
    return best


def main() -> None:
    sizes = [*map(int, sys.argv[1:])] or [1_000, 10_000, 100_000]
    fullmatch = re.compile(r"model\.layers\..*?\.weight", re.DOTALL).fullmatch
    heads = "".join(f"{f'{count:,}':>8}" for count in RULES)
    print(f"{'us a name, at rules':28}{heads}{'1,000/1':>9}{'regex':>8}")
    for kind, parts in (("dense", DENSE), ("mixture of experts", MIXTURE)):
        for size in sizes:
            inventory = model(parts, size)
            names = [parameter.name for parameter in inventory.parameters]
            one = seconds(lambda names=names: [fullmatch(name) for name in names])
            row = []
            for count in RULES:
                task = partial(match_rules, grouper.parse(rules(count)), inventory)
                row.append(seconds(task) / size * 1e6)
            cells = "".join(f"{cell:8.2f}" for cell in row)
            what = f"{kind}, {size:,}"
            print(f"{what:28}{cells}{row[-1] / row[0]:9.1f}{one / size * 1e6:8.2f}", flush=True)


if __name__ == "__main__":
    main()
