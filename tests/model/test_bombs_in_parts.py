"""Folders, archives with sources and files of several pickles that ask for too much together."""

import json
import os
import struct
import zipfile

import pytest
from support.hostile import archive, dict_of, get, name, put, tensor, text
from support.pickle_bombs import confined_reading, judge

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux")
START = b"\x80\x02"
FLOOD = b"(" + b"N\x85" * 2_400_000 + b"t"  # nearly all the opcodes that a model may have
PRIME = 2**61 - 1  # numbers that differ by it have one hash
METADATA = "torch.distributed.checkpoint.metadata"


def shards(folder):
    """Each pickle is within the limits of one."""
    files = {f"w{i}": f"{i}.bin" for i in range(12)}
    for key, file in files.items():
        archive(folder / file, START + FLOOD + b"0" + dict_of([(key, tensor(key))]) + b".")
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": files}))


def one_wide_shard(folder):
    pairs = dict_of((f"{i:x}", get(0)) for i in range(400_000))
    archive(folder / "0.bin", START + tensor() + put(0) + b"0" + pairs + b".")
    index = {"weight_map": {"0": "0.bin"}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))


def safetensors(path, header, length):
    content = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    path.write_bytes(struct.pack("<Q", len(content)) + content + bytes(length))


def shards_with_names(folder):
    files = {}
    for part in range(6):
        names = [f"{part}.{i}\U0001f600{'a' * 900}" for i in range(3000)]
        places = {n: {"dtype": "U8", "shape": [1], "data_offsets": [i, i + 1]} for i, n in
                  enumerate(names)}  # fmt: skip
        safetensors(folder / f"{part}.safetensors", places, len(names))
        files[names[0]] = f"{part}.safetensors"
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))


