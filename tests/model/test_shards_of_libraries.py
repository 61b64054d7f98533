"""Folders as transformers and huggingface_hub save them, against loading them."""

import json

import pytest

torch = pytest.importorskip("torch")
hub = pytest.importorskip("huggingface_hub")
pytest.importorskip("safetensors")

from support.torchvision_stub import define_operators  # noqa: E402
from torch import nn  # noqa: E402

from grouper.model.read import read  # noqa: E402


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(50, 16)
        self.h = nn.ModuleList(nn.Linear(16, 16) for _ in range(12))
        self.norm = nn.BatchNorm1d(16)
        self.lm_head = nn.Linear(16, 50, bias=False)
        self.lm_head.weight = self.wte.weight


def names(inventory):
    return {name for p in inventory.parameters for name in p.names} | set(inventory.buffers)


def shapes(inventory):
    return {p.name: (p.shape, p.dtype) for p in inventory.parameters}


@pytest.mark.parametrize("size", ["2KB", "1GB"])
@pytest.mark.parametrize("safe", [True, False])
def test_huggingface_hubs_folders(safe, size, tmp_path):
    model = Gpt()
    state = model.state_dict()
    hub.save_torch_state_dict(
        model.state_dict(), tmp_path, max_shard_size=size, safe_serialization=safe
    )
    found = read(str(tmp_path))
    assert names(found) == set(state)
    for name, facts in shapes(found).items():
        assert facts == (tuple(state[name].shape), "float32")
    (tied,) = (p for p in found.parameters if p.tied)
    assert set(tied.names) == {"lm_head.weight", "wte.weight"}
    assert set(found.buffers) == {n for n, _ in model.named_buffers()}


def llama(transformers):
    return transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=12,
            num_attention_heads=4,
            num_key_value_heads=2,
            vocab_size=100,
            bos_token_id=1,
            eos_token_id=2,
        )
    )


def gpt2(transformers):
    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            n_layer=3, n_embd=32, n_head=2, vocab_size=100, bos_token_id=1, eos_token_id=2
        )
    )


@pytest.mark.parametrize("make", [llama, gpt2])
@pytest.mark.parametrize("size", ["20KB", "1GB"])
def test_transformers_folders(make, size, tmp_path):
    define_operators()
    transformers = pytest.importorskip("transformers")
    model = make(transformers)
    model.save_pretrained(tmp_path, max_shard_size=size)
    assert (tmp_path / "model.safetensors.index.json").exists() == (size == "20KB")
    found = read(str(tmp_path))
    live = {n: (tuple(p.shape), "float32") for n, p in model.named_parameters()}
    assert shapes(found) == live
    assert any(type(model).__name__ in remark for remark in found.remarks)
    tied = any("tied to the word embeddings" in remark for remark in found.remarks)
    assert tied == (make is gpt2)
    loaded = type(model).from_pretrained(tmp_path)
    assert {n for n, _ in loaded.named_parameters()} == set(shapes(found))


def test_an_older_index_of_torchs_files(tmp_path):
    state = Gpt().state_dict()
    first = {n: t for n, t in state.items() if n.startswith(("wte", "lm_head"))}
    rest = {n: t for n, t in state.items() if n not in first}
    torch.save(first, tmp_path / "pytorch_model-00001-of-00002.bin")
    torch.save(
        rest, tmp_path / "pytorch_model-00002-of-00002.bin", _use_new_zipfile_serialization=False
    )
    weight_map = dict.fromkeys(first, "pytorch_model-00001-of-00002.bin")
    weight_map |= dict.fromkeys(rest, "pytorch_model-00002-of-00002.bin")
    index = {"metadata": {"total_size": 1}, "weight_map": weight_map}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    found = read(str(tmp_path))
    assert found.kind == "state dict in 2 files"
    assert names(found) == set(state)
    (tied,) = (p for p in found.parameters if p.tied)
    assert set(tied.names) == {"wte.weight", "lm_head.weight"}
    # storages are numbered anew in each file: equal numbers are not ties
    assert len(found.parameters) == len(list(Gpt().parameters()))
