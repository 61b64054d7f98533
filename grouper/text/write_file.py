"""Writes a file whole or not at all; what is not a regular file is written as it comes."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_DESCRIPTORS = re.compile(r"/dev/fd|/proc/\d+(/task/\d+)?/fd")  # folders of a process's open files


def write_whole(path: str | Path, pieces: Iterable[str | bytes]) -> None:
    """Write the pieces to the file that a path leads to, through symbolic links.

    A regular file, or a new one, is written beside its place and then takes its name: whoever reads
    sees the old or the new content. Its mode stays, that of a new file is what the umask leaves. A
    device, a pipe or an open file of the process (`/dev/stdout`) is written to as it is. Raises
    OSError, and ValueError for a path that the system cannot have; a regular file is then as it
    was, and nothing is left behind.
    """
    if names_stream(path):
        with open(path, "ab") as stream:  # truncates nothing that others have written
            _write(stream.write, pieces)
        return
    import tempfile

    target = os.path.realpath(path)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".grouper-")
    try:
        with os.fdopen(handle, "wb") as file:
            _write(file.write, pieces)
        mode = os.stat(target).st_mode if os.path.exists(target) else 0o666 & ~_umask()
        os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def names_stream(path: str | Path) -> bool:
    """Whether a path leads to what is not a regular file, nor a place for one: a device, a pipe, a
    folder, or a file that the process has open already."""
    return names_open_file(path) or (os.path.exists(path) and not os.path.isfile(path))


def names_open_file(path: str | Path) -> bool:
    """Whether a path leads to an open file of a process, as /dev/stdout and /dev/fd/3 do."""
    link = os.fspath(path)
    for _ in range(40):  # as far as the system itself follows links
        folder = os.path.realpath(os.path.dirname(link) or ".")
        if _DESCRIPTORS.fullmatch(folder):
            return True
        if not os.path.islink(link):
            return False
        link = os.path.join(folder, os.readlink(link))
    return False


def _write(write: Callable[[bytes], object], pieces: Iterable[str | bytes]) -> None:
    for piece in pieces:
        write(piece.encode() if isinstance(piece, str) else piece)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
