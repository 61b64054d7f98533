"""Writes the known inputs: small files of every kind, by torch's and others' own writing.

    python tests/fuzz/seeds.py

adds those that are missing to tests/fuzz/corpus.
"""

import io
import json
import pickle
import sys
import tempfile
import zipfile
from pathlib import Path

import cloudpickle
import numpy as np
import safetensors.torch as safetensors
import torch
from torch import nn

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from archives import joined  # noqa: E402
from support import hostile  # noqa: E402


class Made:
    """What is pickled as a call; of a compiled module so without 30 KB for the compiler."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


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
    optimized = torch._dynamo.eval_frame.OptimizedModule
    yield "compiled", {"model": Made(optimized, nn.Linear(1, 1), None)}
    graph = torch.fx.graph_module.reduce_graph_module
    yield "graph", Made(graph, {"_parameters": {"w": torch.zeros(1)}, "_modules": {}}, "")
    itself = nn.Module()
    itself._modules["a"] = itself
    yield "itself", itself
    subclass = (nn.Parameter, torch.float32, (1, 2), (2, 1), 0, torch.strided, "cpu", True)
    yield (
        "elsewhere",
        {
            "subclass": Made(torch._utils._rebuild_wrapper_subclass, *subclass),
            "device": Made(
                torch._utils._rebuild_device_tensor_from_numpy,
                *(np.zeros(1), torch.float16, "xla:0", True),
            ),
        },
    )


def archived(value, **options):
    out = io.BytesIO()
    torch.save(value, out, **options)
    return out.getvalue()


def _unpadded(content, needless=("/.data/",)):
    """An archive written again without padding, and without members that no reader opens."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(out, "w") as smaller:
        for member in archive.namelist():
            if not any(part in member for part in needless):
                smaller.writestr(member, archive.read(member))
    return out.getvalue()


def files():
    """Whole files."""
    for name, value in values():
        yield f"{name}.pt", _unpadded(archived(value))
    yield "legacy.pt", archived({"w": torch.zeros(1)}, _use_new_zipfile_serialization=False)
    script = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(1, 1)), script)
    yield "script.pt", script.getvalue()
    program = io.BytesIO()
    torch.export.save(torch.export.export(nn.Linear(1, 1), (torch.zeros(1, 1),)), program)
    yield "program.pt2", _unpadded(program.getvalue(), ("/.data/", "/weight_", ".pt"))
    arrays = {"model": {"a.weight": np.zeros((2, 1), np.float32)}, "b": torch.zeros(1)}
    for protocol in (0, 1, 4):
        yield f"plain{protocol}.pkl", pickle.dumps(arrays, protocol)
    yield "two.safetensors", safetensors.save({"a": torch.zeros(2), "b": torch.zeros(1, 2)})
    yield "snapshot.json", _snapshot()
    yield "bomb.pt", hostile.zip_of([(b"a/data.pkl", hostile.doubling_modules(8))])


class Script(nn.Module):
    """What TorchScript has names for: a list, the same class twice, a buffer, what is frozen."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(1, 1), nn.Sequential(nn.Linear(1, 1))])
        self.norm = nn.BatchNorm1d(1)
        self.layers[0].bias.requires_grad_(False)
        self.register_buffer("steps", torch.zeros(1))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.norm(x) + self.steps


def archives():
    """The members of archives, as the target puts them together."""
    model, x = Script().eval(), torch.zeros(2, 1)
    for name, made in (("script", torch.jit.script(model)), ("trace", torch.jit.trace(model, x))):
        yield name, _members(made.save_to_buffer(), ("constants.pkl", ".py", "data.pkl"))
    file = io.BytesIO()
    torch.export.save(torch.export.export(model, (x,)), file)
    yield "program", _members(file.getvalue(), (".json", "archive_format"))
    with zipfile.ZipFile(file) as archive:
        program = next(archive.read(n) for n in archive.namelist() if n.endswith("model.json"))
    state = _unpadded(archived(model.state_dict()), ("/.data/", "/data/"))
    yield (
        "program of 2.7",
        joined(
            ("a/archive_format", b"pt2"),
            ("a/models/model.json", program),
            ("a/data/weights/model.pt", state),
        ),
    )
    yield (
        "program of 2.0",
        joined(("serialized_exported_program.json", program), ("serialized_state_dict.pt", state)),
    )
    yield "module", _members(archived(model), ("data.pkl", "byteorder"))


def _members(content, kept):
    """An archive's members whose names end in one of these."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name for name in archive.namelist() if name.endswith(kept)]
        return joined(*((name, archive.read(name)) for name in names))


