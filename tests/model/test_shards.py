"""Models in several files, and the folders that they lie in."""

import json
import os
import struct

import pytest

from grouper.model.errors import ModelError
from grouper.model.formats import sharded_index
from grouper.model.read import read


def shard(path, *names, shape=(2,)):
    header, end = {}, 0
    for name in names:
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [end, end + 8]}
        end += 8
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * end)


def folder(path, weight_map, *shards):
    """A folder with an index and safetensors files, each a name with its tensors' names."""
    for name, *tensors in shards:
        shard(path / name, *tensors)
    index = path / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return str(path)


def finding(path, key=None):
    with pytest.raises(ModelError) as caught:
        read(path, key)
    return caught.value.finding


A, B = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
WHOLE = ({"b.w": A, "a.w": A, "c.running_mean": B, "c.w": B}, (A, "a.w", "b.w"))
LAST = (B, "c.w", "c.running_mean")


def test_an_index_and_its_folder_are_the_same_model(tmp_path):
    path = folder(tmp_path, *WHOLE, LAST)
    found = read(path)
    assert [p.name for p in found.parameters] == ["a.w", "b.w", "c.w"]
    assert found.buffers == ("c.running_mean",)
    assert (found.kind, found.order) == ("safetensors in 2 files", "sorted")
    index = read(os.path.join(path, "model.safetensors.index.json"))
    assert index.parameters == found.parameters
    assert {p.shape for p in found.parameters} == {(2,)}


def test_an_index_is_found_in_the_current_folder(tmp_path, monkeypatch):
    folder(tmp_path, *WHOLE, LAST)
    monkeypatch.chdir(tmp_path)
    assert len(read("model.safetensors.index.json").parameters) == 3
    assert len(read(".").parameters) == 3


def test_of_a_missing_file_the_names_are_known(tmp_path):
    found = read(folder(tmp_path, *WHOLE))
    assert [(p.name, p.shape) for p in found.parameters] == [
        ("a.w", (2,)),
        ("b.w", (2,)),
        ("c.w", None),
    ]
    assert not any(p.tied for p in found.parameters)
    assert any("1 of 2 files are missing" in remark for remark in found.remarks)


def test_a_link_into_a_cache_is_followed(tmp_path):
    inside = tmp_path / "snapshot"
    inside.mkdir()
    path = folder(inside, *WHOLE, LAST)
    (inside / B).rename(tmp_path / "blob")
    (inside / B).symlink_to(tmp_path / "blob")
    assert {p.shape for p in read(path).parameters} == {(2,)}


def test_names_that_begin_with_a_wrapper_in_one_file_only(tmp_path):
    found = read(folder(tmp_path, {"module.w": A, "x.w": B}, (A, "module.w"), (B, "x.w")))
    assert [p.name for p in found.parameters] == ["module.w", "x.w"]


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../up.safetensors", "a/b", "a\\b", "..", ".", "", "C:x", "a\0b"]
)
def test_files_that_are_not_in_the_folder(name, tmp_path):
    assert finding(folder(tmp_path, {"a": name})).code.id == "GR403"


@pytest.mark.parametrize("name", ["a" * 255, "é" * 127])
def test_names_as_long_as_a_file_can_have(name, tmp_path):
    assert read(folder(tmp_path, {"a": name})).remarks[-1].startswith("1 of 1 files are missing")


@pytest.mark.parametrize("name", ["a" * 256, "é" * 128, "a" * 100_000])
def test_names_longer_than_a_file_can_have(name, tmp_path):
    assert finding(folder(tmp_path, {"a": name})).code.id == "GR403"


INDEXES = {
    "a list": [],
    "nothing": {},
    "number for a file": {"a": 1},
    "null for a file": {"a": None},
}


@pytest.mark.parametrize("name", INDEXES)
def test_indexes_that_are_none(name, tmp_path):
    path = folder(tmp_path, INDEXES[name])
    assert finding(path).code.id == "GR402"


def test_a_key_twice_in_an_index(tmp_path):
    path = tmp_path / "model.safetensors.index.json"
    path.write_text('{"weight_map": {"a": "x", "a": "y"}}')
    assert finding(str(path)).code.id == "GR401"


def test_a_tensor_in_two_files(tmp_path):
    found = finding(folder(tmp_path, {"a": A, "b": B}, (A, "a", "b"), (B, "b")))
    assert found.code.id == "GR402"
    assert "repeats `b`" in found.message


def test_a_tensor_that_its_file_does_not_have(tmp_path):
    found = finding(folder(tmp_path, {"a": A, "b": A}, (A, "a")))
    assert found.code.id == "GR402"
    assert "lacks `b`" in found.message


def test_an_index_of_itself(tmp_path):
    name = "model.safetensors.index.json"
    assert finding(folder(tmp_path, {"a": name})).code.id == "GR401"


