"""Any bytes as the file that describes a folder: an index of shards, a configuration, ..."""

import os
import tempfile
from pathlib import Path

from files import holds_together

from grouper.inventory.errors import ModelError
from grouper.inventory.read import read

_ROOT = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
_SHARDS = Path(__file__).parent / "corpus" / "files"
# By the first byte of an input: where the rest of it is put.
_PLACES = {
    b"{": _ROOT / "sharded" / "model.safetensors.index.json",
    b"\x80": _ROOT / "distributed" / ".metadata",
    b"\n": _ROOT / "configured" / "config.json",
    b"P": _ROOT / "deepspeed" / "mp_rank_00_model_states.pt",
}
for _place in _PLACES.values():
    _place.parent.mkdir()
for _name in ("sharded/a.safetensors", "configured/model.safetensors"):
    (_ROOT / _name).write_bytes((_SHARDS / "two.safetensors").read_bytes())
(_ROOT / "sharded" / "b.bin").write_bytes((_SHARDS / "state.pt").read_bytes())


def one(data: bytes) -> None:
    place = _PLACES.get(data[:1])
    if place is None:
        return
    place.write_bytes(data)
    try:
        inventory = read(str(place.parent))
    except ModelError:
        return
    holds_together(inventory)
