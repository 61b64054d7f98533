"""Files made to harm, written opcode by opcode: what `pickle.dumps` would never write."""

import struct
import zipfile


def text(value):
    content = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(content)) + content


def name(module, qualified):
    return b"c" + module.encode() + b"\n" + qualified.encode() + b"\n"


def put(slot):
    return b"r" + struct.pack("<I", slot)


def get(slot):
    return b"j" + struct.pack("<I", slot)


def tensor(key="0", shape=b"K\x02\x85"):
    """A tensor of float32; `shape` is a tuple's pickle."""
    storage = b"(" + text("storage") + name("torch", "FloatStorage") + text(key)
    storage += text("cpu") + b"K\x02tQ"
    hooks = name("collections", "OrderedDict") + b")R"
    rest = storage + b"K\x00" + shape + b"K\x01\x85\x89" + hooks
    return name("torch._utils", "_rebuild_tensor_v2") + b"(" + rest + b"tR"


def dict_of(pairs):
    return b"}(" + b"".join(text(key) + value for key, value in pairs) + b"u"


def module(children=b"}", parameters=b"}", cls=b"cm\nM\n"):
    """A pickled `nn.Module`, from the pickles of its `_modules` and `_parameters`."""
    state = dict_of([("_parameters", parameters), ("_buffers", b"}"), ("_modules", children)])
    return cls + b")\x81" + state + b"b"


def derived(bases):
    """A class as cloudpickle keeps it in the file, from the pickles of its bases."""
    made = name("cloudpickle.cloudpickle", "_make_skeleton_class")
    return (
        made
        + b"(N"
        + text("A")
        + b"("
        + bases
        + b"t"
        + dict_of([("__module__", text("m"))])
        + b"tR"
    )


def weight():
    """The `_parameters` of a module that has one."""
    return dict_of([("w", tensor())])


def archive(path, pickle, method=zipfile.ZIP_STORED, **members):
    """A file like torch's, with `data.pkl` and more members."""
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr("archive/data.pkl", pickle)
        for member, content in members.items():
            file.writestr(f"archive/{member}", content)
    return str(path)


def entry(name_, offset, size, stored=None, method=0, flags=0, extra=b"", crc=0):
    """One entry of a zip archive's directory."""
    stored = size if stored is None else stored
    head = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 20, 20, flags, method, 0, 33, crc, stored, size,
        len(name_), len(extra), 0, 0, 0, 0, offset,
    )  # fmt: skip
    return head + name_ + extra


def local(name_, content, method=0, flags=0):
    """A member of a zip archive: its header and its content."""
    size = len(content)
    numbers = (20, flags, method, 0, 33, 0, size, size, len(name_), 0)
    return struct.pack("<4s5H3L2H", b"PK\3\4", *numbers) + name_ + content


def end(count, length, start, comment=b""):
    """The end of a zip archive, which says where its directory is."""
    head = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, length, start, len(comment))
    return head + comment


def wide_end(count, start, length, place=None):
    """The end of a zip64 archive, which stands behind the directory if `place` says nothing."""
    wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, start)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, start + length if place is None else place, 1)
    return wide + locator + end(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)


def zip_of(members, entries=None, comment=b""):
    """A zip archive of (name, content), with a directory that may say something else."""
    body, own = b"", []
    for name_, content in members:
        own.append(entry(name_, len(body), len(content)))
        body += local(name_, content)
    directory = b"".join(own if entries is None else entries)
    count = min(len(own if entries is None else entries), 0xFFFF)
    return body + directory + end(count, len(directory), len(body), comment)


def doubling_modules(levels):
    """Modules that each hold the one below twice: 2 to the power of `levels` paths."""
    data = b"\x80\x02" + module(b"}", weight()) + put(0)
    for level in range(levels):
        data += module(dict_of([("a", get(level)), ("b", get(level))])) + put(level + 1)
    return data + b"."


def wide_modules(width, levels):
    """Modules that each hold the one below `width` times."""
    data = b"\x80\x02" + module(b"}", weight()) + put(0)
    for level in range(levels):
        children = dict_of([(str(i), get(level)) for i in range(width)])
        data += module(children) + put(level + 1)
    return data + b"."


def sharing(count, width):
    """`count` modules that share one dict of `width` parameters."""
    parameters = dict_of([(str(i), b"N") for i in range(width)]) + put(0)
    shared = b"\x80\x02" + parameters + b"0" + module(parameters=get(0))
    children = [(str(i), module(parameters=get(0))) for i in range(count)]
    return shared + b"0" + module(dict_of(children)) + b"."


def shared_lists(count, width):
    """`count` OrderedDicts that are made of one list of `width` pairs."""
    pairs = b"](" + b"".join(text(str(i)) + b"K\x01\x86" for i in range(width)) + b"e" + put(0)
    made = name("collections", "OrderedDict") + put(1) + b"0" + b"("
    calls = b"".join(get(1) + get(0) + b"\x85R" for _ in range(count))
    return b"\x80\x02" + pairs + b"0" + made + calls + b"t."


def nested_sparse(levels):
    """Sparse tensors whose indices and values are sparse tensors."""
    layout = name("torch.serialization", "_get_layout") + text("torch.sparse_coo") + b"\x85R"
    data = b"\x80\x02" + tensor() + put(0) + b"0" + layout + put(10_000) + b"0"
    for level in range(levels):
        inner = b"(" + get(level) + get(level) + b"K\x02\x85t"
        rebuild = name("torch._utils", "_rebuild_sparse_tensor")
        data += rebuild + get(10_000) + inner + b"\x86R" + put(level + 1) + b"0"
    return data + dict_of([("a", get(levels)), ("b", get(0))]) + b"."


def nested_parameters(levels):
    """Parameters of parameters of parameters."""
    rebuild = name("torch._utils", "_rebuild_parameter") + put(1)
    data = b"\x80\x02" + rebuild + b"0" + tensor()
    for _ in range(levels):
        # the parameter's data comes before its function on the stack: keep it, and recall it
        data += put(2) + b"0" + get(1) + get(2) + b"\x88N\x87R"
    return data + put(2) + b"0" + dict_of([("a", get(2))]) + b"."
