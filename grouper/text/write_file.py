"""Writes a regular file atomically, and anything else directly."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_DESCRIPTORS = re.compile(r"/dev/fd|/proc/\d+(/task/\d+)?/fd")  # folders of open files


def write_whole(path: str | Path, pieces: Iterable[str | bytes]) -> None:
    """Write the pieces to the file at a path, following symbolic links.

    A regular or new file is written to a temporary file beside it, which is then renamed: readers
    see either the old or the new content. The mode of an existing file is kept; a new file gets the
    default mode. A device, a pipe or an open file of the process (`/dev/stdout`) is written to
    directly. Raises OSError, and ValueError for an invalid path; a regular file is then unchanged,
    and no temporary file remains.
    """
    if names_stream(path):
        with open(path, "ab") as stream:  # appends to what others have written
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
    """Whether a path exists and is not a regular file (a device, a pipe, a folder), or is a file
    that the process has open."""
    return names_open_file(path) or (os.path.exists(path) and not os.path.isfile(path))


def names_open_file(path: str | Path) -> bool:
    """Whether a path leads to an open file of a process, like /dev/stdout and /dev/fd/3."""
    link = os.fspath(path)
    for _ in range(40):  # the limit of the operating system
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
