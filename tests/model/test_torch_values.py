"""Everything that torch.save can put into a file: read as torch loads it."""

import io
import os
import pickle
import zipfile

import pytest

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")

from torch import nn  # noqa: E402

from grouper.model.contents import state_dict  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402
from grouper.model.pickle import machine  # noqa: E402
from grouper.model.read import read  # noqa: E402


class Subclass(torch.Tensor):
    pass


class Own(nn.Parameter):
    pass


def with_state(**state):
    parameter = nn.Parameter(torch.zeros(2, 3), requires_grad=False)
    vars(parameter).update(state)
    return parameter


def subclass(trains):
    return nn.Parameter(torch.zeros(4, 3).as_subclass(Subclass), requires_grad=trains)


def quantised(per_channel):
    if per_channel:
        scales = torch.ones(2), torch.zeros(2)
        return torch.quantize_per_channel(torch.zeros(2, 3), *scales, 0, torch.qint8)
    return torch.quantize_per_tensor(torch.zeros(2, 3), 0.1, 0, torch.quint8)


TENSORS = {
    "plain": lambda: torch.zeros(2, 3),
    "scalar": lambda: torch.tensor(1.0),
    "empty": lambda: torch.zeros(0, 3),
    "view": lambda: torch.zeros(4, 6)[1:, ::2],
    "transposed": lambda: torch.zeros(4, 6).t(),
    "conjugate": lambda: torch.zeros(3, dtype=torch.complex64).conj(),
    "float8": lambda: torch.zeros(3, dtype=torch.float8_e5m2),
    "bfloat16": lambda: torch.zeros(3, dtype=torch.bfloat16),
    "meta": lambda: torch.zeros(5, 2, device="meta"),
    "sparse": lambda: torch.eye(3).to_sparse(),
    "csr": lambda: torch.eye(3).to_sparse_csr(),
    "csc": lambda: torch.eye(3).to_sparse_csc(),
    "bsr": lambda: torch.eye(4).to_sparse_bsr((2, 2)),
    "subclass": lambda: torch.zeros(2, 3).as_subclass(Subclass),
    "parameter": lambda: nn.Parameter(torch.zeros(2)),
    "frozen": lambda: nn.Parameter(torch.zeros(2), requires_grad=False),
    "parameter with state": lambda: with_state(no_decay=True, groups=[1, 2]),
    "parameter of a subclass": lambda: subclass(True),
    "frozen parameter of a subclass": lambda: subclass(False),
    "subclass of parameter": lambda: Own(torch.zeros(2)),
    "sparse parameter": lambda: nn.Parameter(torch.eye(3).to_sparse()),
    "meta parameter": lambda: nn.Parameter(torch.zeros(3, device="meta")),
}


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.parametrize("kind", TENSORS)
def test_tensors(kind, tmp_path):
    path = str(tmp_path / "state.pt")
    torch.save({"t": TENSORS[kind]()}, path)
    with torch.serialization.safe_globals([Subclass, Own]):
        loaded = torch.load(path, weights_only=False)["t"]
    (found,) = read(path).parameters
    assert found.shape == tuple(loaded.shape)
    assert found.dtype == str(loaded.dtype).removeprefix("torch.")
    assert found.inferred is not isinstance(loaded, nn.Parameter)
    assert found.trainable == (loaded.requires_grad if isinstance(loaded, nn.Parameter) else None)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_tensors_that_cannot_be_parameters(tmp_path):
    path = str(tmp_path / "state.pt")
    jagged = [torch.zeros(2, 3), torch.zeros(1, 3)]
    state = {
        "weight": torch.zeros(2),
        "steps": torch.tensor(3),
        "mask": torch.zeros(3, dtype=torch.bool),
        "uint16": torch.zeros(3, dtype=torch.uint16),
        "qint8": quantised(True),
        "quint8": quantised(False),
        "known": nn.Buffer(torch.zeros(2)),
    }
    torch.save(state, path)
    assert read(path).buffers == tuple(list(state)[1:])
    nested = {
        "nested": torch.nested.nested_tensor(jagged),
        "jagged": torch.nested.nested_tensor(jagged, layout=torch.jagged),
    }
    torch.save({**nested, "weight": torch.zeros(3)}, path)
    assert [(p.name, p.shape, p.dtype) for p in read(path).parameters] == [
        ("nested", None, "float32"),
        ("jagged", None, "float32"),
        ("weight", (3,), "float32"),
    ]


@pytest.mark.parametrize("trains", [True, False])
def test_distributed_tensors_have_their_global_shape(trains, tmp_path):
    if not torch.distributed.is_available():
        pytest.skip("torch without distributed")
    from torch.distributed.tensor import Shard, distribute_tensor, init_device_mesh
    from torch.testing._internal.distributed.fake_pg import FakeStore

    path = str(tmp_path / "state.pt")
    torch.distributed.init_process_group("fake", rank=0, world_size=2, store=FakeStore())
    try:
        mesh = init_device_mesh("cpu", (2,))
        whole = distribute_tensor(torch.zeros(6, 3), mesh, [Shard(0)])
        torch.save({"a": whole, "p": nn.Parameter(whole, requires_grad=trains)}, path)
    finally:
        torch.distributed.destroy_process_group()
    plain, parameter = read(path).parameters
    assert plain.shape == parameter.shape == (6, 3)
    assert (plain.trainable, parameter.trainable) == (None, trains)
    assert (plain.inferred, parameter.inferred) == (True, False)


