"""How well the buffers of state dicts are told from parameters, against the models themselves.

python benchmarks/buffers.py
python benchmarks/buffers.py --library transformers --seconds 60

Of every kind of model that timm and transformers build from a name or a default configuration, on
the meta device: how many parameters are treated as buffers, which no model should have, how many of
those that it has frozen, and how many of the buffers in its state dict are found.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from grouper.model.contents.buffers import inferred
from grouper.model.pickle.tensors import Tensor

sys.path.append(str(Path(__file__).parents[1] / "tests"))
LAYERS = ("num_hidden_layers", "num_layers", "n_layer", "encoder_layers", "decoder_layers")
Build = Callable[[], nn.Module]


@dataclass
class Count:
    """Over models: how many there are, their buffers, and what was told wrong, by its name."""

    models: int = 0
    buffers: int = 0
    lost: Counter[str] = field(default_factory=Counter)  # trained parameters treated as buffers
    frozen: Counter[str] = field(default_factory=Counter)  # frozen ones
    missed: Counter[str] = field(default_factory=Counter)  # buffers treated as parameters

    def add(self, model: nn.Module) -> None:
        state = model.state_dict()
        named = dict(model.named_parameters(remove_duplicate=False))
        parameters = named.keys()
        facts = [
            (name, Tensor(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")))
            for name, tensor in state.items()
        ]
        found = inferred(facts).keys()
        self.models += 1
        self.buffers += len(state.keys() - parameters)
        taken = found & parameters
        self.lost.update(_last({name for name in taken if named[name].requires_grad}))
        self.frozen.update(_last({name for name in taken if not named[name].requires_grad}))
        self.missed.update(_last(state.keys() - parameters - found))


def timm_models() -> Iterator[Build]:
    """The first, middle and last of each family."""
    import timm

    families: dict[str, list[str]] = {}
    for name in timm.list_models():
        families.setdefault(timm.models.model_entrypoint(name).__module__, []).append(name)
    for names in families.values():
        for name in dict.fromkeys((names[0], names[len(names) // 2], names[-1])):
            yield lambda name=name: timm.create_model(name)


def transformers_models() -> Iterator[Build]:
    """Each kind of configuration by its defaults, but two layers where it says how many."""
    import transformers

    transformers.logging.set_verbosity_error()
    for kind in transformers.CONFIG_MAPPING:
        yield lambda kind=kind: _of_transformers(kind)


def _of_transformers(kind: str) -> nn.Module:
    from transformers import CONFIG_MAPPING, AutoModel

    config = CONFIG_MAPPING[kind]()
    for name in LAYERS:
        if isinstance(getattr(config, name, None), int):
            setattr(config, name, min(2, getattr(config, name)))
    return AutoModel.from_config(config)


def _last(names: set[str]) -> Iterator[str]:
    return (name.rpartition(".")[2] for name in names)


def counted(builds: Iterator[Build], seconds: float) -> Count:
    """Those that can be built as they are, until the time is over."""
    count, end = Count(), time.monotonic() + seconds
    for build in builds:
        if time.monotonic() > end:
            break
        with contextlib.suppress(Exception), torch.device("meta"):
            count.add(build())
    return count


def main() -> None:
    from support.torchvision_stub import define_operators

    define_operators()
    libraries = {"timm": timm_models, "transformers": transformers_models}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", choices=libraries, action="append")
    parser.add_argument("--seconds", type=float, default=1200, help="for each library")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for library in arguments.library or libraries:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            count = counted(libraries[library](), arguments.seconds)
        missed = sum(count.missed.values())
        print(
            f"{library}, {count.models} models: {sum(count.lost.values())} parameters treated"
            f" as buffers; {count.buffers - missed:,} of {count.buffers:,} buffers found"
        )
        for what, names in (
            ("treated as buffers", count.lost),
            ("frozen, and treated as buffers", count.frozen),
            ("not found", count.missed),
        ):
            if names:
                print(f"  {what}: {', '.join(f'{n} {c}' for n, c in names.most_common(20))}")


if __name__ == "__main__":
    main()
