"""What large models cost: `check --format json` by source and size, and tasks on 100,000 names.

python benchmarks/large.py [PARAMETERS ...]

Seconds and peak memory of whole processes that check a dense transformer by 100 rules, from a
snapshot and from a safetensors index of up to 1,000 files, and on a live model on the meta device
(seconds of the check alone, and what it adds to the memory of the model). 1,000,000 parameters need
some minutes and 8 GiB. Then, at 100,000 names: 1,000 rules that match nothing, names that no rule
matches, `explain '*'` and the table of `params`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from growth import inventory, scattered
from matching import DENSE, model, rules
from start import process

import grouper
from grouper.model.formats import snapshot
from grouper.reports.terminal import report_text

SIZES = (10_000, 100_000)
NAMES = 100_000

LIVE = """
import resource, sys, time
import torch
from torch import nn
import grouper
from grouper.reports.json import report_json
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.down, self.norm = nn.Linear(2, 2), nn.Linear(2, 2), nn.LayerNorm(2)
class Model(nn.Module):
    def __init__(self, count):
        super().__init__()
        self.layers = nn.ModuleList(Layer() for _ in range(count // 6))
with torch.device("meta"):
    model = Model(int(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
report = grouper.check(model, sys.argv[2])
text = report_json(report)
seconds = time.perf_counter() - start
print(seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def snapshot_file(size: int, folder: Path) -> Path:
    path = folder / f"{size}.json"
    path.write_text(snapshot.dumps(model(DENSE, size)), "utf-8")
    return path


def index_file(size: int, folder: Path) -> Path:
    """A safetensors index, with a file for each thousand of tensors."""
    names = [parameter.name for parameter in model(DENSE, size).parameters]
    shards = {}
    for start in range(0, size, 1000):
        shard = f"{size}-{start // 1000}.safetensors"
        entries = {
            name: {"dtype": "F32", "shape": [1], "data_offsets": [4 * i, 4 * i + 4]}
            for i, name in enumerate(names[start : start + 1000])
        }
        header = json.dumps(entries).encode()
        data = b"\0" * (4 * len(entries))
        (folder / shard).write_bytes(len(header).to_bytes(8, "little") + header + data)
        shards.update(dict.fromkeys(entries, shard))
    path = folder / f"{size}.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {}, "weight_map": shards}), "utf-8")
    return path


def checks(size: int, folder: Path) -> None:
    text = rules(100)
    for source, make in (("snapshot", snapshot_file), ("index", index_file)):
        path = folder / "large.rules"
        if source == "index":  # which has no classes
            text = "\n".join(line for line in text.splitlines() if "@" not in line)
        path.write_text(text, "utf-8")
        file = make(size, folder)
        seconds, memory = process(
            sys.executable, "-m", "grouper", "check", str(file), str(path), "--format", "json"
        )
        print(f"{source}, {size:,}: {seconds:.2f} s, {memory:,.0f} MiB", flush=True)
    path.write_text("*.bias or @*Norm* -> no_decay\nelse -> decay", "utf-8")
    command = [sys.executable, "-c", LIVE, str(size), str(path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    seconds, memory = map(float, printed.split())
    print(f"live on meta, {size:,}: {seconds:.2f} s, {memory:,.0f} MiB more", flush=True)


def tasks(folder: Path) -> dict[str, Callable[[], object]]:
    dense, odd = model(DENSE, NAMES), inventory(scattered(NAMES))
    dead = "\n".join(f"model.layer.{i}.* -> l{i}" for i in range(1000)) + "\nelse -> rest"
    file = str(snapshot_file(NAMES, folder))
    path = folder / "one.rules"
    path.write_text("*.bias -> bias\nelse -> weight", "utf-8")
    parsed = {text: grouper.parse(text) for text in (dead, "head.* -> head lr=0.1")}
    return {
        "1,000 dead rules": lambda: report_text(grouper.check(dense, parsed[dead])),
        "odd names unmatched": lambda: report_text(
            grouper.check(odd, parsed["head.* -> head lr=0.1"])
        ),
        "explain '*'": lambda: process(
            sys.executable, "-m", "grouper", "explain", file, str(path), "*"
        ),
        "params": lambda: process(sys.executable, "-m", "grouper", "params", file),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in [*map(int, sys.argv[1:])] or SIZES:
            checks(size, folder)
        for what, task in tasks(folder).items():
            start = time.perf_counter()
            task()
            print(f"{what}, {NAMES:,} names: {time.perf_counter() - start:.2f} s", flush=True)


if __name__ == "__main__":
    main()
