"""Files cut short, flipped, or changed under the reader: an inventory or one finding, always."""

import os
import random
import struct
import zipfile
from pathlib import Path

import pytest
from support.hostile import (
    archive,
    dict_of,
    doubling_modules,
    entry,
    local,
    module,
    name,
    tensor,
    text,
    wide_end,
)

from grouper.model.errors import ModelError
from grouper.model.files.file import File
from grouper.model.files.zip import directory
from grouper.model.formats import torch_zip
from grouper.model.inventory import Inventory
from grouper.model.read import read

ROOT = Path(__file__).parents[2]
STATE = b"\x80\x02" + dict_of([("a.weight", tensor()), ("a.bias", tensor("1"))]) + b"."
WHOLE = (
    b"\x80\x02}("
    + text("model")
    + module(
        dict_of([("a", module(parameters=dict_of([("weight", tensor()), ("bias", b"N")])))]),
        dict_of([("scale", name("torch._utils", "_rebuild_parameter") + tensor() + b"\x88N\x87R")]),
    )
    + text("epoch")
    + b"K\x03u."
)
PICKLES = {"state dict": STATE, "module": WHOLE, "shared modules": doubling_modules(3)}


def ending(path):
    """The code of the finding, None for an inventory; anything else passes through, and fails."""
    try:
        inventory = read(str(path))
    except ModelError as error:
        return error.finding.code.id
    assert isinstance(inventory, Inventory)
    return None


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("kind", PICKLES)
def test_cut_short_at_every_byte(kind, method, tmp_path):
    path = tmp_path / "cut.pt"
    whole = Path(archive(path, PICKLES[kind], method, version="3\n")).read_bytes()
    assert ending(path) is None
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert ending(path) in ("GR401", "GR402"), length


@pytest.mark.parametrize("kind", PICKLES)
def test_pickles_cut_short_at_every_byte(kind, tmp_path):
    path = tmp_path / "cut.pt"
    for length in range(len(PICKLES[kind])):
        archive(path, PICKLES[kind][:length])
        assert ending(path) == "GR402", length


def flipped(content, seed, most=4):
    """Content with a few of its bits flipped."""
    random_ = random.Random(seed)
    changed = bytearray(content)
    for _ in range(random_.randint(1, most)):
        changed[random_.randrange(len(changed))] ^= 1 << random_.randrange(8)
    return bytes(changed)


@pytest.mark.parametrize("kind", PICKLES)
def test_every_bit_of_a_pickle_flipped(kind, tmp_path):
    path = tmp_path / "flipped.pt"
    content = PICKLES[kind]
    for bit in range(8 * len(content)):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        archive(path, bytes(changed))
        ending(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_thousands_of_flipped_archives(method, tmp_path):
    path = tmp_path / "flipped.pt"
    content = Path(archive(path, WHOLE, method, version="3\n")).read_bytes()
    endings = set()
    for seed in range(3000):
        path.write_bytes(flipped(content, seed))
        endings.add(ending(path))
    assert {None, "GR402"} <= endings


def test_flipped_checkpoints(tmp_path):
    path = tmp_path / "flipped.pt"
    content = (ROOT / "examples" / "yolov5s.pt").read_bytes()
    for seed in range(60):
        path.write_bytes(flipped(content, seed, 64))
        ending(path)


def test_a_file_that_shrinks_while_it_is_read(tmp_path):
    path = tmp_path / "shrinks.pt"
    archive(path, STATE, data=b"x" * 100_000)
    for size in (0, 10, 100, 5000):
        os.truncate(path, 0)
        archive(path, STATE, data=b"x" * 100_000)
        with File(str(path)) as file:
            os.truncate(path, size)
            with pytest.raises(ModelError) as caught:
                directory(file)
        assert caught.value.finding.code.id == "GR402"


def test_a_file_that_grows_while_it_is_read_is_read_as_it_was(tmp_path):
    path = archive(tmp_path / "grows.pt", STATE)
    with File(path) as file:
        with open(path, "ab") as more:
            more.write(b"PK\5\6" + b"\0" * 18)
        assert [*directory(file)] == ["archive/data.pkl"]


@pytest.mark.parametrize("size", [10_000, 10_000_000_000])
def test_of_a_file_of_10_gb_as_little_is_read_as_of_a_small_one(size, tmp_path):
    path = tmp_path / "sparse.pt"
    described, held = b"archive/data.pkl", b"archive/data/0"
    head = local(described, STATE)
    wide = struct.pack("<HHQQ", 1, 16, size, size)
    listed = entry(described, 0, len(STATE))
    listed += entry(held, len(head), 0xFFFFFFFF, extra=wide)
    with open(path, "wb") as out:
        out.write(head + local(held, b""))
        start = out.seek(size, os.SEEK_CUR)
        out.write(listed + wide_end(2, start, len(listed)))
    with File(str(path)) as file:
        assert len(torch_zip.read(file, None).parameters) == 2
        assert file.bytes_read < 70_000  # the end of the archive is looked for in 64 KiB
    assert ending(path) is None


def test_memory_that_runs_out_is_a_limit(tmp_path, monkeypatch):
    path = archive(tmp_path / "a.pt", STATE)
    for error, code in ((MemoryError, "GR403"), (RecursionError, "GR403"), (KeyError, "GR402")):

        def fail(*_, error=error):
            raise error

        monkeypatch.setattr(torch_zip, "directory", fail)
        assert ending(path) == code


def test_names_of_files_are_only_compared(tmp_path, monkeypatch):
    """A climbing or absolute name neither opens nor makes a file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inside").mkdir()
    with zipfile.ZipFile("inside/a.pt", "w") as file:
        file.writestr("../archive/data.pkl", STATE)
        file.writestr("../../evil", b"x")
        file.writestr(str(tmp_path / "absolute"), b"x")
    before = sorted(tmp_path.rglob("*"))
    assert ending(tmp_path / "inside" / "a.pt") in (None, "GR401", "GR404")
    assert sorted(tmp_path.rglob("*")) == before
