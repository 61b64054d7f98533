"""safetensors as the library writes it from torch: dtypes, and ties by `save_model`."""

import pytest

torch = pytest.importorskip("torch")
library = pytest.importorskip("safetensors.torch")

from torch import nn  # noqa: E402

from grouper.model.live import inventory_of  # noqa: E402
from grouper.model.read import read  # noqa: E402

DTYPES = [
    *("float32", "float16", "bfloat16", "float64", "complex64"),
    *("float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz"),
    *("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool"),
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_each_dtype_is_torchs(dtype, tmp_path):
    path = str(tmp_path / "m.safetensors")
    library.save_file({"a.weight": torch.zeros(3, 4).to(getattr(torch, dtype))}, path)
    loaded = library.load_file(path)["a.weight"]
    found = read(path)
    assert str(loaded.dtype) == f"torch.{dtype}"
    if loaded.dtype.is_floating_point or loaded.dtype.is_complex:
        (parameter,) = found.parameters
        assert (parameter.dtype, parameter.shape) == (dtype, tuple(loaded.shape))
    else:
        assert (found.parameters, found.buffers) == ((), ("a.weight",))


def test_two_elements_in_a_byte(tmp_path):
    if not hasattr(torch, "float4_e2m1fn_x2"):
        pytest.skip("this torch has none")
    path = str(tmp_path / "m.safetensors")
    packed = torch.zeros(4, 8, dtype=torch.uint8).view(torch.float4_e2m1fn_x2)
    library.save_file({"w": packed}, path)
    (parameter,) = read(path).parameters
    loaded = library.load_file(path)["w"]
    assert (parameter.shape, f"torch.{parameter.dtype}") == (tuple(loaded.shape), str(loaded.dtype))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(10, 4)
        self.blocks = nn.ModuleList(nn.Linear(4, 4) for _ in range(12))
        self.norm = nn.BatchNorm1d(4)
        self.head = nn.Linear(4, 10, bias=False)
        self.head.weight = self.wte.weight
        self.again = self.blocks[3]


def test_save_model_keeps_the_names_of_tied_weights(tmp_path):
    path, model = str(tmp_path / "m.safetensors"), Tied()
    library.save_model(model, path)
    found, live = read(path), inventory_of(model)

    def facts(inventory):
        return {frozenset(p.names): (p.shape, p.dtype) for p in inventory.parameters}

    assert facts(found) == facts(live)
    assert set(found.buffers) == set(live.buffers)
    assert any(p.tied for p in found.parameters)


def test_a_parameter_has_the_name_that_the_file_has_first(tmp_path):
    path = str(tmp_path / "m.safetensors")
    library.save_model(Tied(), path)
    assert {p.stored for p in read(path).parameters} <= set(library.load_file(path))


def test_a_file_without_metadata_has_what_was_saved(tmp_path):
    path = str(tmp_path / "m.safetensors")
    state = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)).state_dict()
    library.save_file(state, path)
    found = read(path)
    names = [name for p in found.parameters for name in p.names]
    assert sorted([*names, *found.buffers]) == sorted(state)
    assert {p.name: p.shape for p in found.parameters} == {n: tuple(state[n].shape) for n in names}
