"""Any bytes as the file that describes a folder: an index of shards, a configuration, ..."""

import os
import tempfile
from pathlib import Path

from files import holds_together

from grouper.model.errors import ModelError
from grouper.model.read import read

_ROOT = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
_SHARDS = Path(__file__).parent / "corpus" / "files"
# By its first byte: where an input is put. Before a file of any first byte stands an `s`.
_PLACES = {
    b"{": _ROOT / "sharded" / "model.safetensors.index.json",
    b"\x80": _ROOT / "distributed" / ".metadata",
    b"\n": _ROOT / "configured" / "config.json",
    b"s": _ROOT / "ranks" / "shard-00001-model-00001-of-00001.safetensors",
    b"g": _ROOT / "steps" / "latest",
    b"P": _ROOT / "deepspeed" / "mp_rank_00_model_states.pt",
}
for _place in _PLACES.values():
    _place.parent.mkdir()
for _name in ("sharded/a.safetensors", "configured/model.safetensors"):
    (_ROOT / _name).write_bytes((_SHARDS / "two.safetensors").read_bytes())
_STEP = _PLACES[b"g"].with_name("global_step1")
_STEP.mkdir()
(_STEP / "mp_rank_00_model_states.pt").write_bytes((_SHARDS / "state.pt").read_bytes())
_OTHER = _PLACES[b"s"].with_name("shard-00002-model-00001-of-00001.safetensors")
_OTHER.write_bytes((_SHARDS.parent / "folders" / "ranks").read_bytes()[1:])
(_ROOT / "sharded" / "b.bin").write_bytes((_SHARDS / "state.pt").read_bytes())


def one(data: bytes) -> None:
    place = _PLACES.get(data[:1])
    if place is None:
        return
    place.write_bytes(data[1:] if data[:1] == b"s" else data)
    try:
        inventory = read(str(place.parent))
    except ModelError:
        return
    holds_together(inventory)
