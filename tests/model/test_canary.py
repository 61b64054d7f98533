"""No global of a file is ever imported: a canary for every opcode that can reach one.

Each payload is run by the standard unpickler first: there the canary does sing.
"""

import contextlib
import copyreg
import importlib
import os
import pickle
import pickletools
import struct
import sys
import zipfile

import pytest
from support.hostile import archive, name, text

from grouper.model.errors import ModelError
from grouper.model.pickle import machine
from grouper.model.pickle.opcodes import TABLE
from grouper.model.read import read

MODULE, EXTENSION = "grouper_canary", 241
SOURCE = """
import os
open(os.environ["GROUPER_CANARY"], "a").write("imported ")

class sing:
    def __new__(cls, *arguments, **keywords):
        open(os.environ["GROUPER_CANARY"], "a").write("sang ")
        return super().__new__(cls)
    def __init__(self, *arguments, **keywords): pass
    def __setstate__(self, state): open(os.environ["GROUPER_CANARY"], "a").write("state ")
    def __setitem__(self, key, value): open(os.environ["GROUPER_CANARY"], "a").write("item ")
    def append(self, value): open(os.environ["GROUPER_CANARY"], "a").write("appended ")
    def extend(self, values): open(os.environ["GROUPER_CANARY"], "a").write("extended ")
    def add(self, value): open(os.environ["GROUPER_CANARY"], "a").write("added ")
    def __hash__(self): open(os.environ["GROUPER_CANARY"], "a").write("hashed "); return 1
    def __eq__(self, other): open(os.environ["GROUPER_CANARY"], "a").write("compared "); return True
    def __reduce__(self): return eval, ("__import__('grouper_canary')",)
"""
SING = name(MODULE, "sing")
MADE = SING + b")R"
SHORT = b"".join(b"\x8c" + bytes([len(t)]) + t.encode() for t in (MODULE, "sing"))
PAYLOADS = {
    "GLOBAL": SING,
    "STACK_GLOBAL": b"\x80\x04" + SHORT + b"\x93",
    "STACK_GLOBAL of memos": b"\x80\x04" + text(MODULE) + b"\x94" + text("sing") + b"\x940"
    + b"h\0h\1\x93",
    "GLOBAL with a dot": b"\x80\x04" + name(MODULE, "sing.__init__"),
    "REDUCE": SING + b")R",
    "REDUCE with arguments": SING + b"(K\x01K\x02tR",
    "BUILD": MADE + b"}b",
    "INST": b"(i" + MODULE.encode() + b"\nsing\n",
    "INST with arguments": b"(K\x01i" + MODULE.encode() + b"\nsing\n",
    "OBJ": b"(" + SING + b"o",
    "NEWOBJ": b"\x80\x02" + SING + b")\x81",
    "NEWOBJ_EX": b"\x80\x04" + SING + b")}\x92",
    "NEWOBJ_EX with keywords": b"\x80\x04" + SING + b")}" + text("a") + b"K\x01s\x92",
    "APPEND": MADE + b"Na",
    "APPENDS": MADE + b"(NNe",
    "ADDITEMS": b"\x80\x04" + MADE + b"(N\x90",
    "SETITEM": MADE + b"NNs",
    "SETITEMS": MADE + b"(NNu",
    "DICT with its key": b"(" + MADE + b"Nd",
    "SETITEM with its key": b"}" + MADE + b"Ns",
    "FROZENSET": b"\x80\x04(" + MADE + b"\x91",
    "EXT1": b"\x80\x02\x82" + bytes([EXTENSION]),
    "EXT2": b"\x80\x02\x83" + struct.pack("<H", EXTENSION),
    "EXT4": b"\x80\x02\x84" + struct.pack("<i", EXTENSION),
    "a chain of getattr": name("builtins", "getattr") + name("builtins", "__import__")
    + b"(" + text(MODULE) + b"tR" + text("sing") + b"\x86R)R",
    "eval": name("builtins", "eval") + b"(" + text(f"__import__({MODULE!r})") + b"tR",
    "exec": name("builtins", "exec") + b"(" + text(f"import {MODULE}") + b"tR",
    "import_module": name("importlib", "import_module") + b"(" + text(MODULE) + b"tR",
    "Python 2's names": name("__builtin__", "__import__") + b"(" + text(MODULE) + b"tR",
    "pkgutil": name("pkgutil", "resolve_name") + b"(" + text(f"{MODULE}:sing") + b"tR)R",
    "operator": name("operator", "methodcaller") + b"(" + text("import_module") + text(MODULE)
    + b"tR(" + name("importlib", "__name__") + b"tR",
    "a pickle inside": name("pickle", "loads") + b"(B" + struct.pack("<I", len(SING) + 1) + SING
    + b".tR",
    "copyreg": name("copyreg", "_reconstructor") + b"(" + SING + name("builtins", "object")
    + b"NtR",
    "a partial": name("functools", "partial") + b"(" + name("builtins", "__import__")
    + text(MODULE) + b"tR)R",
    "a map": name("builtins", "list") + b"(" + name("builtins", "map") + b"("
    + name("builtins", "__import__") + b"](" + text(MODULE) + b"etRtR",
}  # fmt: skip
# Where the standard unpickler fails after the import, or has no such thing: it is not run.
UNRUN = {"operator"}


