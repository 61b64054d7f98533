"""What `pickle.dump` wrote, against `pickle.load`."""

import pickle
import sys
from types import ModuleType

import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402
from torch import nn  # noqa: E402

from grouper.model.errors import ModelError  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402
from grouper.model.read import read  # noqa: E402

PROTOCOLS = pytest.mark.parametrize("protocol", range(6))


def network():
    model = nn.Sequential(nn.Embedding(5, 4), nn.BatchNorm1d(4), nn.Linear(4, 5))
    model[2].weight = model[0].weight
    model[2].bias.requires_grad = False
    return model


def dump(value, path, protocol=pickle.DEFAULT_PROTOCOL):
    path.write_bytes(pickle.dumps(value, protocol))
    return str(path)


def facts(inventory):
    return [(p.names, p.shape, p.dtype, p.trainable) for p in inventory.parameters]


@PROTOCOLS
def test_arrays_as_detectron2_publishes_them(protocol, tmp_path):
    arrays = {name: tensor.numpy() for name, tensor in network().state_dict().items()}
    arrays["half"] = np.zeros((3, 1, 2), np.float16)
    arrays["backwards"] = np.zeros(2, ">f8")
    saved = {"model": arrays, "__author__": "Detectron2 Model Zoo", "matching_heuristics": True}
    found = read(dump(saved, tmp_path / "model.pkl", protocol))
    loaded = pickle.loads((tmp_path / "model.pkl").read_bytes())["model"]
    assert found.key == "model"
    assert {n for p in found.parameters for n in p.names} | set(found.buffers) == set(loaded)
    for p in found.parameters:
        of = loaded[p.name]
        assert (p.shape, p.dtype) == (of.shape, of.dtype.newbyteorder("=").name)


@PROTOCOLS
def test_tensors(protocol, tmp_path):
    found = read(dump(network().state_dict(), tmp_path / "model.pkl", protocol))
    loaded = pickle.loads((tmp_path / "model.pkl").read_bytes())
    assert {n for p in found.parameters for n in p.names} | set(found.buffers) == set(loaded)
    for p in found.parameters:
        of = loaded[p.name]
        assert (p.shape, f"torch.{p.dtype}") == (tuple(of.shape), str(of.dtype))
    storages = {tensor.data_ptr() for tensor in loaded.values()}
    assert len(found.parameters) + len(found.buffers) == len(storages)


@PROTOCOLS
def test_whole_modules(protocol, tmp_path):
    model = network()
    found, live = read(dump(model, tmp_path / "model.pkl", protocol)), inventory_of(model)
    assert facts(found) == facts(live)
    assert found.buffers == live.buffers
    assert {p: m.cls for p, m in found.modules.items()} == {
        p: m.cls for p, m in live.modules.items()
    }


class Layer(nn.Linear):
    """Saved with the source of its class, as all modules of StyleGAN are."""

    def __reduce__(self):
        about = {"type": "class", "version": 6, "module_src": "import torch", "class_name": "Layer"}
        return sys.modules["torch_utils.persistence"].made, ({**about, "state": vars(self)},)


@pytest.fixture
def persistence(monkeypatch):
    def made(about):
        layer = Layer.__new__(Layer)
        layer.__dict__.update(about["state"])
        return layer

    made.__module__, made.__qualname__ = "torch_utils.persistence", "_reconstruct_persistent_obj"
    module = ModuleType("torch_utils.persistence")
    module.made = module._reconstruct_persistent_obj = made
    monkeypatch.setitem(sys.modules, "torch_utils", ModuleType("torch_utils"))
    monkeypatch.setitem(sys.modules, "torch_utils.persistence", module)


@PROTOCOLS
def test_modules_with_the_source_of_their_classes(protocol, persistence, tmp_path):
    layer = Layer(2, 2)
    layer.register_buffer("w_avg", torch.zeros(2))
    layer.inner = Layer(2, 2)
    path = dump({"G": nn.Sequential(layer, nn.ReLU()), "D": None}, tmp_path / "model.pkl", protocol)
    live = inventory_of(pickle.loads((tmp_path / "model.pkl").read_bytes())["G"])
    found = read(path)
    assert facts(found) == facts(live)
    assert (found.key, found.buffers) == ("G", live.buffers)
    assert [m.cls for m in found.modules.values()][1:3] == ["Layer", "Layer"]


def test_pickles_of_python_2(tmp_path):
    """Its texts are bytes, and its arrays' content a text."""
    content = (
        b"}U\x01wcnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
        b"(K\x01(K\x02K\x03tcnumpy\ndtype\n(U\x02f4K\x00K\x01tR(K\x03U\x01<NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tbI00\nU\x18" + bytes(24) + b"tbs."
    )
    (tmp_path / "old.pkl").write_bytes(b"\x80\x02" + content)
    loaded = pickle.loads(b"\x80\x02" + content, encoding="latin1")
    (parameter,) = read(str(tmp_path / "old.pkl")).parameters
    assert (parameter.name, parameter.shape, parameter.dtype) == ("w", (2, 3), "float32")
    assert loaded["w"].shape == (2, 3)


def test_tensors_are_passed_over(tmp_path):
    """A file of 64 MB takes a few reads."""
    from grouper.model.files.file import File
    from grouper.model.formats import plain_pickle

    arrays = {f"layer{i}.weight": np.zeros((1 << 11, 1 << 11), np.float32) for i in range(4)}
    with File(dump(arrays, tmp_path / "model.pkl")) as file:
        assert len(plain_pickle.read(file, None).parameters) == 4
        assert file.bytes_read < file.size / 100


@pytest.mark.parametrize("behind", [pickle.dumps({"epoch": 3}), b"\n"])
def test_what_has_something_behind_it(behind, tmp_path):
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(network().state_dict()) + behind)
    with pytest.raises(ModelError, match="a pickle followed by other data"):
        read(str(tmp_path / "model.pkl"))


@PROTOCOLS
def test_what_holds_no_model(protocol, tmp_path):
    with pytest.raises(ModelError, match="neither a module nor a state dict"):
        read(dump({"epoch": 3, "losses": [1.5]}, tmp_path / "log.pkl", protocol))