@pytest.mark.parametrize("kind", ["folder", "fifo", "link to a device", "link to itself"])
def test_files_that_are_none(kind, tmp_path):
    path = folder(tmp_path, {"a": A})
    if kind == "folder":
        (tmp_path / A).mkdir()
    elif kind == "fifo":
        os.mkfifo(tmp_path / A)
    elif kind == "link to a device":
        (tmp_path / A).symlink_to("/dev/zero")
    else:
        (tmp_path / A).symlink_to(tmp_path / A)
        with pytest.raises(OSError, match="symbolic links"):
            read(path)
        return
    assert finding(path).code.id == "GR401"


def test_a_file_that_is_a_pointer(tmp_path):
    path = folder(tmp_path, *WHOLE)
    (tmp_path / B).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    found = finding(path)
    assert (found.code.id, found.help) == ("GR404", "run `git lfs pull`")


def test_too_many_files(tmp_path):
    path = folder(tmp_path, {str(i): f"{i}.safetensors" for i in range(5000)})
    assert finding(path).code.id == "GR403"


def test_an_index_of_more_tensors_than_one_file_may_have(tmp_path):
    names = [f"model.layers.{i}.mlp.experts.{j}.w" for i in range(500) for j in range(500)]
    path = folder(tmp_path, dict.fromkeys(names, "missing.safetensors"))
    assert {p.name for p in read(path).parameters} == set(names)


@pytest.mark.parametrize("limit", ["MAX_SIZE", "MAX_MEMORY", "MAX_TENSORS"])
def test_an_index_above_a_limit(limit, tmp_path, monkeypatch):
    path = folder(tmp_path, *WHOLE, LAST)
    monkeypatch.setattr(sharded_index, limit, 3)
    assert finding(path).code.id == "GR403"


def test_files_that_describe_too_much_together(tmp_path):
    many = [f"{'n' * 900}.{i}" for i in range(10_000)]
    shard(tmp_path / "0.safetensors", *many)
    for i in range(1, 30):
        (tmp_path / f"{i}.safetensors").symlink_to(tmp_path / "0.safetensors")
    found = finding(folder(tmp_path, {f"x{i}": f"{i}.safetensors" for i in range(30)}))
    assert found.code.id in ("GR402", "GR403")


def test_no_part_to_choose(tmp_path):
    assert finding(folder(tmp_path, *WHOLE, LAST), "model").code.id == "GR405"


def test_the_one_file_of_weights_in_a_folder(tmp_path):
    shard(tmp_path / "best.safetensors", "a")
    (tmp_path / "optimizer.pt").write_bytes(b"PK")
    (tmp_path / "training_args.bin").write_bytes(b"PK")
    (tmp_path / "config.json").write_text("{")
    assert [p.name for p in read(str(tmp_path)).parameters] == ["a"]


def test_several_files_of_weights_are_listed(tmp_path):
    for name in ("best.pt", "last.pt"):
        (tmp_path / name).write_bytes(b"PK")
    found = finding(str(tmp_path))
    assert found.code.id == "GR401"
    assert "`best.pt`, `last.pt`" in found.help


FOLDERS = {
    "saved_model.pb": "TensorFlow",
    "tf_model.h5": "Keras",
    "flax_model.msgpack": "JAX",
    "manifest.ocdbt": "JAX",
    "m.Q4_K.gguf": "llama.cpp",
    "model.onnx": "ONNX",
}


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_of_others_are_told(name, tmp_path):
    (tmp_path / name).write_bytes(b"")
    found = finding(str(tmp_path))
    assert found.code.id == "GR404"
    assert FOLDERS[name] in found.message


def test_a_folder_of_folders_names_them(tmp_path):
    for name in ("unet", "vae", ".git"):
        (tmp_path / name).mkdir()
    found = finding(str(tmp_path))
    assert found.code.id == "GR401"
    assert found.help.endswith(": `unet/`, `vae/`")


def test_the_configuration_says_what_is_tied(tmp_path):
    def remarks(config, *names):
        shard(tmp_path / "model.safetensors", *names)
        (tmp_path / "config.json").write_text(json.dumps(config))
        return " ".join(read(str(tmp_path)).remarks)

    gpt = {"architectures": ["GPT2LMHeadModel"]}
    assert "`config.json` says GPT2LMHeadModel" in remarks(gpt, "wte.weight")
    assert "tied to the word embeddings" in remarks(gpt, "wte.weight")
    assert "word embeddings" not in remarks(gpt, "wte.weight", "lm_head.weight")
    assert "word embeddings" not in remarks({**gpt, "tie_word_embeddings": False}, "wte.weight")
    assert "says" not in remarks({"architectures": [1]}, "wte.weight")