@pytest.fixture
def song(tmp_path, monkeypatch):
    """What the canary has written: a function that says it, and forgets."""
    (tmp_path / f"{MODULE}.py").write_text(SOURCE)
    written = tmp_path / "song.txt"
    monkeypatch.setenv("GROUPER_CANARY", str(written))
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    monkeypatch.setitem(copyreg._inverted_registry, EXTENSION, (MODULE, "sing"))
    copyreg.clear_extension_cache()

    def heard():
        sys.modules.pop(MODULE, None)
        copyreg.clear_extension_cache()
        said = written.read_text() if written.exists() else ""
        written.unlink(missing_ok=True)
        return said

    yield heard
    sys.modules.pop(MODULE, None)
    copyreg.clear_extension_cache()


def wrapped(payload):
    """A payload where readers look: as the whole, a model, a tensor's parts, a module's."""
    storage = b"(" + text("storage") + payload + text("0") + text("cpu") + b"K\x02tQ"
    rest = b"K\x00K\x02\x85K\x01\x85\x89N"
    rebuilt = name("torch._utils", "_rebuild_tensor_v2")
    tensor = rebuilt + b"(" + storage + rest + b"tR"
    shape = rebuilt + b"(" + storage.replace(payload, b"N") + b"K\0" + payload + b"K\x01\x85\x89NtR"
    state = b"}(" + text("_parameters") + b"}" + text("_modules") + b"}" + text("a") + payload
    yield payload + b"."
    yield b"}" + text("state_dict") + payload + b"s."
    yield b"}" + text("a") + tensor + b"s."
    yield b"}" + text("a") + shape + b"s."
    yield b"}" + payload + tensor + b"s."
    yield b"(" + text("module") + payload + b"NNtQ."
    yield name("torch.nn", "Module") + b")\x81" + state + b"b" + b"."
    yield payload + b"}(" + text("_parameters") + b"}" + text("_modules") + b"}ub."


@pytest.mark.parametrize("case", PAYLOADS)
def test_the_canary_is_never_heard(case, song, tmp_path):
    payload = PAYLOADS[case]
    if case not in UNRUN:
        with contextlib.suppress(Exception):
            pickle.loads(payload + b".")
        assert "imported" in song()
    for index, data in enumerate(wrapped(payload)):
        for stream in (data, b"\x80\x02" + data, b"\x80\x05" + data):
            with contextlib.suppress(machine.PickleError):
                machine.run(stream)
            path = archive(tmp_path / f"{index}.pt", stream)
            with contextlib.suppress(ModelError):
                read(path)
            assert MODULE not in sys.modules
            assert song() == ""


