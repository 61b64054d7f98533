"""Files of ten gigabytes, made of holes: as fast as small ones, and by next to none of their bytes.

torch itself writes the checkpoints, whose tensors it leaves out.
"""

import json
import os
import time
from statistics import median

import pytest

torch = pytest.importorskip("torch")

from torch._subclasses.fake_tensor import FakeTensorMode  # noqa: E402
from torch.serialization import skip_data  # noqa: E402

import grouper  # noqa: E402
from grouper.model.read import read  # noqa: E402

LAYERS = 50
LARGE, SMALL = 200 << 20, 200 << 10  # bytes of a layer: 10 GB and 10 MB together
RULES = grouper.parse("layers.{0..9}.* -> first lr=0.1\nelse -> rest lr=0.01")

pytestmark = pytest.mark.skipif(not hasattr(os, "pread"), reason="bytes are counted in pread")


def checkpoint(path, size):
    with FakeTensorMode(), skip_data(materialize_fake_tensors=True):
        state = {f"layers.{i}.weight": torch.empty(size // 4096, 1024) for i in range(LAYERS)}
        torch.save({"model": state, "epoch": 3}, path)


def safetensors(path, size):
    header = {
        f"layers.{i}.weight": {
            "dtype": "F32",
            "shape": [size // 4096, 1024],
            "data_offsets": [i * size, (i + 1) * size],
        }
        for i in range(LAYERS)
    }
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + LAYERS * size)


def distributed(path, size):
    """A folder of torch.distributed.checkpoint: one file of data, and what describes it."""
    from torch.distributed.checkpoint import FileSystemWriter, save

    state = {f"layers.{i}.weight": torch.empty(4, 1024) for i in range(LAYERS)}
    save({"model": state}, storage_writer=FileSystemWriter(path), no_dist=True)
    with (path / "__0_0.distcp").open("r+b") as file:
        file.truncate(LAYERS * size)


WRITERS = {"torch": checkpoint, "safetensors": safetensors, "distributed": distributed}


@pytest.fixture(params=WRITERS)
def files(request, tmp_path):
    """A large and a small model of one format."""
    for name, size in (("large", LARGE), ("small", SMALL)):
        WRITERS[request.param](tmp_path / name, size)
    large = tmp_path / "large"
    parts = list(large.iterdir()) if large.is_dir() else [large]
    if sum(part.stat().st_blocks for part in parts) * 512 > LARGE:
        pytest.skip("files here have no holes")
    assert sum(part.stat().st_size for part in parts) >= LAYERS * LARGE
    return str(large), str(tmp_path / "small")


def counted(path, monkeypatch):
    """The bytes that are read from the disk, and the report."""
    count, pread = 0, os.pread

    def counting(descriptor, length, offset):
        nonlocal count
        content = pread(descriptor, length, offset)
        count += len(content)
        return content

    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", counting)
        report = grouper.check(path, RULES)
    return count, report


def seconds(path):
    start = time.perf_counter()
    read(path)
    return time.perf_counter() - start


def test_ten_gigabytes_are_checked_by_the_bytes_of_ten_megabytes(files, monkeypatch):
    large, small = files
    count, report = counted(large, monkeypatch)
    assert 0 < count < 200_000 < LAYERS * LARGE / 100
    assert count <= counted(small, monkeypatch)[0] * 1.2 + 4096
    assert report.ok
    assert [len(group.parameters) for group in report.grouping.groups] == [10, 40]


def test_ten_gigabytes_take_the_time_of_ten_megabytes(files):
    large, small = files
    ratios = [seconds(large) / seconds(small) for _ in range(9)]
    assert median(ratios) < 2


def test_ten_gigabytes_from_a_server(tmp_path):
    pytest.importorskip("aiohttp")
    from support.range_server import serving

    for name, write in (("torch", checkpoint), ("safetensors", safetensors)):
        write(tmp_path / name, LARGE)
        with serving(tmp_path) as server:
            there, here = read(server.url(name)), read(str(tmp_path / name))
            assert there.parameters == here.parameters
            assert server.sent < 300_000
            assert len(server.asked) <= 4