def ranks(folder):
    """What is not a tensor takes its time, too."""
    metadata = {f"k{i}": "" for i in range(300_000)}
    metadata["DCP_SHARDING_INFO"] = json.dumps({"a": {"saved_offsets": [0]}})
    header = {"__metadata__": metadata, "a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}
    first = folder / "shard-00001-model-00001-of-00001.safetensors"
    safetensors(first, header, 1)
    for i in range(2, 31):
        os.link(first, folder / f"shard-{i:05}-model-00001-of-00001.safetensors")


def long_rank(folder):
    header = {"__metadata__": {"DCP_SHARDING_INFO": "{}"},
              "a" * 9_000_000: {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}  # fmt: skip
    safetensors(folder / "shard-00001-model-00001-of-00001.safetensors", header, 1)


def _distributed(folder, before, stored, planned):
    state = b"}(" + text("state_dict_metadata") + stored + text("planner_data") + planned + b"u"
    made = name(METADATA, "Metadata") + b")\x81" + state + b"b."
    (folder / ".metadata").write_bytes(START + before + made)


def _described():
    properties = name(METADATA, "TensorProperties") + b")\x81(" + name("torch", "float32") + b"tb"
    state = b"}(" + text("properties") + properties + text("size") + b"K\x02\x85u"
    return name(METADATA, "TensorStorageMetadata") + b")\x81" + state + b"b"


def laughing_paths(folder):
    """A tuple of tuples of tuples, each twice the one below."""
    levels = b")" + put(100) + b"".join(
        b"0" + get(100 + i) * 2 + b"\x86" + put(101 + i) for i in range(40))  # fmt: skip
    stored = dict_of([("w", _described())])
    _distributed(folder, b"", stored, b"}(" + text("w") + levels + b"\x85u")


def deep_paths(folder):
    kept = _described() + put(1) + b"0" + text("a") + put(2) + b"0"
    names = [text(f"{i:x}") for i in range(150_000)]
    stored = b"}(" + b"".join(n + put(10 + i) + get(1) for i, n in enumerate(names)) + b"u"
    paths = (get(10 + i) + b"(" + get(10 + i) + get(2) * 15 + b"t" for i in range(150_000))
    _distributed(folder, kept, stored, b"}(" + b"".join(paths) + b"u")


def _program(folder, names, sizes):
    specs = [{"parameter": {"parameter_name": n}} for n in names]
    nodes = [{"metadata": {"nn_module_stack": "a,,m.Net"}}]
    graph = {"signature": {"input_specs": specs}, "graph": {"nodes": nodes}}
    meta = {"dtype": 7, "requires_grad": True, "storage_offset": 0, "strides": []}
    weights = {
        n: {
            "path_name": "p",
            "is_param": True,
            "tensor_meta": {**meta, "sizes": [{"as_int": size} for size in shape]},
        }
        for n, shape in zip(names, sizes, strict=True)
    }
    with zipfile.ZipFile(folder / "program.pt2", "w") as file:
        file.writestr("a/archive_format", "pt2")
        file.writestr("a/models/model.json", json.dumps({"graph_module": graph}))
        config = json.dumps({"config": weights})
        file.writestr("a/data/weights/model_weights_config.json", config)
    return folder / "program.pt2"


def program_of_dots(folder):
    names = [f"{i}{'.' * 4000}w" for i in range(200)]
    return _program(folder, names, [[2]] * 200)


def program_of_one_hash(folder):
    sizes = [[5 + PRIME * (i >> 2 * k & 3) for k in range(8)] for i in range(20_000)]
    return _program(folder, [f"{i}" for i in range(20_000)], sizes)


def script_with_a_line(folder):
    source = "class M(Module):\n  __parameters__ = " + "__parameters__ = [" * 50_000 + "\n"
    made = START + name("__torch__.m", "M") + b")\x81" + weight() + b"b."
    members = {"constants.pkl": START + b").", "code/__torch__/m.py": source.encode()}
    return archive(folder / "script.pt", made, **members)


def wide_script(folder):
    source = b'class M(Module):\n  __parameters__ = ["0", ]\n  __buffers__ = []\n'
    state = dict_of((f"{i:x}", get(0)) for i in range(400_000))
    made = START + tensor() + put(0) + b"0" + name("__torch__.m", "M") + b")\x81" + state + b"b."
    members = {"constants.pkl": START + b").", "code/__torch__/m.py": source}
    return archive(folder / "script.pt", made, **members)


def weight():
    return dict_of([("w", tensor())])


def five_pickles(folder):
    magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
    machine = START + b"}K\x01" + FLOOD + b"s."
    model = START + dict_of([("w", tensor()), ("x", FLOOD)]) + b"."
    keys = START + b"]" + text("0") + b"a."
    path = folder / "legacy.pt"
    path.write_bytes(magic + START + b"M\xe9\x03." + machine + model + keys + bytes(16))
    return path


def endless_line(folder):
    path = folder / "line.pkl"
    with path.open("wb") as file:
        file.write(START + b"V")
        file.truncate(4 << 30)
    return path


def wrapped_names(folder):
    header = {"module." * 100_000 + "w": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}
    safetensors(folder / "model.safetensors", header, 1)
    return folder / "model.safetensors"


def snapshot_of_huge_sizes(folder):
    parameter = '{"names": ["a"], "shape": [%s], "dtype": null, "trainable": null, "stored": "a",'
    head = '{"version": 1, "kind": "x", "key": null, "order": "module", "buffers": [],'
    rest = '"remarks": [], "modules": null, "parameters": ['
    path = folder / "snapshot.json"
    path.write_text(head + rest + parameter % ("9" * 4000) + '"inferred": false}]}')
    return path


def snapshot_of(folder, rows, buffers=""):
    head = (
        f'{{"version": 1, "kind": "x", "key": null, "order": "module",\n"buffers": [{buffers}],\n'
    )
    path = folder / "snapshot.json"
    path.write_text(head + '"remarks": [],\n"modules": null,\n"parameters": [\n' + rows + "\n]}\n")
    return path


def row(names, rest=""):
    return (
        f'{{"names": [{names}], "shape": null, "dtype": null, "trainable": null,'
        f' "stored": "a", "inferred": false{rest}}}'
    )


def snapshot_of_many_rows(folder):
    return snapshot_of(folder, ",\n".join([row('"a"')] * 300_000))


def snapshot_with_a_fault_at_its_end(folder):
    rows = [f"{row(chr(34) + f'a{i}' + chr(34))}" for i in range(240_000)]
    return snapshot_of(folder, ",\n".join([*rows, "{}"]))


def snapshot_of_one_long_row(folder):
    return snapshot_of(folder, row(",".join(f'"{i}"' for i in range(3_000_000))))


def snapshot_of_wide_names(folder):
    name = '"\\ud83d\\ude00' + "a" * 900 + '"'
    return snapshot_of(folder, ",\n".join([row(name)] * 90_000))


def snapshot_of_many_buffers(folder):
    return snapshot_of(folder, row('"a"'), ", ".join(f'"{i}"' for i in range(2_000_000)))


def snapshot_of_nothing_but_lines(folder):
    path = folder / "snapshot.json"
    path.write_bytes(b'{"version": 1,' + b"\n" * (80 << 20))
    return path


CASES = {
    snapshot_of_many_rows: None,
    snapshot_with_a_fault_at_its_end: "GR403",
    snapshot_of_one_long_row: "GR403",
    snapshot_of_wide_names: "GR403",
    snapshot_of_many_buffers: "GR403",
    snapshot_of_nothing_but_lines: "GR403",
    shards: "GR403",
    one_wide_shard: "GR403",
    shards_with_names: "GR403",
    ranks: "GR403",
    long_rank: "GR403",
    laughing_paths: None,
    deep_paths: "GR403",
    program_of_dots: "GR403",
    program_of_one_hash: None,
    script_with_a_line: "GR401",
    wide_script: "GR403",
    five_pickles: "GR403",
    endless_line: "GR403",
    wrapped_names: "GR403",
    snapshot_of_huge_sizes: "GR401",
}


@pytest.mark.slow
def test_bombs_in_parts(tmp_path):
    paths = []
    for write in CASES:
        folder = tmp_path / write.__name__
        folder.mkdir()
        paths.append(write(folder) or folder)
    expected = {write.__name__: code for write, code in CASES.items()}
    judge(confined_reading(paths), expected)