def test_every_opcode_that_can_call_has_a_payload():
    """What the standard unpickler does with globals, by the opcodes' own descriptions."""
    tried = {
        opcode.name
        for payload in PAYLOADS.values()
        for opcode, _, _ in pickletools.genops(payload + b".")
    }
    calling = {
        "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX",
        "EXT1", "EXT2", "EXT4", "APPEND", "APPENDS", "ADDITEMS", "SETITEM", "SETITEMS", "DICT",
        "FROZENSET",
    }  # fmt: skip
    assert calling <= tried
    inert = {op.name for op in pickletools.opcodes} - calling
    assert {"PERSID", "BINPERSID", "PUT", "GET", "NEXT_BUFFER", "READONLY_BUFFER"} <= inert


REFUSED = {"EXT1", "EXT2", "EXT4", "NEXT_BUFFER", "READONLY_BUFFER"}


@pytest.mark.parametrize("opcode", pickletools.opcodes, ids=lambda opcode: opcode.name)
def test_every_opcode_is_done_or_refused(opcode):
    """None is passed over silently: what a stream means never depends on an unknown opcode."""
    code = opcode.code.encode("latin-1")
    arguments = {"decimalnl_short": b"0\n", "decimalnl_long": b"0L\n", "floatnl": b"1.0\n",
                 "stringnl": b"'a'\n", "stringnl_noescape": b"a\n", "unicodestringnl": b"a\n",
                 "stringnl_noescape_pair": b"a\nb\n"}  # fmt: skip
    argument = b""
    if opcode.arg is not None:
        size = opcode.arg.n
        argument = arguments.get(opcode.arg.name) or b"\0" * (size if size > 0 else 8)
        if size in (-3, -2, -4, -5):  # a length, and as much: none
            argument = b"\0" * {-2: 1, -3: 4, -4: 4, -5: 8}[size]
    before = name("a", "b") + b"q\0" + b"}" + b"(" + b"NN"
    if opcode.name in ("REDUCE", "NEWOBJ", "BUILD", "SETITEM", "APPEND"):
        before = name("a", "b") + b")R" + b"N" * opcode_operands(opcode)
    elif opcode.name in ("APPENDS", "ADDITEMS", "SETITEMS"):
        before = name("a", "b") + b")R(NN"
    elif opcode.name == "STACK_GLOBAL":
        before = text("a") + text("b")
    said = ""
    try:
        machine.run(b"\x80\x05" + before + code + argument + b"." * 9)
    except machine.PickleError as error:
        said = str(error)
    assert ("not supported" in said) == (opcode.name in REFUSED), said


def opcode_operands(opcode):
    return {"SETITEM": 2}.get(opcode.name, 1)


def test_other_codes_are_refused():
    known = {opcode.code.encode("latin-1")[0] for opcode in pickletools.opcodes}
    for code in set(range(256)) - known:
        assert TABLE[code] is None
        with pytest.raises(machine.PickleError, match="not supported"):
            machine.run(b"\x80\x02" + bytes([code]) + b".")


def test_persistent_ids_are_only_named(song, tmp_path):
    for payload in (SING + b"Q.", MADE + b"Q.", b"P" + MODULE.encode() + b"\n.",
                    b"}(NNu" + b"Q.", b"NQNQQ."):  # fmt: skip
        with zipfile.ZipFile(tmp_path / "a.pt", "w") as file:
            file.writestr("a/data.pkl", b"\x80\x02" + payload)
        with pytest.raises(ModelError):
            read(str(tmp_path / "a.pt"))
        assert song() == ""


class Reduced:
    def __reduce__(self):
        return os.system, ("touch sung",)


@pytest.mark.parametrize("protocol", range(6))
def test_reduce_of_every_protocol(protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps({"model": Reduced(), "epoch": 1}, protocol)
    with pytest.raises(ModelError):
        read(archive("evil.pt", data))
    assert os.listdir(".") == ["evil.pt"]
    pickle.loads(data)
    assert "sung" in os.listdir(".")
