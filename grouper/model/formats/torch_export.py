"""Exported programs: the `.pt2` archives of `torch.export.save`, in their three layouts.

Since torch 2.8 the weights' names and shapes are in a JSON member; before, they are a state dict in
a nested archive. In all layouts the graph's signature names the parameters, in the model's order,
and the buffers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grouper.model import codes
from grouper.model.contents import state_dict
from grouper.model.errors import ModelError
from grouper.model.files.file import BytesSource, cut_short
from grouper.model.files.json import parsed
from grouper.model.files.zip import Entry, directory, opened, record, several_descriptions
from grouper.model.formats.torch_export_modules import UNKNOWN, modules_of
from grouper.model.inventory import Inventory, Parameter
from grouper.model.name_limits import Names
from grouper.model.pickle.machine import described
from grouper.model.pickle.tensors import MAX_DIM, MAX_NDIM, Tensor

MAX_NAME = 4096
_OLD = "serialized_exported_program.json"
_OLD_WEIGHTS = "serialized_state_dict.pt"
# torch/_export/serde/schema.py, ScalarType
_DTYPES = {
    1: "uint8",
    2: "int8",
    3: "int16",
    4: "int32",
    5: "int64",
    6: "float16",
    7: "float32",
    8: "float64",
    9: "complex32",
    10: "complex64",
    11: "complex128",
    12: "bool",
    13: "bfloat16",
    28: "uint16",
    29: "float8_e4m3fn",
    30: "float8_e5m2",
    31: "float8_e4m3fnuz",
    32: "float8_e5m2fnuz",
    33: "float8_e8m0fnu",
    34: "uint32",
    35: "uint64",
}


def recognises(entries: Mapping[str, Entry]) -> bool:
    """Whether an archive is an exported program, by its members."""
    return _OLD in entries or record(entries, "archive_format") is not None


def read(file: BytesSource, entries: Mapping[str, Entry], key: str | None) -> Inventory:
    """The inventory of an exported program; `key` chooses one of several."""
    if record(entries, "data.pkl") is not None:
        raise several_descriptions(file)
    if _OLD in entries:
        if key is not None:
            raise _no_such_key(file, key, [])
        program, weights = entries[_OLD], entries.get(_OLD_WEIGHTS)
        return _inventory(file, program, _from_state_dict(file, weights), None, ())
    names = _names(entries)
    if not names:
        raise ModelError(
            codes.UNSUPPORTED,
            f"`{file.path}` is an archive of compiled code without an exported program",
            "give the checkpoint that it was made from",
        )
    if key is not None and key not in names:
        raise _no_such_key(file, key, names)
    name = key or ("model" if "model" in names else names[0])
    program = _member(file, entries, f"models/{name}.json")
    config = record(entries, f"data/weights/{name}_weights_config.json")
    if config is not None:
        weights_of = _from_config(parsed(opened(file, config)))
    else:
        weights_of = _from_state_dict(file, record(entries, f"data/weights/{name}.pt"))
    others = ", ".join(f"`{other}`" for other in names if other != name)
    remarks = (f"models also under {others}: see `--key`",) if others else ()
    return _inventory(file, program, weights_of, name if others else None, remarks)


def _names(entries: Mapping[str, Entry]) -> list[str]:
    top = next(iter(entries)).partition("/")[0]
    names = (name.removeprefix(f"{top}/models/") for name in entries)
    return [n.removesuffix(".json") for n in names if "/" not in n and n.endswith(".json")]


def _member(file: BytesSource, entries: Mapping[str, Entry], name: str) -> Entry:
    entry = record(entries, name)
    if entry is None:
        raise cut_short(file.path)
    return entry


def _no_such_key(file: BytesSource, key: str, names: list[str]) -> ModelError:
    listed = ", ".join(f"`{name}`" for name in names)
    return ModelError(
        codes.NO_SUCH_KEY,
        f"`{file.path}` has no model under `{key}`",
        f"models are under: {listed}" if names else "it holds one model: omit `--key`",
    )


def _inventory(
    file: BytesSource,
    program: Entry,
    weights: Mapping[str, Tensor],
    key: str | None,
    remarks: tuple[str, ...],
) -> Inventory:
    described_by = parsed(opened(file, program))
    parameters, buffers = _signature(described_by)
    Names().count((*parameters, *buffers))
    modules = modules_of(described_by, (*parameters, *buffers))
    if modules is not None and any(module.cls == UNKNOWN for module in modules.values()):
        remarks = (*remarks, "modules that did not run are exported without their classes")
    tied: dict[object, tuple[Tensor, list[str]]] = {}
    for name in parameters:
        facts = weights.get(name)
        if facts is None:
            raise cut_short(file.path)
        tied.setdefault(facts.storage or (name,), (facts, []))[1].append(name)
    return Inventory(
        tuple(Parameter(tuple(n), t.shape, t.dtype, t.trains, n[0]) for t, n in tied.values()),
        modules,
        kind="exported program",
        key=key,
        buffers=tuple(buffers),
        remarks=remarks,
    )


def _signature(program: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The names of the parameters and of the buffers, in the model's order."""
    parameters: list[str] = []
    buffers: list[str] = []
    for spec in program["graph_module"]["signature"]["input_specs"]:
        if "parameter" in spec:
            parameters.append(_text(spec["parameter"]["parameter_name"]))
        elif "buffer" in spec:
            buffers.append(_text(spec["buffer"]["buffer_name"]))
    return list(dict.fromkeys(parameters)), list(dict.fromkeys(buffers))


def _from_config(config: Mapping[str, Any]) -> dict[str, Tensor]:
    tensors = {}
    for name, payload in config["config"].items():
        meta = payload["tensor_meta"]
        shape = _integers(meta["sizes"])
        layout = (meta["storage_offset"], meta["strides"], shape)
        where = repr((_text(payload["path_name"]), layout))
        trains = meta["requires_grad"]
        tensors[name] = Tensor(
            shape,
            _DTYPES.get(meta["dtype"]),
            where if shape and 0 not in shape else None,
            trains if isinstance(trains, bool) else None,
            payload["is_param"] is True,
        )
    return tensors


def _from_state_dict(file: BytesSource, entry: Entry | None) -> dict[str, Tensor]:
    """The tensors of a nested archive; only its pickle is read."""
    if entry is None:
        raise cut_short(file.path)
    inner = opened(file, entry)
    entries = directory(inner)
    description = record(entries, "data.pkl")
    if description is None:
        raise cut_short(file.path)
    root, _ = described(opened(inner, description))
    return {name: facts for name, facts, _ in state_dict.tensors_of(root)}


def _integers(sizes: Any) -> tuple[int, ...] | None:
    """The sizes as integers; None if one is a symbolic expression, which no weight has."""
    shape = tuple(size.get("as_int") for size in sizes)
    if len(shape) > MAX_NDIM or any(type(n) is not int or not 0 <= n < MAX_DIM for n in shape):
        return None
    return shape


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_NAME:
        raise TypeError("not a name")
    return value
