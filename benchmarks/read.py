"""How long checking a model's file takes, by format, as ratios against torch's own loading.

python benchmarks/read.py

One model in every format, checked by the same rules, against `torch.load(mmap=True,
weights_only=True)` of its state dict in the same run: both as commands, and both in a process that
has imported everything. Beside the ratios, the part of the file that was read.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from check import process, ratio
from safetensors.torch import save_file
from torch import nn
from torch.distributed import checkpoint

import grouper

RULES = """
split kind {
    *.bias -> bias weight_decay=0
    else ndim == 1 -> norm weight_decay=0
    else -> weight weight_decay=0.1
}
"""
LAYERS, WIDTH = 12, 512  # 38 million values


def model() -> nn.Module:
    layer = nn.TransformerEncoderLayer(WIDTH, 8, 4 * WIDTH, batch_first=True)
    return nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False).eval()


def saved(folder: Path) -> Mapping[str, Path]:
    """The model in every format, by what the format is called."""
    net = model()
    state = net.state_dict()
    files = {
        "state dict": folder / "state_dict.pt",
        "pickled model": folder / "module.pt",
        "before torch 1.6": folder / "legacy.pt",
        "safetensors": folder / "model.safetensors",
        "torch.distributed": folder / "distributed",
        "TorchScript": folder / "script.pt",
    }
    torch.save(state, files["state dict"])
    torch.save(net, files["pickled model"])
    torch.save(state, files["before torch 1.6"], _use_new_zipfile_serialization=False)
    save_file(state, files["safetensors"])
    writer = checkpoint.FileSystemWriter(files["torch.distributed"])
    checkpoint.save(state, storage_writer=writer, no_dist=True)
    torch.jit.save(
        torch.jit.trace(net, torch.zeros(1, 4, WIDTH), check_trace=False), files["TorchScript"]
    )
    return files


def loading(path: Path) -> Callable[[], object]:
    return lambda: torch.load(path, mmap=True, weights_only=True)


def bytes_read(task: Callable[[], object]) -> int:
    """How many bytes a task reads from files that it opens by itself."""
    count, pread = 0, os.pread

    def counting(descriptor: int, length: int, offset: int) -> bytes:
        nonlocal count
        content = pread(descriptor, length, offset)
        count += len(content)
        return content

    os.pread = counting
    try:
        task()
    finally:
        os.pread = pread
    return count


def size(path: Path) -> int:
    return sum(part.stat().st_size for part in (path.iterdir() if path.is_dir() else [path]))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = saved(Path(folder))
        rules_file = Path(folder) / "bench.rules"
        rules_file.write_text(RULES)
        rules = grouper.parse(RULES)
        load = loading(files["state dict"])
        code = "import sys, torch; torch.load(sys.argv[1], mmap=True, weights_only=True)"
        command = process("-c", code, str(files["state dict"]))
        print("grouper check / torch.load(mmap=True, weights_only=True) of the state dict")
        for name, path in files.items():
            check = lambda path=path: grouper.check(path, rules)  # noqa: E731
            part = bytes_read(check) / size(path)
            whole = ratio(process("-m", "grouper", "check", str(path), str(rules_file)), command, 3)
            print(
                f"{name:17} as a command {whole:5.2f}, in a process {ratio(check, load):5.2f}, "
                f"{part:.3%} of the file read"
            )


if __name__ == "__main__":
    main()
