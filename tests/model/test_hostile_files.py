"""Files made to harm: each gives an inventory or one finding, and nothing of it runs."""

import contextlib
import os
import pickle
import random
import struct
import sys
import time
import zipfile
from pathlib import Path

import pytest
from support.preload import preload

from grouper.model.errors import ModelError
from grouper.model.pickle import machine
from grouper.model.pickle.opcodes import TABLE
from grouper.model.read import read

ROOT = Path(__file__).parents[2]
preload("grouper.model")
CANARY = "GROUPER_CANARY"


def archive(path, data, **members):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", data)
        for name, content in members.items():
            file.writestr(f"archive/{name}", content)
    return str(path)


def refused(path, limit=5):
    """The code of the one finding that reading ends in."""
    start = time.perf_counter()
    before = set(sys.modules)
    with pytest.raises(ModelError) as caught:
        read(path)
    assert time.perf_counter() - start < limit
    assert not os.environ.get(CANARY)
    assert not {name for name in set(sys.modules) - before if not name.startswith("encodings")}
    return caught.value.finding.code.id


SET = f"__import__('os').environ.__setitem__({CANARY!r}, '1')"


class Evil:
    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


def call(module, name, *arguments):
    """A pickle that calls module.name(*arguments), by every opcode that can."""
    items = b"".join(b"X" + struct.pack("<I", len(a)) + a.encode() for a in arguments)
    name_ = module.encode() + b"\n" + name.encode() + b"\n"
    return {
        "REDUCE": b"\x80\x02c" + name_ + b"(" + items + b"tR.",
        "NEWOBJ": b"\x80\x02c" + name_ + b"(" + items + b"t\x81.",
        "NEWOBJ_EX": b"\x80\x04c" + name_ + b"(" + items + b"t}\x92.",
        "OBJ": b"(c" + name_ + items + b"o.",
        "INST": b"(" + items + b"i" + name_ + b".",
        "STACK_GLOBAL": (
            b"\x80\x04"
            + b"".join(b"\x8c" + bytes([len(t)]) + t.encode() for t in (module, name))
            + b"\x93("
            + items
            + b"tR."
        ),
        "BUILD": b"\x80\x02c" + name_ + b"(" + items + b"tR}b.",
    }


@pytest.mark.parametrize("opcode", call("builtins", "eval", SET))
@pytest.mark.parametrize("module", ["builtins", "__builtin__", "os"])
def test_nothing_is_called(opcode, module, tmp_path):
    name = "system" if module == "os" else "eval"
    argument = f"touch {tmp_path / 'touched'}" if module == "os" else SET
    data = call(module, name, argument)[opcode]
    assert refused(archive(tmp_path / "evil.pt", data)) == "GR401"
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("protocol", range(6))
def test_the_canary_would_sing(protocol, tmp_path):
    """The payloads do run where pickles are run; here they do not."""
    data = pickle.dumps(Evil(eval, (SET,)), protocol)
    assert refused(archive(tmp_path / "evil.pt", data)) == "GR401"
    pickle.loads(data)
    assert os.environ.pop(CANARY) == "1"


BOMBS = {
    "deep tuple as a key": b"\x80\x02})" + b"\x85" * 1_000_000 + b"K\x01s.",
    "a million marks": b"(" * 1_000_000 + b".",
    "huge memo slot": b"\x80\x02Nr\xff\xff\xff\xff.",
    "memo slot out of range": b"\x80\x02Np99999999999999999999\n.",
    "huge bytes": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b".",
    "huge text": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b".",
    "huge frame": b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b"N.",
    "negative long": b"\x80\x02\x8b" + struct.pack("<i", -5) + b".",
    "extension registry": b"\x80\x02\x82\x01.",
    "out-of-band buffer": b"\x80\x05\x97.",
    "state for a dict": b"\x80\x02}}b.",
    "items of a number": b"\x80\x02K\x01K\x02K\x03s.",
    "append to a number": b"\x80\x02K\x01K\x02a.",
    "odd items": b"\x80\x02}(K\x01u.",
    "global by numbers": b"\x80\x04K\x01K\x02\x93.",
    "unknown opcode": b"\xff.",
    "empty": b"",
    "no stop": b"\x80\x02N",
    "pops nothing": b"0.",
    "recalls nothing": b"h\x07.",
    "billion laughs": b"\x80\x02]q\x00"
    + b"".join(
        b"]q" + bytes([i + 1]) + b"(" + b"h" + bytes([i]) + b"h" + bytes([i]) + b"e"
        for i in range(60)
    )
    + b".",
    "dict in itself": b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.",
    "long decimal": b"L" + b"9" * 400 + b"L\n.",
    "invalid text": b"X\x02\x00\x00\x00\xff\xfe.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_do_not_go_off(name, tmp_path):
    assert refused(archive(tmp_path / "bomb.pt", BOMBS[name])) in ("GR401", "GR402", "GR403")


def modules(children):
    """A pickled module whose `_modules` hold the given pickled values."""
    head = b"cm\nM\n)\x81"
    keys = b"".join(b"X\x01\x00\x00\x00" + bytes([97 + i]) + c for i, c in enumerate(children))
    return head + b"}(X\x0b\x00\x00\x00_parameters}X\x08\x00\x00\x00_modules}(" + keys + b"uub"


def test_a_module_that_holds_itself(tmp_path):
    data = (
        b"\x80\x02cm\nM\n)\x81q\x00}(X\x0b\x00\x00\x00_parameters}X\x08\x00\x00\x00_modules}"
        b"X\x01\x00\x00\x00ah\x00sub."
    )
    assert refused(archive(tmp_path / "loop.pt", data)) == "GR403"


def test_modules_that_share_their_children_without_end(tmp_path):
    inner = modules([])
    data = b"\x80\x02" + inner + b"q\x00"
    for i in range(60):
        child = b"h" + bytes([i])
        data += modules([child, child]) + b"q" + bytes([i + 1])
    assert refused(archive(tmp_path / "dag.pt", data + b"."), limit=20) == "GR403"


def test_archives_that_lie(tmp_path):
    path = tmp_path / "twice.pt"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", b"N.")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("archive/data.pkl", b"N.")
    assert refused(str(path)) == "GR403"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", b"N.")
        file.writestr("archive/DATA.PKL", b"N.")
    assert refused(str(path)) == "GR403"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", b"]" * 300_000_000)
    assert refused(str(path)) == "GR403"
    assert refused(archive(path, b"N.", **{"../../evil": b""})) == "GR401"


