"""safetensors files: as the safetensors library reads them, and what it refuses."""

import json
import random
import struct

import pytest

from grouper.model.errors import ModelError
from grouper.model.read import read


def written(path, header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    length = len(text) if length is None else length
    path.write_bytes(struct.pack("<Q", length) + text + data)
    return str(path)


def entry(shape, start, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def code(path, key=None):
    with pytest.raises(ModelError) as caught:
        read(path, key)
    return caught.value.finding.code.id


def test_names_are_sorted_as_people_count(tmp_path):
    names = ["l.10.w", "l.9.w", "a.w", "l.9.b", "l.100.w"]
    header = {name: entry([1], 4 * i, 4 * i + 4) for i, name in enumerate(names)}
    inventory = read(written(tmp_path / "m.safetensors", header, b"\0" * 20))
    ordered = [p.name for p in inventory.parameters]
    assert ordered == ["a.w", "l.9.b", "l.9.w", "l.10.w", "l.100.w"]
    assert inventory.order == "sorted"
    assert inventory.kind == "safetensors"
    assert all(p.trainable is None and p.inferred for p in inventory.parameters)


def test_metadata_names_tied_tensors_and_nothing_else(tmp_path):
    metadata = {"head.w": "wte.w", "format": "pt", "wte.w": "b.w", "other": "none"}
    header = {
        "__metadata__": metadata,
        "wte.w": entry([1], 0, 4),
        "b.w": entry([1], 4, 8),
    }
    inventory = read(written(tmp_path / "m.safetensors", header, b"\0" * 8))
    assert [p.names for p in inventory.parameters] == [("b.w",), ("wte.w", "head.w")]


GOOD = {"a": entry([2, 2], 0, 16), "b": entry([0, 3], 16, 16), "c": entry([], 16, 18, "F16")}
DAMAGED = {
    "overlap": {"a": entry([2], 0, 8), "b": entry([2], 4, 12)},
    "gap": {"a": entry([1], 0, 4), "b": entry([1], 8, 12)},
    "gap at the start": {"a": entry([1], 4, 8)},
    "beyond the file": {"a": entry([1 << 40], 0, 1 << 42)},
    "bytes left over": {"a": entry([1], 0, 4)},
    "backwards": {"a": entry([1], 4, 0)},
    "negative size": {"a": entry([-1], 0, 12)},
    "negative offset": {"a": entry([3], -12, 0)},
    "size over 63 bits": {"a": entry([1 << 63, 0], 0, 0)},
    "product over 64 bits": {"a": entry([1 << 62] * 40, 0, 12)},
    "too many dimensions": {"a": entry([1] * 65, 0, 4)},
    "boolean size": {"a": entry([True], 0, 4)},
    "float size": {"a": entry([3.0], 0, 12)},
    "text for a shape": {"a": {"dtype": "F32", "shape": "3", "data_offsets": [0, 12]}},
    "three offsets": {"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 4, 12]}},
    "no shape": {"a": {"dtype": "F32", "data_offsets": [0, 12]}},
    "no object": {"a": 3},
    "shape and length differ": {"a": entry([2], 0, 12)},
    "parts of a byte": {"a": entry([3], 0, 1, "F4")},
    "metadata is a list": {"__metadata__": [], "a": entry([3], 0, 12)},
    "NaN": b'{"a":{"dtype":"F32","shape":[3],"data_offsets":[NaN,12]}}',
    "Infinity": b'{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,Infinity]}}',
    "a name twice": b'{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"a":{}}',
    "a key twice": b'{"a":{"dtype":"F32","dtype":"F16","shape":[3],"data_offsets":[0,12]}}',
    "nested lists": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nested objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "digits": b'{"a":{"dtype":"F32","shape":[' + b"9" * 5000 + b'],"data_offsets":[0,12]}}',
    "no UTF-8": b'{"\xff\xfe":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}',
    "no JSON": b'{"a":{"dtype"',
    "two objects": b'{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}{"b":1}',
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_the_format_forbids_is_refused(name, tmp_path):
    assert code(written(tmp_path / "m.safetensors", DAMAGED[name], b"\0" * 12)) == "GR402"


@pytest.mark.parametrize("name", DAMAGED)
def test_the_library_refuses_it_too(name, tmp_path):
    safetensors = pytest.importorskip("safetensors")
    if name in ("a name twice", "a key twice", "too many dimensions", "size over 63 bits"):
        pytest.skip("the library does not look at it")
    content = written(tmp_path / "m.safetensors", DAMAGED[name], b"\0" * 12)
    with open(content, "rb") as file, pytest.raises(safetensors.SafetensorError):
        safetensors.deserialize(file.read())


@pytest.mark.parametrize("length", [1 << 40, (1 << 64) - 1, 100_000_001, 1000, 20, 1])
def test_lengths_of_the_header_that_lie(length, tmp_path):
    assert code(written(tmp_path / "m.safetensors", GOOD, b"\0" * 18, length)) == "GR402"


def test_cut_short_anywhere(tmp_path):
    path = tmp_path / "m.safetensors"
    written(path, GOOD, b"\0" * 18)
    content = path.read_bytes()
    assert [p.name for p in read(str(path)).parameters] == ["a", "b", "c"]
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert code(str(path)) in ("GR401", "GR402")
    path.write_bytes(content + b"\0")
    assert code(str(path)) == "GR402"


def test_flipped_bytes_end_in_an_inventory_or_a_finding(tmp_path):
    path = tmp_path / "m.safetensors"
    written(path, GOOD, b"\0" * 18)
    content = path.read_bytes()
    refused = 0
    for seed in range(1000):
        random_ = random.Random(seed)
        changed = bytearray(content)
        for _ in range(random_.randint(1, 4)):
            changed[random_.randrange(len(changed) - 18)] = random_.randrange(256)
        path.write_bytes(changed)
        try:
            read(str(path))
        except ModelError:
            refused += 1
    assert refused > 500


TOO_MUCH = {
    "lists": b'{"a":[' + b"[]," * 2_000_000 + b"[]]}",
    "objects": b'{"a":[' + b"{}," * 1_000_000 + b"{}]}",
    "numbers": b'{"a":[' + b"1," * 3_000_000 + b"1]}",
    "text that takes four bytes each": b'{"a":"'
    + b"x" * (24 << 20)
    + "\U0001f600".encode()
    + b'"}',
    "a long header": b'{"a":"' + b"x" * (33 << 20) + b'"}',
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_headers_that_would_fill_the_memory(name, tmp_path):
    assert code(written(tmp_path / "m.safetensors", TOO_MUCH[name])) == "GR403"


def test_an_unknown_dtype_is_named(tmp_path):
    path = written(tmp_path / "m.safetensors", {"a": entry([3], 0, 12, "F31")}, b"\0" * 12)
    assert code(path) == "GR404"


def test_there_is_nothing_for_a_key_to_choose(tmp_path):
    path = written(tmp_path / "m.safetensors", GOOD, b"\0" * 18)
    assert code(path, "model") == "GR405"


def test_no_tensors_are_no_model(tmp_path):
    assert code(written(tmp_path / "m.safetensors", {"__metadata__": {"format": "pt"}})) == "GR401"


def test_only_the_header_is_read(tmp_path):
    from grouper.model.files.file import File
    from grouper.model.formats import safetensors

    path = tmp_path / "huge.safetensors"
    size = 10 << 30
    written(path, {"a.w": entry([size // 4], 0, size)})
    start = path.stat().st_size
    with open(path, "r+b") as file:
        file.truncate(start + size)
    with File(str(path)) as file:
        (parameter,) = safetensors.read(file, None).parameters
        assert file.bytes_read == start
    assert parameter.numel == size // 4
