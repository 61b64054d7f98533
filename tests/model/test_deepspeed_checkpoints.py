"""DeepSpeed's checkpoints: what its engine saves for a model, with every stage of ZeRO."""

import os
from collections import OrderedDict
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from grouper.model.errors import ModelError  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402
from grouper.model.read import read  # noqa: E402


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(6, 4)
        self.body = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
        self.register_buffer("shift", torch.zeros(3))
        self.head = nn.Linear(4, 6, bias=False)
        self.head.weight = self.embedding.weight
        self.body[0].bias.requires_grad_(False)


def engine_state(model, stage, **changes):
    """The dict that `DeepSpeedEngine.save_checkpoint` writes for the first rank."""
    named = dict(model.named_parameters())
    groups = [named.items()] if stage else []
    trained = [OrderedDict((n, p.shape) for n, p in g if p.requires_grad) for g in groups]
    frozen = OrderedDict((n, p.shape) for n, p in named.items() if not p.requires_grad)
    module = model.state_dict()
    if stage == 3:
        empty = {id(p): torch.empty(0) for p in named.values()}
        everything = model.named_parameters(remove_duplicate=False)
        module.update({name: empty[id(p)] for name, p in everything})
    return {
        "module": module,
        "buffer_names": [name for name in module if name not in named and name != "head.weight"],
        "optimizer": None,
        "param_shapes": trained if stage else None,
        "frozen_param_shapes": frozen if stage > 1 else None,
        "shared_params": {"head.weight": "embedding.weight"} if stage else None,
        "frozen_param_fragments": {n: torch.zeros(1) for n in frozen} if stage > 1 else None,
        "dp_world_size": 2,
        "mp_world_size": 1,
        "ds_config": {"zero_optimization": {"stage": stage}},
        "ds_version": "0.19.8",
        **changes,
    }


def save(folder, state, name="mp_rank_00_model_states.pt", latest="global_step1"):
    inside = folder / "global_step1"
    inside.mkdir()
    torch.save(state, inside / name)
    torch.save({"optimizer_state_dict": {}}, inside / "zero_pp_rank_0_mp_rank_00_optim_states.pt")
    (folder / "latest").write_text(latest)
    return str(folder)


def refused(path, key=None):
    with pytest.raises(ModelError) as caught:
        read(str(path), key)
    return caught.value.finding.code.id


def trainable(stage, parameter):
    """Without ZeRO nothing is said of training; its first stage does not list the frozen ones."""
    if stage == 0 or (stage == 1 and not parameter.trainable):
        return None
    return parameter.trainable


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_every_stage(stage, tmp_path):
    name = (
        "zero_pp_rank_0_mp_rank_00_model_states.pt" if stage == 3 else "mp_rank_00_model_states.pt"
    )
    folder = save(tmp_path, engine_state(Net(), stage), name)
    stored, live = read(folder), inventory_of(Net())
    assert [(p.names, p.shape, p.dtype, p.trainable) for p in stored.parameters] == [
        (p.names, p.shape, p.dtype, trainable(stage, p)) for p in live.parameters
    ]
    assert not any(p.inferred for p in stored.parameters)
    assert set(stored.buffers) == set(live.buffers)
    assert (stored.kind, stored.key, stored.path) == ("DeepSpeed checkpoint", "module", folder)
    assert stored.remarks == ()
    inside = str(tmp_path / "global_step1")
    assert read(inside) == replace(stored, path=inside)
    file = os.path.join(inside, name)
    assert read(file, "module") == replace(stored, path=file)


def test_a_checkpoint_without_the_names_of_buffers(tmp_path):
    state = engine_state(Net(), 0)
    del state["buffer_names"]
    stored = read(save(tmp_path, state))
    assert [p.name for p in stored.parameters if p.inferred] == [p.name for p in stored.parameters]
    assert "shift" in stored.by_name
    assert stored.remarks == ("the checkpoint cannot distinguish parameters from buffers",)


def test_frozen_parameters_left_out_of_the_state_dict(tmp_path):
    state = engine_state(Net(), 3)
    del state["module"]["body.0.bias"]
    bias = read(save(tmp_path, state)).by_name["body.0.bias"]
    assert (bias.shape, bias.dtype, bias.trainable) == ((4,), None, False)


def test_an_empty_tensor_without_a_kept_shape_has_none(tmp_path):
    state = engine_state(Net(), 3, frozen_param_shapes=None)
    assert read(save(tmp_path, state)).by_name["body.0.bias"].shape is None


def test_tensor_parallel_ranks_are_remarked(tmp_path):
    stored = read(save(tmp_path, engine_state(Net(), 1, mp_world_size=4)))
    assert stored.remarks == ("shapes are from the first of 4 tensor-parallel ranks",)


def test_a_wrapper_is_seen_through(tmp_path):
    state = engine_state(nn.DataParallel(nn.Linear(3, 2)), 2, shared_params=None)
    stored = read(save(tmp_path, state))
    assert [(p.name, p.stored) for p in stored.parameters] == [
        ("weight", "module.weight"),
        ("bias", "module.bias"),
    ]


def test_layers_in_files_of_their_own_are_refused(tmp_path):
    folder = save(tmp_path, engine_state(Net(), 0, module=None))
    assert refused(folder) == "GR404"


def test_other_keys_of_a_checkpoint(tmp_path):
    folder = save(tmp_path, {**engine_state(Net(), 1), "ema": Net().state_dict()})
    assert read(folder, "ema").kind == "state dict"
    assert refused(folder, "optimizer") == "GR405"


@pytest.mark.parametrize(
    "latest", ["global_step2", "", "..", "../x", "/", "a\0b", "x" * 300, "é/é"]
)
def test_latest_must_name_a_folder_inside(latest, tmp_path):
    inside = tmp_path / "c"
    inside.mkdir()
    (tmp_path / "x").mkdir()
    assert refused(save(inside, engine_state(Net(), 0), latest=latest)) == "GR402"


def test_a_folder_without_model_states(tmp_path):
    folder = save(tmp_path, {}, "layer_00-model_00-model_states.pt")
    assert refused(folder) == "GR404"


@pytest.mark.parametrize(
    "changes",
    [
        {"param_shapes": 3},
        {"param_shapes": [{"body.0.weight": (-1, "x")}, None, 7]},
        {"frozen_param_shapes": [[[]]]},
        {"shared_params": {"head.weight": ["a"], "body.0.weight": "no such name"}},
        {"shared_params": {"head.weight": "head.weight"}},
        {"buffer_names": [1, None, ("a",)]},
        {"buffer_names": "shift"},
        {"mp_world_size": "many"},
    ],
)
def test_strange_entries(changes, tmp_path):
    names = {
        name
        for p in read(save(tmp_path, engine_state(Net(), 2, **changes))).parameters
        for name in p.names
    }
    assert {"embedding.weight", "head.weight", "body.0.weight"} <= names