OTHERS = {
    "empty": (b"", "GR402"),
    "text": (b"hello", "GR401"),
    "page": (b"<!DOCTYPE html><html>not found</html>", "GR404"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "GR404"),
    "gguf": (b"GGUF" + b"\0" * 100, "GR404"),
    "gzip": (b"\x1f\x8b" + b"\0" * 100, "GR404"),
    "json": (b'{"a": 1}', "GR401"),
    "deep json": (b'{"a":' * 100_000, "GR401"),
    "zip of nothing": (b"PK\3\4" + b"\0" * 100, "GR402"),
    "legacy": (b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "GR402"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_files_are_refused_in_words(name, tmp_path):
    content, code = OTHERS[name]
    path = tmp_path / "file.pt"
    path.write_bytes(content)
    assert refused(str(path)) == code


def test_what_is_no_file(tmp_path):
    assert refused(str(tmp_path)) == "GR401"
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert refused(str(fifo)) == "GR401"
    assert refused("/dev/zero") == "GR401"
    with pytest.raises(FileNotFoundError):
        read(str(tmp_path / "none"))


def endings(path, content):
    """Read changed content; an inventory or a ModelError, never anything else."""
    path.write_bytes(content)
    with contextlib.suppress(ModelError):
        read(str(path))


def test_files_cut_short_anywhere(tmp_path):
    whole = (ROOT / "examples" / "yolov5s.pt").read_bytes()
    path = tmp_path / "cut.pt"
    for length in [*range(200), *range(200, len(whole), 997)]:
        endings(path, whole[:length])


def test_flipped_bytes(tmp_path):
    small = archive(tmp_path / "small.pt", pickle.dumps({"a": [1, 2.5, ("x", None)]}, 2))
    contents = [
        Path(small).read_bytes(),
        (ROOT / "examples" / "yolov5s.pt").read_bytes(),
    ]
    path = tmp_path / "flipped.pt"
    for seed in range(400):
        random_ = random.Random(seed)
        content = bytearray(contents[seed % 8 == 0])
        for _ in range(random_.randint(1, 8)):
            content[random_.randrange(len(content))] = random_.randrange(256)
        endings(path, bytes(content))


def test_random_pickles_end_in_pickle_errors():
    opcodes = bytes(code for code in range(256) if TABLE[code]) + b"."
    for seed in range(3000):
        random_ = random.Random(seed)
        data = bytes(random_.choice(opcodes) for _ in range(random_.randint(1, 60)))
        try:
            machine.run(data)
        except machine.PickleError:
            continue


def test_no_tensor_is_read():
    from grouper.model.files.file import File
    from grouper.model.formats.torch_zip import read as read_zip

    with File(str(ROOT / "examples" / "yolov5s.pt")) as file:
        read_zip(file, None)
        tensors = file.size - file.bytes_read
    assert tensors > 0
    from grouper.model.files.zip import directory

    with File(str(ROOT / "examples" / "yolov5s.pt")) as file:
        entries = directory(file)
        before = file.bytes_read
        description = entries[
            "archive/data.pkl" if "archive/data.pkl" in entries else next(iter(entries))
        ]
    with File(str(ROOT / "examples" / "yolov5s.pt")) as file:
        read_zip(file, None)
        assert file.bytes_read <= before + description.compressed + 200