def folders():
    """The files that describe a folder: an index, a distributed checkpoint, one of DeepSpeed."""
    index = {
        "metadata": {"total_size": 16},
        "weight_map": {"a": "a.safetensors", "0.bias": "b.bin"},
    }
    yield "index", json.dumps(index).encode()
    yield (
        "config",
        b"\n"
        + json.dumps({"architectures": ["LlamaForCausalLM"], "tie_word_embeddings": True}).encode(),
    )
    places = {"a": {"saved_offsets": [0]}, "b": {"saved_offsets": [0, 2]}}
    two = {"a": torch.zeros(2), "b": torch.zeros(1, 2)}
    yield "ranks", b"s" + safetensors.save(two, {"DCP_SHARDING_INFO": json.dumps(places)})
    yield "latest", b"global_step1"
    yield "index without files", json.dumps({"weight_map": {"a": "c.bin"}}).encode()
    yield "index with a long name", json.dumps({"weight_map": {"a": "c" * 256}}).encode()
    from torch.distributed.checkpoint import FileSystemWriter, save

    linear = nn.Linear(1, 1)
    optimizer = torch.optim.AdamW(linear.parameters())
    linear(torch.zeros(1, 1)).sum().backward()
    optimizer.step()
    for name, saved in (
        ("flat", linear.state_dict()),
        ("nested", {"model": linear.state_dict(), "optim": optimizer.state_dict(), "step": 1}),
    ):
        with tempfile.TemporaryDirectory() as folder:
            save(saved, storage_writer=FileSystemWriter(folder), no_dist=True)
            yield name, Path(folder, ".metadata").read_bytes()
    shapes = {"weight": torch.Size([1, 1]), "bias": torch.Size([1])}
    state = {
        "module": linear.state_dict(),
        "param_shapes": [shapes],
        "buffer_names": [],
        "shared_params": {},
        "frozen_param_shapes": None,
        "mp_world_size": 2,
    }
    yield "deepspeed", _unpadded(archived(state))


def pickles():
    for name, value in values():
        with zipfile.ZipFile(io.BytesIO(archived(value))) as archive:
            (data,) = (n for n in archive.namelist() if n.endswith("/data.pkl"))
            yield name, archive.read(data)
    for protocol in range(6):
        state = {"a": torch.zeros(1), "b": np.zeros(1, np.float32), "c": np.float64(1), 3: {1.5}}
        yield f"plain{protocol}", pickle.dumps(state, protocol)
    yield "oldest", pickle.dumps(nn.Linear(1, 1), 1)
    yield (
        "persistent",
        b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n((dVclass_name\nVLayer\ns"
        b"Vstate\n(dV_parameters\n(dsV_modules\n(dsstR.",
    )
    head = type("Head", (nn.Linear,), {"__module__": "__main__"})
    yield "class", cloudpickle.dumps(head(1, 1))
    yield "sharing", hostile.sharing(3, 3)
    yield "lists", hostile.shared_lists(3, 3)
    yield "sparse", hostile.nested_sparse(3)
    yield "parameters", hostile.nested_parameters(3)


def _snapshot():
    from grouper.model.formats import snapshot
    from grouper.model.live import inventory_of

    return snapshot.dumps(inventory_of(nn.Sequential(nn.Linear(1, 1)))).encode()


def main():
    for target in (files, archives, pickles, folders):
        folder = HERE / "corpus" / target.__name__
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in target():
            if not (folder / name).exists():
                (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
