"""Records the options of torch's optimizers.

    python tests/options/record_optimizers.py

writes grouper/options/optimizers.json: for each class of torch.optim the arguments of its
constructor with their defaults, and the options that its step reads from a parameter group.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import torch
from torch import nn

TABLE = Path(__file__).parents[2] / "grouper" / "options" / "optimizers.json"


def recorded() -> dict[str, dict[str, object]]:
    """The table of the torch that is installed."""
    found = {
        name: cls
        for name, cls in vars(torch.optim).items()
        if isinstance(cls, type) and issubclass(cls, torch.optim.Optimizer)
    }
    del found["Optimizer"]
    return {name: _of(found[name]) for name in sorted(found)}


def _of(cls: type[torch.optim.Optimizer]) -> dict[str, object]:
    arguments = [p for n, p in inspect.signature(cls).parameters.items() if n != "params"]
    defaults = cls([nn.Parameter(torch.ones(1, 1))]).defaults
    files = [inspect.getsourcefile(base.__init__) for base in cls.__mro__ if base is not object]
    source = "".join(Path(file).read_text() for file in files[:-1])  # without torch's base class
    read = [key for key in defaults if f'group["{key}"]' in source or f'.get("{key}"' in source]
    return {"constructor": {p.name: p.default for p in arguments}, "group": sorted(read)}


def main() -> None:
    lines = (f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in recorded().items())
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
