"""Folders of torch.distributed.checkpoint: the same names, sizes and dtypes as torch loads."""

import os
import pickle
import random

import pytest

torch = pytest.importorskip("torch")
dcp = pytest.importorskip("torch.distributed.checkpoint")

from support.torchrun import launch  # noqa: E402
from torch import nn  # noqa: E402
from torch.distributed.checkpoint.state_dict import get_state_dict  # noqa: E402

from grouper.model.errors import ModelError  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402
from grouper.model.read import read  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(6, 4)
        self.body = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 4).bfloat16())
        self.scale = nn.Parameter(torch.ones(()))
        self.head = nn.Linear(4, 6, bias=False)

    def forward(self, x):
        return self.head(self.body[:2](self.embedding(x)) * self.scale)


def trained():
    model = Net()
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.tensor([1, 2])).sum().backward()
    optimizer.step()
    return model, optimizer


def save(state, folder, **options):
    dcp.save(state, checkpoint_id=str(folder), no_dist=True, **options)
    return str(folder)


def facts(inventory):
    return [(p.names, p.shape, p.dtype) for p in inventory.parameters]


def loaded(folder, key=None):
    """The tensors under a key as torch loads them, by name."""
    from torch.distributed.checkpoint.default_planner import _EmptyStateDictLoadPlanner
    from torch.distributed.checkpoint.state_dict_loader import _load_state_dict

    state = {}
    _load_state_dict(
        state,
        storage_reader=dcp.FileSystemReader(str(folder)),
        planner=_EmptyStateDictLoadPlanner(),
        no_dist=True,
    )
    for part in key.split(".") if key else ():
        state = state[part]
    return {
        name: (tuple(t.shape), str(t.dtype).removeprefix("torch."))
        for name, t in state.items()
        if isinstance(t, torch.Tensor)
    }


def agree(folder, model, key):
    inventory, live = read(str(folder)), inventory_of(model)
    assert facts(inventory) == facts(live)
    assert inventory.buffers == live.buffers
    assert (inventory.key, inventory.kind) == (key, "distributed checkpoint")
    oracle = loaded(folder, key)
    assert {p.name: (p.shape, p.dtype) for p in inventory.parameters}.items() <= oracle.items()
    assert {p.name for p in inventory.parameters} | {*inventory.buffers} == {
        name for name in oracle if name in model.state_dict()
    }
    assert all(p.inferred and p.trainable is None for p in inventory.parameters)
    return inventory


def refused(path, key=None):
    with pytest.raises(ModelError) as caught:
        read(str(path), key)
    return caught.value.finding.code.id


def test_a_state_dict_alone(tmp_path):
    model = Net()
    agree(save(model.state_dict(), tmp_path / "c"), model, None)


@pytest.mark.parametrize("key", ["model", "state_dict", "module"])
def test_beside_an_optimizer(key, tmp_path):
    model, optimizer = trained()
    state = {"optim": optimizer.state_dict(), key: model.state_dict(), "epoch": 3, "step": [1, 2]}
    folder = save(state, tmp_path / "c")
    inventory = agree(folder, model, key)
    assert inventory.path == folder
    assert any("tied" in remark for remark in inventory.remarks)
    assert facts(read(folder, key)) == facts(inventory)
    assert refused(folder, "optim") == "GR405"


def test_states_as_torch_gathers_them(tmp_path):
    model, optimizer = trained()
    states, optim = get_state_dict(model, optimizer)
    agree(save({"model": states, "optimizer": optim}, tmp_path / "c"), model, "model")
    assert refused(save({"optimizer": optim}, tmp_path / "o")) == "GR401"
    assert refused(save(optim, tmp_path / "p")) == "GR401"


def test_a_flattened_optimizer_is_no_model(tmp_path):
    from torch.distributed.checkpoint.state_dict import StateDictOptions

    model, optimizer = trained()
    options = StateDictOptions(flatten_optimizer_state_dict=True)
    states, optim = get_state_dict(model, optimizer, options=options)
    assert any(name.startswith("state.embedding.weight.") for name in optim)
    agree(save({**states, **optim}, tmp_path / "together"), model, None)
    agree(save({**states, "optimizer": optim}, tmp_path / "beside"), model, None)
    assert refused(save(optim, tmp_path / "alone")) == "GR401"


def test_without_the_paths_of_a_planner(tmp_path):
    from torch.distributed.checkpoint.default_planner import DefaultSavePlanner

    model = Net()
    state = {**model.state_dict(), "optimizer.state.exp_avg.head.weight": torch.zeros(6, 4)}
    planner = DefaultSavePlanner(flatten_state_dict=False)
    inventory = read(save(state, tmp_path / "c", planner=planner))
    assert facts(inventory) == facts(inventory_of(model))


def test_a_wrapper_is_seen_through(tmp_path):
    model = Net()
    folder = save({"model": nn.DataParallel(model).state_dict()}, tmp_path / "c")
    assert facts(read(folder)) == facts(inventory_of(model))
    assert read(folder).parameters[0].stored == "module.scale"


