"""Any bytes as the pickle inside a file: past the archive, straight to the machine."""

from files import holds_together

from grouper.model.contents import find_model
from grouper.model.errors import ModelError
from grouper.model.pickle import machine


def one(data: bytes) -> None:
    try:
        root, end = machine.run(data)
    except machine.PickleError:
        return
    assert 0 < end <= len(data)
    try:
        inventory = find_model.find(root, None, "<fuzz>")
    except ModelError:
        return
    holds_together(inventory)
