"""Any bytes as the members of an archive: a change of one's length leaves the directory right.

An input is the members behind each other, `PK` and a newline between them; the first line of each
is its name.
"""

import files
from support import hostile

BETWEEN = b"PK\n"


def one(data: bytes) -> None:
    members = (member.partition(b"\n") for member in data.split(BETWEEN))
    files.one(hostile.zip_of([(name, content) for name, _, content in members]))


def joined(*members):
    """Names and contents as an input."""
    return BETWEEN.join(name.encode() + b"\n" + content for name, content in members)
