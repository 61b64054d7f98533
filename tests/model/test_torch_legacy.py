"""torch's files before 1.6, against torch's own loading."""

import io
import pickle
import random
import struct

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from grouper.model.errors import ModelError  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402
from grouper.model.read import read  # noqa: E402


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, 4)
        self.blocks = nn.Sequential(nn.Conv1d(4, 4, 3), nn.BatchNorm1d(4), nn.LSTM(4, 4))
        self.head = nn.Linear(4, 10)
        self.head.weight = self.embedding.weight
        self.head.bias.requires_grad = False


def save(value, path, **options):
    torch.save(value, path, _use_new_zipfile_serialization=False, **options)
    return str(path)


def facts(inventory):
    return [(p.names, p.shape, p.dtype, p.trainable, p.stored) for p in inventory.parameters]


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
def test_whole_modules_of_every_protocol(protocol, tmp_path):
    model = Model()
    path = save({"model": model, "epoch": 3}, tmp_path / "m.pt", pickle_protocol=protocol)
    found, live = read(path), inventory_of(model)
    assert facts(found) == facts(live)
    assert found.buffers == live.buffers
    assert {p: m.cls for p, m in found.modules.items()} == {
        p: m.cls for p, m in live.modules.items()
    }
    assert found.key == "model"


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
def test_state_dicts_of_every_protocol(protocol, tmp_path):
    state = Model().state_dict()
    path = save(state, tmp_path / "m.pth", pickle_protocol=protocol)
    found, loaded = read(path), torch.load(path, weights_only=protocol == 2)
    names = [name for p in found.parameters for name in p.names] + list(found.buffers)
    assert sorted(names) == sorted(loaded)
    for p in found.parameters:
        assert (p.shape, f"torch.{p.dtype}") == (
            tuple(loaded[p.name].shape),
            str(loaded[p.name].dtype),
        )
    (tied,) = (p for p in found.parameters if p.tied)
    assert tied.names == ("embedding.weight", "head.weight")


def test_what_torch_writes_and_cannot_read(tmp_path):
    """Protocol 0 has its references as text: the shapes are there, the dtypes are not."""
    state = Model().state_dict()
    path = save(state, tmp_path / "m.pt", pickle_protocol=0)
    with pytest.raises(AssertionError, match="saved_id"):
        torch.load(path, weights_only=False)
    for p in read(path).parameters:
        assert (p.shape, p.dtype) == (tuple(state[p.name].shape), None)


def test_the_same_as_the_newer_format(tmp_path):
    model = Model()
    torch.save({"state_dict": model.state_dict()}, tmp_path / "new.pt")
    new = read(str(tmp_path / "new.pt"))
    old = read(save({"state_dict": model.state_dict()}, tmp_path / "old.pt"))
    assert (old.parameters, old.buffers, old.remarks) == (new.parameters, new.buffers, new.remarks)


def test_storages_that_are_parts_of_others(tmp_path):
    """As torch before 0.4 wrote them: the reference names the whole one, and the part of it."""
    whole = torch.arange(6.0).untyped_storage()

    class Part(pickle.Pickler):
        def persistent_id(self, value):
            if not isinstance(value, tuple) or value[:1] != ("part",):
                return None
            key, start = f"{value[1]}", value[1]
            return ("storage", torch.FloatStorage, "7", "cpu", 6, (key, start, 3))

    class Tensor:
        def __init__(self, start):
            self.start = start

        def __reduce__(self):
            storage = ("part", self.start)
            return torch._utils._rebuild_tensor_v2, (storage, 0, (3,), (1,), False, {})

    file = io.BytesIO()
    for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(value, file, 2)
    names = {"a": 0, "b": 3, "c": 3}
    Part(file, 2).dump({name: Tensor(start) for name, start in names.items()})
    pickle.dump(["7"], file, 2)
    file.write(struct.pack("<q", 6) + bytes(whole))
    path = tmp_path / "m.pt"
    path.write_bytes(file.getvalue())
    loaded = torch.load(path, weights_only=False)
    assert [loaded[name].tolist() for name in names] == [[0, 1, 2], [3, 4, 5], [3, 4, 5]]
    assert [p.names for p in read(str(path)).parameters] == [("a",), ("b", "c")]


def content(value):
    file = io.BytesIO()
    save(value, file)
    return file.getvalue()


def test_cut_short_in_the_description_is_seen(tmp_path):
    whole = content({"a.weight": torch.zeros(3)})
    path = tmp_path / "m.pt"
    for length in range(len(whole) - 12):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError) as caught:
            read(str(path))
        assert caught.value.finding.code.id in ("GR401", "GR402", "GR404")


def test_flipped_bytes(tmp_path):
    whole = content(Model())
    path = tmp_path / "m.pt"
    endings = set()
    for seed in range(300):
        random_ = random.Random(seed)
        changed = bytearray(whole)
        for _ in range(random_.randint(1, 6)):
            changed[random_.randrange(len(changed))] = random_.randrange(256)
        path.write_bytes(changed)
        try:
            read(str(path))
            endings.add("read")
        except ModelError as error:
            endings.add(error.finding.code.id)
    assert {"read", "GR402"} <= endings


MAGIC = content(1)[:15]
STRANGE = {
    "another version": b"K\x01.}.N.].",
    "a list for the machine": b"M\xe9\x03.].N.].",
    "a dict for the keys": b"M\xe9\x03.}.}.}.",
    "more storages than bytes": b"M\xe9\x03.}.}.](X\1\0\0\0aX\1\0\0\0be.",
    "no more pickles": b"",
    "a bomb in the machine": b"M\xe9\x03." + b"(" * 1_000_000,
}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_files_are_refused(name, tmp_path):
    path = tmp_path / "m.pt"
    assert MAGIC.endswith(b".")
    path.write_bytes(MAGIC + STRANGE[name])
    with pytest.raises(ModelError) as caught:
        read(str(path))
    assert caught.value.finding.code.id in ("GR402", "GR403")


def test_no_tensor_is_read(tmp_path):
    from grouper.model.files.file import File
    from grouper.model.formats import torch_legacy

    path = save({"a.weight": torch.zeros(1000, 1000)}, tmp_path / "m.pt")
    with File(path) as file:
        torch_legacy.read(file, None)
        assert file.bytes_read < 400_000 < file.size
