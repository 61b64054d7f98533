"""Files that ask for too much: refused within two seconds and 256 MB, without anything run."""

import os
import struct
import zipfile
import zlib

import pytest
from support.hostile import (
    archive,
    derived,
    dict_of,
    doubling_modules,
    end,
    entry,
    get,
    local,
    module,
    name,
    nested_parameters,
    nested_sparse,
    put,
    shared_lists,
    sharing,
    tensor,
    text,
    weight,
    wide_end,
    wide_modules,
    zip_of,
)
from support.pickle_bombs import SECONDS, confined_reading, judge

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux")


def flood(unit, before=b"", count=5_100_000, size=16 << 20):
    """One opcode, or a few, again and again."""
    kept = b"\x80\x02]" + put(0) + b"}" + put(1) + name("os", "system") + put(2) + text("a")
    return kept + put(3) + before + unit * min(count, size // len(unit))


FLOODS = {
    "items of a dict": (b"K\x01K\x01s", get(1)),
    "items in ones": (b"(K\x01K\x01u", get(1)),
    "globals": (b"cos\nsystem\n0", b""),
    "texts": (b"Va\n0", b""),
    "tuples": (b"N\x85", b""),
}
MORE_FLOODS = {
    "dicts": (b"(d0", b""),
    "instances": (b"(ia\nb\n0", b""),
    "short bytes": (b"C\x01a0", b""),
    "frames": (b"\x95" + b"\0" * 8, b""),
    "nothing": (b"N", b""),
    "lists": (b"]", b""),
    "strings": (b"S'a'\n0", b""),
    "integers": (b"I5\n0", b""),
    "floats": (b"F5\n0", b""),
    "longs": (b"\x8a\x01\x010", b""),
    "recalls": (get(3) + b"0", b""),
    "recalls by line": (b"g0\n0", b""),
    "kept": (b"Nr\xff\xff\x00\x000", b""),
    "kept by line": (b"Np5\n0", b""),
    "memoized": (b"N\x940", b""),
    "keywords": (get(2) + b")}\x920", b""),
    "calls": (get(2) + b")R0", b""),
    "states": (get(2) + b")R}b0", b""),
    "references": (b"Pa\n0", b""),
    "binary references": (b"NQ0", b""),
    "sets": (b"\x8f0", b""),
    "frozen sets": (b"(\x910", b""),
    "appended": (b"Na", get(0)),
    "appended in ones": (b"(Ne", get(0)),
    "long texts": (b"\x8d\x01" + b"\0" * 7 + b"a0", b""),
    "binary floats": (b"G" + b"\0" * 8 + b"0", b""),
}


def state(count, shape=b"K\x02\x85"):
    """A state dict of many tensors, its globals kept as torch keeps them."""
    kept = name("torch._utils", "_rebuild_tensor_v2") + put(0) + b"0"
    kept += name("torch", "FloatStorage") + put(1) + b"0"
    kept += name("collections", "OrderedDict") + b")R" + put(2) + b"0" + shape + put(3) + b"0"
    kept += text("storage") + put(4) + b"0" + text("cpu") + put(5) + b"0"
    storage = b"(" + get(4) + get(1) + get(4) + get(5) + b"K\x02tQ"
    one = get(0) + b"(" + storage + b"K\x00" + get(3) + get(3) + b"\x89" + get(2) + b"tR"
    return b"\x80\x02" + kept + b"}(" + b"".join(text(str(i)) + one for i in range(count)) + b"u."


WRAPPER = name("torch.nn.parallel.data_parallel", "DataParallel")


def numbers():
    """What `of_number` recalls."""
    storage = b"(" + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu")
    kept = name("torch._utils", "_rebuild_tensor_v2") + put(0) + b"0" + storage + b"K\x02tQ"
    return kept + put(1) + b"0K\x02\x85" + put(2) + b"0"


def of_number(offset):
    """A tensor that begins there in a storage that all of them share."""
    start = b"\x8a\x0a" + offset.to_bytes(10, "little")
    return get(0) + b"(" + get(1) + start + get(2) + get(2) + b"tR"


def norm():
    """A dict that is still open, with a norm in it."""
    steps = b"(" + text("storage") + name("torch", "LongStorage") + text("s") + text("cpu")
    steps = name("torch._utils", "_rebuild_tensor_v2") + b"(" + steps + b"K\x01tQK\x00))\x89)tR"
    statistics = ("n.running_mean", tensor("a")), ("n.running_var", tensor("b"))
    pairs = (*statistics, ("n.num_batches_tracked", steps))
    return b"}(" + b"".join(text(key) + value for key, value in pairs)


def one_list():
    """A list of 100,000 pairs of numbers, and what makes a dict of it."""
    pairs = b"](" + b"K\x01K\x01\x86" * 100_000 + b"e" + put(0) + b"0"
    return b"\x80\x02" + pairs + name("collections", "OrderedDict") + put(1) + b"0"


def subclasses(levels):
    """A sparse tensor of 64 dimensions, rebuilt from a subclass of a subclass of ..."""
    shape = b"(" + b"K\x02" * 64 + b"t"
    inner = tensor(shape=shape) + put(8) + b"0" + shape + put(9) + b"0"
    inner += name("torch._utils", "_rebuild_sparse_tensor") + put(10) + b"0"
    inner += b"(N(" + get(8) + get(8) + get(9) + b"tt" + put(20) + b"0"
    rebuild = name("torch._tensor", "_rebuild_from_type_v2") + put(12) + b"0"
    made = 10
    for level in range(levels):
        arguments = b"(" + get(made) + b"N" + get(20 + level) + b"}t"
        inner += rebuild + arguments + put(21 + level) + b"0"
        made = 12
    return inner + get(made) + get(20 + levels) + b"R"


STRUCTURES = {
    "doubling modules": (doubling_modules(60), "GR403"),
    "doubling modules of a few levels": (doubling_modules(17), "GR403"),
    "wide modules": (wide_modules(1000, 4), "GR403"),
    "a deep chain of modules": (wide_modules(1, 20_000), "GR403"),
    "modules that share parameters": (sharing(20_000, 20_000), "GR403"),
    "dicts made of one list": (shared_lists(50_000, 50_000), "GR403"),
    "sparse tensors of sparse tensors": (nested_sparse(60), None),
    "parameters of parameters": (nested_parameters(50_000), "GR401"),
    "many tensors": (state(80_000), None),
    "many names of one tensor": (b"\x80\x02" + tensor() + put(0) + b"0" + dict_of(
        (f"{i:x}", get(0)) for i in range(190_000)) + b".", None),
    "too many names": (b"\x80\x02" + tensor() + put(0) + b"0" + dict_of(
        (f"{i:x}", get(0)) for i in range(210_000)) + b".", "GR403"),
    "many dicts of one tensor": (b"\x80\x02" + tensor() + put(0) + b"0" + dict_of(
        (f"d{d}", dict_of((f"{i:x}", get(0)) for i in range(90_000))) for d in range(6)) + b".",
        None),
    "many modules": (
        module(dict_of((f"{i:x}", module()) for i in range(25_000)), weight()) + b".", None),
    "a shape without end": (state(20_000, b"(" + b"K\x01" * 100_000 + b"t"), None),
    "a list as a shape": (state(20_000, b"](" + b"K\x01" * 100_000 + b"e"), None),
    "a huge dict": (b"\x80\x02" + dict_of((str(i), b"K\x01") for i in range(300_000)) + b".",
                    "GR403"),
    "lists in lists": (b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".", "GR401"),
    "tuples in tuples": (b"\x80\x02)" + b"\x85" * 1_000_000 + b".", "GR401"),
    "a deep tuple as a key": (b"\x80\x02})" + b"\x85" * 1_000_000 + b"K\x01s.", "GR401"),
    "dicts in dicts": (b"\x80\x02" + (b"}" + text("a")) * 100_000 + b"N" + b"s" * 100_000 + b".",
                       "GR401"),
    "calls of calls": (b"\x80\x02" + name("a", "b") + b")R" * 500_000 + b".", "GR401"),
    "calls as states": (b"\x80\x02" + (name("a", "b") + b")R") * 100_000 + b"b" * 99_999 + b".",
                        "GR401"),
    "100,000 marks": (b"(" * 100_000 + b".", "GR403"),
    "a dict in itself": (b"\x80\x02}" + put(0) + text("a") + get(0) + b"s.", "GR401"),
    "a list in itself": (b"\x80\x02]" + put(0) + get(0) + b"a.", "GR401"),
    "a call of itself": (b"\x80\x02" + name("a", "b") + b")R" + put(0) + get(0) + b"b.", "GR401"),
    "a module in itself": (b"\x80\x02" + name("m", "M") + b")\x81" + put(0) + dict_of([
        ("_parameters", b"}"), ("_modules", dict_of([("a", get(0))]))]) + b"b.", "GR403"),
    "lists of one list": (b"\x80\x02]" + put(0) + b"".join(
        b"](" + get(i) * 50 + b"e" + put(i + 1) for i in range(60)) + b".", "GR401"),
    "a memo slot of 2^31": (b"\x80\x02N" + put(2**31 - 1) + get(2**31 - 1) + b".", "GR401"),
    "a memo slot above": (b"\x80\x02N" + put(2**32 - 1) + b".", "GR402"),
    "a memo slot by line": (b"\x80\x02Np99999999999999999999\n.", "GR402"),
    "memo slots apart": (b"\x80\x02N" + b"".join(put(i * 1000) for i in range(1, 700_000)) + b".",
                         "GR401"),
    "a long decimal": (b"L" + b"9" * 400 + b"L\n.", "GR401"),
    "a decimal without end": (b"I" + b"9" * 10_000_000 + b"\n.", "GR402"),
    "a name without end": (b"c" + b"a" * 10_000_000 + b"\nb\n.", "GR402"),
    "a line without end": (b"V" + b"a" * 30_000_000, "GR402"),
    "a long line": (b"V" + b"a" * 30_000_000 + b"\n.", "GR401"),
    "2^40 bytes": (b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b".", "GR402"),
    "2^64 bytes": (b"\x80\x04\x8e" + b"\xff" * 8 + b".", "GR402"),
    "a text of 2^40 bytes": (b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b".", "GR402"),
    "a bytearray of 2^63 bytes": (b"\x80\x05\x96" + struct.pack("<Q", 1 << 63) + b".", "GR402"),
    "a frame of 2^40 bytes": (b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b"N.", "GR402"),
    "a negative length": (b"\x80\x02\x8b" + struct.pack("<i", -5) + b".", "GR402"),
    "a negative text": (b"\x80\x02T" + struct.pack("<i", -5) + b".", "GR402"),
    "a long of 2^31 bytes": (b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b".", "GR402"),
    "dimensions of all kinds": (b"\x80\x02" + dict_of(
        (f"t{i}", tensor(shape=shape)) for i, shape in enumerate((
            b"\x8a\x08" + b"\xff" * 7 + b"\x7f\x85", b"J\xff\xff\xff\xff\x85", b"\x88\x85",
            b"G" + b"\0" * 8 + b"\x85", text("2") + b"\x85", b"(" + b"K\x02" * 65 + b"t", b"N",
            b"(" + (b"\x8a\x08" + b"\xff" * 7 + b"\x7f") * 64 + b"t"))) + b".", None),
    "long names": (b"\x80\x02" + dict_of(
        ("a" * 900 + str(i), tensor()) for i in range(3000)) + b".", None),
    "longer names": (b"\x80\x02" + dict_of(
        ("a" * 4000 + str(i), tensor()) for i in range(3)) + b".", "GR403"),
    "names that are not kept": (b"\x80\x02" + dict_of(
        (str(i) + "a" * 70_000, tensor(str(i))) for i in range(3)) + b".", "GR403"),
    "wide names": (b"\x80\x02" + numbers() + dict_of(
        (f"\U0001f600{i}" + "a" * 900, of_number(i)) for i in range(24_000)) + b".", "GR403"),
    "dots": (b"\x80\x02" + dict_of(
        (f"{i}" + "." * 199 + "w", tensor()) for i in range(3)) + b".", None),
    "more dots": (b"\x80\x02" + dict_of([("." * 200 + "w", tensor())]) + b".", "GR403"),
    "dots beside a norm": (b"\x80\x02" + norm() + b"".join(
        text(f"{i}" + ".1234" * 150 + ".w") + tensor() for i in range(20_000)) + b"u.", "GR403"),
    "long paths": (b"\x80\x02" + module(b"}", weight()) + b"".join(
        put(i) + module(dict_of([("a" * 900, get(i))])) for i in range(80)) + b".", "GR403"),
    "dots below a wrapper": (b"\x80\x02" + module(b"}", weight()) + b"".join(
        put(i) + module(dict_of([(".".join("a" * 2000), get(i))])) for i in range(80)) + put(80)
        + module(dict_of([("module", get(80))]), cls=WRAPPER) + b".", "GR403"),
    "storages of one hash": (b"\x80\x02" + numbers() + dict_of(
        (f"{i:x}", of_number(5 + i * (2**61 - 1))) for i in range(60_000)) + b".", None),
    "dicts made of one list of numbers": (one_list() + b"(" + b"".join(
        get(1) + get(0) + b"\x85R" for _ in range(900)) + b"t.", "GR401"),
    "modules made of one list of numbers": (one_list() + module(dict_of(
        (f"{i:x}", module(parameters=get(1) + get(0) + b"\x85R")) for i in range(600)), weight())
        + b".", None),
    "a dict that is filled twice": (b"\x80\x02" + name("collections", "OrderedDict") + b"(]("
        + text("hidden") + tensor() + b"\x86et" + b"R(" + text("shown") + tensor("1") + b"u.",
        "GR403"),
    "a state that is given twice": (b"\x80\x02" + module() + b"}b.", "GR402"),
    "keys for many values": (b"\x80\x02" + dict_of([("\U0001f600" * 900, dict_of(
        (f"{i:x}", b"]]a") for i in range(90_000)))]) + b".", "GR403"),
    "many names of a deep tensor": (b"\x80\x02" + subclasses(4) + put(0) + b"0" + dict_of(
        (f"{i:x}", get(0)) for i in range(190_000)) + b".", None),
    "shapes of many groups": (b"\x80\x02" + dict_of((f"{i:x}", b")") for i in range(20_000))
        + put(0) + b"0" + dict_of([("module", weight()), ("param_shapes",
        b"](" + get(0) * 5000 + b"e")]) + b".", None),
    "more names than a model has": (b"\x80\x02" + tensor() + put(0) + b"0" + dict_of(
        [("ds_version", text("1")), ("module", dict_of(
            (f"{i:x}", get(0)) for i in range(400_000)))]) + b".", "GR403"),
    "classes of the file": (b"\x80\x02" + derived(name("a", "B")) + put(0) + b"".join(
        derived(get(i) * 4) + put(i + 1) for i in range(30)) + b"".join(
        module(dict_of((f"{i:x}", module(b"}", weight(), get(depth))) for i in range(5_000)))
        for depth in (30, 2)) + b".", None),
    "module names without end": (b"\x80\x02" + module() + b"".join(
        put(i) + module(dict_of([("b" * 4000, get(i)), ("c" * 4000, get(i))]))
        for i in range(15)) + b".", "GR403"),
}  # fmt: skip


def deflated(data, size=None):
    """An archive whose `data.pkl` is compressed, and may lie about its size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    member = local(b"archive/data.pkl", packed, 8)
    listed = entry(b"archive/data.pkl", 0, size or len(data), len(packed), 8)
    return member + listed + end(1, len(listed), len(member))


GOOD = b"\x80\x02" + dict_of([("a.weight", tensor()), ("a.bias", tensor("1"))]) + b"."
DATA, OTHER = b"archive/data.pkl", b"archive/other"


def zip64(count, offset, length):
    body, listed = local(DATA, GOOD), entry(DATA, 0, len(GOOD))
    place = len(body) + len(listed)
    return body + listed + wide_end(count, offset or len(body), length or len(listed), place)


def beside():
    """The short end leads to one directory, the wide one to another, whose model torch loads."""
    other = b"\x80\x02" + dict_of([("hidden", tensor())]) + b"."
    shown, hidden = local(DATA, GOOD), local(DATA, other)
    first = entry(DATA, 0, len(GOOD))
    second = entry(DATA, len(shown), len(other))
    at = len(shown) + len(hidden)
    wide = wide_end(1, at + len(first), len(second))[:-22]
    return shown + hidden + first + second + wide + end(1, len(first), at)


def many_members(count):
    body, listed, at = [local(DATA, b"N.")], [entry(DATA, 0, 2)], 0
    for i in range(count):
        named = b"archive/%d" % i
        at += len(body[-1])
        body.append(local(named, b""))
        listed.append(entry(named, at, 0))
    at += len(body[-1])
    directory = b"".join(listed)
    return b"".join(body) + directory + wide_end(len(listed), at, len(directory))


ARCHIVES = {
    "good": (zip_of([(DATA, GOOD)]), None),
    "another sum": (zip_of([(DATA, GOOD)], [entry(DATA, 0, len(GOOD), crc=0xDEAD)]), None),
    "wide": (zip64(1, None, None), None),
    "a comment": (zip_of([(DATA, GOOD)], comment=b"x" * 65_535), None),
    "another name inside": (zip_of([(b"elsewhere/a.pkl", GOOD)], [entry(DATA, 0, len(GOOD))]),
                            None),
    "names that climb": (zip_of([(DATA, GOOD), (b"../../evil", b""), (b"archive/../../b", b"")]),
                         None),
    "absolute names": (zip_of([(DATA, GOOD), (b"/etc/passwd", b""), (b"C:\\evil", b"")]), None),
    "a name with an end": (zip_of([(DATA, GOOD), (b"archive/a\0b", b"")]), None),
    "names that are no text": (zip_of([(DATA, GOOD), (b"\xff\xfe", b"")]), None),
    "a climbing root": (zip_of([(b"../data.pkl", GOOD)]), None),
    "inside a folder": (zip_of([(b"archive/a/data.pkl", GOOD)]), "GR404"),
    "twice": (zip_of([(DATA, GOOD), (DATA, GOOD)]), "GR403"),
    "twice, in capitals": (zip_of([(DATA, GOOD), (b"archive/DATA.PKL", GOOD)]), "GR403"),
    "two models": (zip_of([(DATA, GOOD), (b"b/data.pkl", GOOD)]), "GR403"),
    "overlapping": (zip_of([(DATA, GOOD)], [entry(DATA, 0, 60), entry(OTHER, 0, 60)]), "GR403"),
    "overlapping in part": (zip_of([(DATA, GOOD)], [entry(DATA, 0, 60), entry(OTHER, 50, 9)]),
                            "GR403"),
    "behind the directory": (zip_of([(DATA, GOOD)], [entry(DATA, 1 << 20, 60)]), "GR402"),
    "beyond the file": (zip_of([(DATA, GOOD)], [entry(DATA, 0, 1 << 31)]), "GR402"),
    "of 2^32 bytes without a wide field": (zip_of([(DATA, GOOD)],
                                                  [entry(DATA, 0, 0xFFFFFFFF)]), "GR402"),
    "of 2^63 bytes": (zip_of([(DATA, GOOD)], [entry(
        DATA, 0, 0xFFFFFFFF, extra=struct.pack("<HHQQ", 1, 16, 1 << 63, 1 << 63))]), "GR402"),
    "a wide field too short": (zip_of([(DATA, GOOD)], [entry(
        DATA, 0, 0xFFFFFFFF, extra=struct.pack("<HHL", 1, 4, 5))]), "GR402"),
    "fields beyond the directory": (zip_of([(DATA, GOOD)], [entry(DATA, 0, len(GOOD))[:-8]]),
                                    "GR402"),
    "encrypted": (zip_of([(DATA, GOOD)], [entry(DATA, 0, len(GOOD), flags=1)]), "GR403"),
    "in an unusual way": (zip_of([(DATA, GOOD)], [entry(DATA, 0, len(GOOD), method=14)]), "GR403"),
    "stored in two sizes": (zip_of([(DATA, GOOD)], [entry(DATA, 0, 60, 50)]), "GR402"),
    "without entries": (zip_of([(DATA, GOOD)], []), "GR401"),
    "more entries than there are": (zip64(9, None, None), "GR402"),
    "2^60 entries": (zip64(1 << 60, None, None), "GR403"),
    "a directory beside another": (beside(), "GR403"),
    "a gap before the end": (zip_of([(DATA, GOOD)])[:-22] + b"x" + zip_of([(DATA, GOOD)])[-22:],
                             "GR402"),
    "a long name": (zip_of([(DATA, GOOD), (b"archive/" + b"\xff" * 60_000, b"")]), "GR403"),
    "a program beside a state dict": (zip_of([(DATA, GOOD), (b"archive/Archive_Format", b"pt2")]),
                                      "GR403"),
    "a directory of 2^60 bytes": (zip64(1, None, 1 << 60), "GR402"),
    "a directory at 2^60": (zip64(1, 1 << 60, None), "GR402"),
    "many members": (many_members(250_000), "GR401"),
    "compressed": (deflated(GOOD), None),
    "a bomb": (deflated(b"]" * 100_000_000), "GR403"),
    "a bomb that lies": (deflated(b"]" * 100_000_000, 1000), "GR402"),
    "a bomb within bounds": (deflated((b"]" * 4000 + os.urandom(20)) * 3900), "GR403"),
    "compressed without an end": (deflated(GOOD)[:60] + zip_of([(DATA, GOOD)]), "GR402"),
}  # fmt: skip


@pytest.fixture(scope="module")
def confined(tmp_path_factory):
    """What became of each file: all are read by one process that forks."""
    folder = tmp_path_factory.mktemp("bombs")

    def run(contents):
        paths = []
        for index, content in enumerate(contents):
            path = folder / f"{index}.pt"
            if content.startswith(b"PK"):
                path.write_bytes(content)
            else:
                archive(path, content)
            paths.append(str(path))
        results = confined_reading(paths)
        for path in paths:
            os.unlink(path)
        return results

    return run


@pytest.mark.parametrize("cases", [STRUCTURES, ARCHIVES], ids=["structures", "archives"])
@pytest.mark.slow
def test_bombs(cases, confined):
    results = confined([content for content, _ in cases.values()])
    judge(results, {case: code for case, (_, code) in cases.items()})


@pytest.mark.slow
def test_floods_of_one_opcode(confined):
    results = confined([flood(*unit) for unit in FLOODS.values()])
    judge(results, dict.fromkeys(FLOODS, "GR403"))


@pytest.mark.nightly
def test_floods_of_every_opcode(confined):
    results = confined([flood(*unit) for unit in MORE_FLOODS.values()])
    judge(results, dict.fromkeys(MORE_FLOODS, "GR403"))


def test_the_judge_condemns(confined):
    """What is killed, slow, noisy or ends otherwise is a fault."""
    (good,) = confined([GOOD])
    judge([good], {"good": None})
    for bad in ({"killed": 9}, {**good, "seconds": SECONDS + 1}, {**good, "seen": ["import"]}):
        with pytest.raises(AssertionError):
            judge([bad], {"good": None})
    with pytest.raises(AssertionError):
        judge([good], {"good": "GR402"})


def test_what_torch_reads_of_odd_archives(tmp_path):
    """Wrong sums, other names inside, long comments and climbing names: torch reads them all."""
    torch = pytest.importorskip("torch")
    for case in ("good", "another sum", "wide", "compressed"):
        path = tmp_path / "a.pt"
        path.write_bytes(ARCHIVES[case][0])
        with zipfile.ZipFile(path, "a") as file:
            for storage in "01":
                file.writestr(f"archive/data/{storage}", b"\0" * 8)
            file.writestr("archive/version", b"3\n")
        loaded = torch.load(path)
        from grouper.model.read import read

        assert [(p.name, p.shape) for p in read(str(path)).parameters] == [
            (name_, tuple(t.shape)) for name_, t in loaded.items()
        ]