def test_ties_are_of_one_storage_place_and_size(tmp_path):
    base, scale = torch.zeros(4, 6), torch.tensor(1.0)
    state = {
        "a": base, "b": base, "same": base.view(4, 6), "part": base[1:], "turned": base.t(),
        "other": torch.zeros(4, 6), "empty": base[:0], "empty too": base[:0],
        "scale": scale, "scale too": scale.detach(), "corner": base[0, 0],
    }  # fmt: skip
    path = str(tmp_path / "state.pt")
    torch.save(state, path)
    assert [p.names for p in read(path).parameters] == [
        ("a", "b", "same"), ("part",), ("turned",), ("other",), ("empty",), ("empty too",),
        ("scale", "scale too"), ("corner",),
    ]  # fmt: skip


class Tree(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 3)
        self.head = nn.Linear(3, 7, bias=False)
        self.head.weight = self.table.weight
        self.norm = nn.BatchNorm1d(3)
        self.norm.weight.requires_grad = False
        self.lora = nn.Parameter(torch.zeros(2, 3).as_subclass(Subclass), requires_grad=False)
        self.tagged = with_state(tag=1)
        self.config = {"mean": np.zeros(3), "lr": np.float32(0.1)}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_whole_modules_with_all_of_it(protocol, tmp_path):
    path = str(tmp_path / "model.pt")
    torch.save(Tree(), path, pickle_protocol=protocol)
    stored, live = read(path), inventory_of(Tree())
    assert stored.parameters == live.parameters
    assert stored.buffers == live.buffers


def test_a_module_that_is_saved_frozen_says_nothing_about_training(tmp_path):
    path = str(tmp_path / "model.pt")
    torch.save(Tree().requires_grad_(False), path)
    inventory = read(path)
    assert all(p.trainable is None for p in inventory.parameters)
    assert any("saved frozen" in remark for remark in inventory.remarks)


def test_lazy_modules(tmp_path):
    path = str(tmp_path / "model.pt")
    model = nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d())
    torch.save(model, path)
    stored = [(p.name, p.shape, p.trainable) for p in read(path).parameters]
    assert stored == [(p.name, p.shape, p.trainable) for p in inventory_of(model).parameters]


@pytest.mark.parametrize("order", ["little", "big", None])
def test_the_byte_order_changes_no_fact(order, tmp_path):
    path, other = tmp_path / "a.pt", tmp_path / "b.pt"
    torch.save({"a": torch.arange(4.0), "b": torch.zeros(2, dtype=torch.float16)}, path)
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("/byteorder"):
                if order is None:
                    continue
                content = order.encode()
            target.writestr(name, content)
    loaded = torch.load(other)
    assert [(p.name, p.shape) for p in read(str(other)).parameters] == [
        (name, tuple(t.shape)) for name, t in loaded.items()
    ]
    assert read(str(other)).parameters == read(str(path)).parameters


def state_of(value, protocol):
    return state_dict.inventory_of(machine.run(pickle.dumps(value, protocol))[0])


@pytest.mark.parametrize("protocol", range(6))
def test_storages_inside_plain_pickles(protocol):
    shared = nn.Parameter(torch.zeros(2, 5))
    state = {
        "a": torch.zeros(3, 4, dtype=torch.float16),
        "long": torch.zeros(70_000),
        "b": shared,
        "tied": shared,
        "steps": torch.tensor(3),
    }
    inventory = state_of(state, protocol)
    assert [(p.names, p.shape, p.dtype) for p in inventory.parameters] == [
        (("a",), (3, 4), "float16"),
        (("long",), (70_000,), "float32"),
        (("b", "tied"), (2, 5), "float32"),
    ]
    assert inventory.buffers == ("steps",)


@pytest.mark.parametrize("protocol", range(6))
def test_numpy_inside_plain_pickles(protocol):
    state = {
        "a": np.zeros((3, 4), np.float32),
        "swapped": np.zeros((2, 2), ">f8"),
        "columns": np.zeros((2, 3), np.float16, order="F"),
        "view": np.zeros((4, 6), np.float32)[::2],
        "complex": np.zeros(2, np.complex64),
        "large": np.zeros((300, 300), np.float32),
        "steps": np.zeros(3, np.int64),
        "flag": np.zeros(3, bool),
        "epoch": np.int64(3),
        "best": np.float64(0.5),
        "names": np.array(["a", "b"]),
        "objects": np.array([None, {}], dtype=object),
    }
    inventory = state_of(state, protocol)
    assert [(p.name, p.shape, p.dtype) for p in inventory.parameters] == [
        (name, state[name].shape, state[name].dtype.newbyteorder("=").name)
        for name in ("a", "swapped", "columns", "view", "complex", "large")
    ]
    assert inventory.buffers == ("steps", "flag")


def test_numpy_inside_torch_files(tmp_path):
    path = str(tmp_path / "state.pt")
    torch.save({"model": {"w": np.zeros((2, 3), np.float32)}, "best": np.float64(1)}, path)
    inventory = read(path)
    assert inventory.key == "model"
    assert inventory.by_name["w"].shape == (2, 3)


def test_a_pickle_of_large_tensors_is_passed_over():
    """Their bytes are neither kept nor read: under a hundredth of the stream is."""
    stream = io.BytesIO()
    pickle.dump({f"{i}.weight": torch.zeros(1 << 20) for i in range(20)}, stream, protocol=4)
    from grouper.model.files.file import File

    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"large-{os.getpid()}.pkl")
    with open(path, "wb") as out:
        out.write(stream.getvalue())
    try:
        with File(path) as file:
            root, _ = machine.run(file)
            assert len(state_dict.inventory_of(root).parameters) == 20
            assert file.bytes_read < file.size / 100
    finally:
        os.unlink(path)
