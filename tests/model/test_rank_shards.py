"""Safetensors that torch.distributed.checkpoint wrote by rank, against torch's own reader."""

import json
import struct

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from support.torchrun import launch  # noqa: E402
from torch import nn  # noqa: E402
from torch.distributed.checkpoint import HuggingFaceStorageReader  # noqa: E402

from grouper.model.errors import ModelError  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402
from grouper.model.read import read  # noqa: E402

WORKER = """
import os
import sys

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint.state_dict import get_model_state_dict
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DeviceMesh

dist.init_process_group("gloo")
model = nn.Sequential(nn.Linear(6, 5), nn.LayerNorm(5), nn.Linear(5, 3))
fully_shard(model[0])
fully_shard(model)
for name, options in (
    ("parts", {"save_distributed": True}),
    ("whole", {"save_distributed": True, "enable_consolidation": True}),
):
    writer = dcp.HuggingFaceStorageWriter(os.path.join(sys.argv[1], name), **options)
    dcp.save(get_model_state_dict(model), storage_writer=writer)
dist.barrier()
os._exit(0)  # gloo's threads may abort a process that ends in order
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    (folder / "worker.py").write_text(WORKER)
    launch(folder / "worker.py", 2, folder)
    return folder


def facts(inventory):
    return {p.name: (p.shape, p.dtype) for p in inventory.parameters}


def test_the_parts_of_all_ranks_together(saved):
    folder = saved / "parts"
    live = inventory_of(nn.Sequential(nn.Linear(6, 5), nn.LayerNorm(5), nn.Linear(5, 3)))
    found = read(str(folder))
    oracle = HuggingFaceStorageReader(str(folder)).read_metadata().state_dict_metadata
    assert len(list(folder.iterdir())) == 2
    assert facts(found) == facts(live)
    assert {n: tuple(oracle[n].size) for n in facts(found)} == {
        p.name: p.shape for p in found.parameters
    }
    assert (found.kind, found.order) == ("safetensors of 2 ranks", "sorted")


def test_what_torch_put_together_again(saved):
    found = read(str(saved / "whole"))
    assert (
        facts(found)
        == facts(read(str(saved / "parts")))
        == facts(read(str(saved / "whole" / "sharded")))
    )
    assert found.kind.startswith("safetensors")


@pytest.mark.parametrize("rank", [0, 1])
def test_one_part_is_not_taken_for_the_whole(rank, saved):
    path = sorted((saved / "parts").iterdir())[rank]
    with pytest.raises(ModelError, match="is one rank's part of a distributed checkpoint"):
        read(str(path))


def test_a_part_by_another_name(saved, tmp_path):
    second = sorted((saved / "parts").iterdir())[1]
    (tmp_path / "model.safetensors").write_bytes(second.read_bytes())
    with pytest.raises(ModelError, match="is one rank's part of a distributed checkpoint"):
        read(str(tmp_path / "model.safetensors"))


def written(folder, *parts):
    """A folder of parts: in each the shape of `w` and where it begins."""
    for number, (shape, place) in enumerate(parts, 1):
        name = f"shard-{number:05}-model-00001-of-00001.safetensors"
        size = 4 * torch.Size(shape).numel()
        header = {
            "__metadata__": {"DCP_SHARDING_INFO": json.dumps({"w": {"saved_offsets": place}})},
            "w": {"dtype": "F32", "shape": shape, "data_offsets": [0, size]},
        }
        text = json.dumps(header).encode()
        (folder / name).write_bytes(struct.pack("<Q", len(text)) + text + bytes(size))
    return str(folder)


def test_parts_in_two_dimensions(tmp_path):
    parts = [([2, 3], [0, 0]), ([2, 1], [0, 3]), ([1, 3], [2, 0]), ([1, 1], [2, 3])]
    assert facts(read(written(tmp_path, *parts))) == {"w": ((3, 4), "float32")}


def test_parts_of_a_scalar_and_of_nothing(tmp_path):
    assert facts(read(written(tmp_path, ([], [])))) == {"w": ((), "float32")}
    assert facts(read(written(tmp_path, ([0, 3], [0, 0]), ([2, 3], [0, 0])))) == {
        "w": ((2, 3), "float32")
    }


FAULTS = {
    "a part is missing": ([([2, 3], [0, 0]), ([2, 3], [4, 0])], "lacks parts of `w`"),
    "other dimensions": ([([2, 3], [0, 0]), ([6], [6])], "does not fit the others"),
    "a place of other dimensions": ([([2, 3], [0])], "does not fit the others"),
    "a negative place": ([([2, 3], [-1, 0])], "does not fit the others"),
    "a place of text": ([([2, 3], "ab")], "does not fit the others"),
    "a place that no tensor has": ([([2, 3], [1 << 70, 0])], "does not fit the others"),
    "nowhere": ([([2, 3], None)], "does not fit the others"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_parts_that_do_not_fit(fault, tmp_path):
    parts, words = FAULTS[fault]
    with pytest.raises(ModelError, match=words):
        read(written(tmp_path, *parts))


@pytest.mark.parametrize("metadata", [{}, {"DCP_SHARDING_INFO": "{}"}, {"DCP_SHARDING_INFO": "["}])
def test_parts_without_their_places(metadata, tmp_path):
    path = tmp_path / "shard-00001-model-00001-of-00001.safetensors"
    text = json.dumps({"__metadata__": metadata, "w": {
        "dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()  # fmt: skip
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(4))
    with pytest.raises(ModelError) as caught:
        read(str(tmp_path))
    assert caught.value.finding.code.id == "GR402"


def test_no_key_chooses_among_parts(saved):
    with pytest.raises(ModelError, match="has no model under `ema`"):
        read(str(saved / "parts"), "ema")


def test_more_parts_than_two_seconds_are_enough_for(tmp_path, monkeypatch):
    from grouper.model.formats import rank_shards

    folder = written(tmp_path, ([2], [0]), ([2], [2]), ([2], [4]))
    monkeypatch.setattr(rank_shards, "MAX_PARTS", 3)
    assert facts(read(folder)) == {"w": ((6,), "float32")}
    monkeypatch.setattr(rank_shards, "MAX_PARTS", 2)
    with pytest.raises(ModelError, match="more than 2 parts") as caught:
        read(folder)
    assert caught.value.finding.code.id == "GR403"
