"""Any bytes as a model file: an inventory that holds together, or a ModelError."""

import os
import tempfile

from grouper.model.errors import ModelError
from grouper.model.formats import snapshot
from grouper.model.read import read

_DESCRIPTOR, _PATH = tempfile.mkstemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)


def one(data: bytes) -> None:
    os.truncate(_DESCRIPTOR, 0)
    os.pwrite(_DESCRIPTOR, data, 0)
    try:
        inventory = read(_PATH)
    except ModelError:
        return
    holds_together(inventory)


def holds_together(inventory):
    """What is true of every inventory, whatever the file."""
    names = [name for parameter in inventory.parameters for name in parameter.names]
    assert all(parameter.names for parameter in inventory.parameters)
    assert all(isinstance(name, str) for name in (*names, *inventory.buffers))
    for parameter in inventory.parameters:
        assert parameter.shape is None or all(type(n) is int and n >= 0 for n in parameter.shape)
        assert parameter.dtype is None or isinstance(parameter.dtype, str)
        assert parameter.trainable in (True, False, None)
    assert all(path == module.path for path, module in (inventory.modules or {}).items())
    assert snapshot.loads(snapshot.dumps(inventory), inventory.path) == inventory
