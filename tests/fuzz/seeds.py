"""Writes the known inputs: small files of every kind, by torch's and others' own writing.

    python tests/fuzz/seeds.py

adds those that are missing to tests/fuzz/corpus.
"""

import io
import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import hostile  # noqa: E402


def values():
    """What programs save."""
    tied = nn.Module()
    tied.a = nn.Linear(2, 2)
    tied.b = nn.Linear(2, 2)
    tied.b.weight = tied.a.weight
    tied.register_buffer("steps", torch.tensor(1))
    norm = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))
    named = nn.Parameter(torch.zeros(1))
    named.tag = 1
    yield "state", norm.state_dict()
    yield "module", {"model": tied, "ema": None, "epoch": 1}
    yield "parallel", nn.DataParallel(nn.Linear(1, 1))
    yield "several", {"netG": {"w": torch.zeros(1)}, "netD": {"w": torch.zeros(1)}}
    yield (
        "kinds",
        {
            "sparse": torch.eye(2).to_sparse(),
            "csr": torch.eye(2).to_sparse_csr(),
            "meta": torch.zeros(2, device="meta"),
            "quantised": torch.quantize_per_tensor(torch.zeros(1), 0.1, 0, torch.qint8),
            "float8": torch.zeros(1, dtype=torch.float8_e5m2),
            "state": named,
            "array": np.zeros((2, 1), np.float16),
            "buffer": nn.Buffer(torch.zeros(1)),
            "nested": torch.nested.nested_tensor([torch.zeros(1), torch.zeros(2)]),
        },
    )
    yield "lazy", nn.LazyLinear(2)


def archived(value, **options):
    out = io.BytesIO()
    torch.save(value, out, **options)
    return out.getvalue()


def files():
    """Whole files, their padding taken out: archives are written again without it."""
    for name, value in values():
        with zipfile.ZipFile(io.BytesIO(archived(value))) as archive:
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as smaller:
                for member in archive.namelist():
                    if "/.data/" not in member:
                        smaller.writestr(member, archive.read(member))
            yield f"{name}.pt", out.getvalue()
    yield "legacy.pt", archived({"w": torch.zeros(1)}, _use_new_zipfile_serialization=False)
    script = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(1, 1)), script)
    yield "script.pt", script.getvalue()
    from safetensors.torch import save

    yield "two.safetensors", save({"a": torch.zeros(2), "b": torch.zeros(1, 2)})
    yield "snapshot.json", _snapshot()
    yield "bomb.pt", hostile.zip_of([(b"a/data.pkl", hostile.doubling_modules(8))])


def pickles():
    for name, value in values():
        with zipfile.ZipFile(io.BytesIO(archived(value))) as archive:
            (data,) = (n for n in archive.namelist() if n.endswith("/data.pkl"))
            yield name, archive.read(data)
    for protocol in range(6):
        state = {"a": torch.zeros(1), "b": np.zeros(1, np.float32), "c": np.float64(1), 3: {1.5}}
        yield f"plain{protocol}", pickle.dumps(state, protocol)
    yield "sharing", hostile.sharing(3, 3)
    yield "lists", hostile.shared_lists(3, 3)
    yield "sparse", hostile.nested_sparse(3)
    yield "parameters", hostile.nested_parameters(3)


def _snapshot():
    from grouper.inventory import snapshot
    from grouper.inventory.live import inventory_of

    return snapshot.dumps(inventory_of(nn.Sequential(nn.Linear(1, 1)))).encode()


def main():
    for target in (files, pickles):
        folder = HERE / "corpus" / target.__name__
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in target():
            if not (folder / name).exists():
                (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
