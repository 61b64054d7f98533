"""Changes of known inputs, at random but by a seed."""

import random
import struct

TOKENS = [
    *(bytes([code]) for code in b"(.012FGIJKLMNPQRSTUVX\\abcdeghijlopqrstu"),
    *(bytes([code]) for code in range(0x80, 0x99)),
    b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7",
    b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch._utils\n_rebuild_parameter\n",
    b"ctorch._tensor\n_rebuild_from_type_v2\n", b"ctorch._utils\n_rebuild_sparse_tensor\n",
    b"ccollections\nOrderedDict\n", b"X\x0b\0\0\0_parameters", b"X\x08\0\0\0_modules",
    *(struct.pack("<I", n) for n in (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)),
    *(struct.pack("<Q", n) for n in (1, 1 << 31, 1 << 63, (1 << 64) - 1)),
    b"ctorch._utils\n_rebuild_wrapper_subclass\n", b"ctorch._utils\n_rebuild_qtensor\n",
    b"ctorch._utils\n_rebuild_device_tensor_from_numpy\n", b"ctorch.storage\n_load_from_bytes\n",
    b"cnumpy.core.multiarray\n_reconstruct\n", b"ccopy_reg\n_reconstructor\n",
    b"c_codecs\nencode\n", b"ctorch.fx.graph_module\nreduce_graph_module\n",
    b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n",
    b"X\x08\0\0\0_buffers", b'__parameters__ = ["', b'__buffers__ = ["', b"class Net(Module):\n",
    b'"parameter_name"', b'"weight_map":{', b'"data_offsets":[', b'"saved_offsets":[',
    b'{"', b'":{', b"[", b"]", b"1e999", b"-1", b"NaN", b'"dtype":"F32"', b"\0" * 8,
]  # fmt: skip


def dictionary() -> str:
    """The tokens as libFuzzer reads them."""
    texts = ("".join(f"\\x{byte:02x}" for byte in token) for token in TOKENS)
    return "".join(f'"{text}"\n' for text in texts)


def mutated(inputs: list[bytes], seed: int) -> bytes:
    """One of the inputs with up to eight changes."""
    random_ = random.Random(seed)
    data = bytearray(random_.choice(inputs))
    for _ in range(random_.choice((1, 1, 2, 3, 8))):
        _CHANGES[random_.randrange(len(_CHANGES))](data, random_, inputs)
    return bytes(data)


def _flip(data, random_, _):
    if data:
        data[random_.randrange(len(data))] ^= 1 << random_.randrange(8)


def _set(data, random_, _):
    if data:
        data[random_.randrange(len(data))] = random_.randrange(256)


def _cut(data, random_, _):
    start, end = _span(data, random_)
    del data[start:end]


def _repeat(data, random_, _):
    start, end = _span(data, random_)
    data[start:start] = data[start:end] * random_.choice((1, 1, 2, 20))


def _move(data, random_, _):
    start, end = _span(data, random_)
    part = data[start:end]
    del data[start:end]
    at = random_.randint(0, len(data))
    data[at:at] = part


def _token(data, random_, _):
    token = random_.choice(TOKENS)
    at = random_.randint(0, len(data))
    data[at : at + random_.choice((0, len(token)))] = token


def _splice(data, random_, inputs):
    other = random_.choice(inputs)
    start, end = _span(other, random_)
    at = random_.randint(0, len(data))
    data[at : at + random_.choice((0, end - start))] = other[start:end]


def _span(data, random_):
    start = random_.randint(0, len(data))
    return start, min(len(data), start + random_.choice((1, 2, 4, 16, 64, 256)))


_CHANGES = (_flip, _set, _cut, _repeat, _move, _token, _splice)
