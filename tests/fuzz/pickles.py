"""Any bytes as the pickle inside a file: past the archive, straight to the machine."""

from files import holds_together

from grouper.inventory.checkpoint import candidates, pickle_machine
from grouper.inventory.errors import ModelError


def one(data: bytes) -> None:
    try:
        root, end = pickle_machine.run(data)
    except pickle_machine.PickleError:
        return
    assert 0 < end <= len(data)
    try:
        inventory = candidates.find(root, None, "<fuzz>")
    except ModelError:
        return
    holds_together(inventory)