WORKER = """
import os, sys, torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint.state_dict import get_state_dict
from torch.distributed.fsdp import fully_shard

torch.manual_seed(0)
dist.init_process_group("gloo")
model = nn.Sequential(nn.Linear(6, 5), nn.LayerNorm(5), nn.Linear(5, 3))
fully_shard(model[0])
fully_shard(model)
optimizer = torch.optim.AdamW(model.parameters())
model(torch.ones(2, 6)).sum().backward()
optimizer.step()
states, optim = get_state_dict(model, optimizer)
assert states["0.weight"].to_local().shape != states["0.weight"].shape
dcp.save({"model": states, "optim": optim}, checkpoint_id=sys.argv[1])
dist.barrier()
os._exit(0)  # gloo's threads may abort a process that ends in order
"""


@pytest.mark.slow
def test_two_processes_with_shards(tmp_path):
    worker, folder = tmp_path / "worker.py", tmp_path / "c"
    worker.write_text(WORKER)
    launch(worker, 2, folder)
    assert len(list(folder.glob("*.distcp"))) == 2
    agree(folder, nn.Sequential(nn.Linear(6, 5), nn.LayerNorm(5), nn.Linear(5, 3)), "model")


@pytest.mark.slow
def test_many_tensors_on_many_ranks(tmp_path):
    from torch.distributed.checkpoint import metadata as md
    from torch.distributed.checkpoint.filesystem import _StorageInfo

    names = [f"layers.{i}.weight" for i in range(900)]
    parts = [torch.Size([64 * rank, 0]) for rank in range(64)]
    stored = md.Metadata(
        {
            name: md.TensorStorageMetadata(
                md.TensorProperties(torch.float32),
                torch.Size([4096, 4096]),
                [md.ChunkStorageMetadata(part, torch.Size([64, 4096])) for part in parts],
            )
            for name in names
        },
        {name: (name,) for name in names},
        {
            md.MetadataIndex(name, part, rank): _StorageInfo(f"__{rank}_0.distcp", 0, 1 << 20)
            for name in names
            for rank, part in enumerate(parts)
        },
    )
    (tmp_path / ".metadata").write_bytes(pickle.dumps(stored, 4))
    inventory = read(str(tmp_path))
    assert facts(inventory) == [((name,), (4096, 4096), "float32") for name in names]


def test_only_the_metadata_is_needed(tmp_path):
    model = Net()
    folder = save({"model": model.state_dict()}, tmp_path / "c")
    for shard in (tmp_path / "c").glob("*.distcp"):
        shard.unlink()
    assert facts(read(folder)) == facts(inventory_of(model))


@pytest.mark.parametrize(
    "value",
    [None, {}, [], {"state_dict_metadata": {}}, nn.ReLU(), "text"],
    ids=["none", "dict", "list", "plain", "module", "text"],
)
def test_other_pickles(value, tmp_path):
    (tmp_path / ".metadata").write_bytes(pickle.dumps(value, 4))
    assert refused(tmp_path) in ("GR401", "GR402")


def test_strange_entries(tmp_path):
    from torch.distributed.checkpoint.metadata import Metadata

    deep = ("a",) * 10_000
    metadata = Metadata(
        state_dict_metadata={"a": 1, 2: None, "b": {}, "c": [()]},
        planner_data={"a": deep, "b": (), "c": 3, 4: ("x",)},
    )
    (tmp_path / ".metadata").write_bytes(pickle.dumps(metadata, 4))
    assert refused(tmp_path) == "GR401"


def test_nothing_is_called(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'touched'}",)

    (tmp_path / ".metadata").write_bytes(pickle.dumps({"state_dict_metadata": Evil()}, 4))
    assert refused(tmp_path) in ("GR401", "GR402")
    assert not (tmp_path / "touched").exists()


def test_damage_ends_in_one_finding(tmp_path):
    folder = save({"model": Net().state_dict()}, tmp_path / "c")
    path = tmp_path / "c" / ".metadata"
    content = path.read_bytes()
    chance = random.Random(4)
    codes = set()
    for _ in range(400):
        changed = bytearray(content)
        for _ in range(chance.randrange(1, 6)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        path.write_bytes(changed)
        try:
            read(folder)
        except ModelError as error:
            codes.add(error.finding.code.id)
    assert codes <= {"GR401", "GR402", "GR403"}
    for length in range(0, len(content), 23):
        path.write_bytes(content[:length])
        assert refused(folder) == "GR402"


def test_metadata_must_be_a_file(tmp_path):
    os.mkfifo(tmp_path / ".metadata")
    assert refused(tmp_path) == "GR401"


def test_the_shards_are_no_models(tmp_path):
    folder = save({"model": Net().state_dict()}, tmp_path / "c")
    (shard,) = (tmp_path / "c").glob("*.distcp")
    with pytest.raises(ModelError, match="one rank's part") as caught:
        read(str(shard))
    assert folder in caught.value.finding.help
