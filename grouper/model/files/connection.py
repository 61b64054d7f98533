"""Connections to remote files: what is asked of fsspec, and what its failures mean in words.

http and https are asked here, over fsspec's session: a server may ignore which part of a file it
was asked for, and no more of its answer than that part is ever taken.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from grouper.model import codes
from grouper.model.errors import ModelError
from grouper.model.files.redirects import following
from grouper.text.dataclass import dataclass

TIMEOUT = 30.0  # seconds, for one request
_STATUS = {
    401: ("asks for a login", "give an address that needs none, or download the file"),
    403: ("may not be read", "give an address that may be read without a login"),
    404: ("does not exist", "check the address"),
    410: ("does not exist any more", "check the address"),
}


class Absent(ModelError):
    """There is no file at an address."""


@dataclass(frozen=True)
class Connection:
    """A remote file of `size` bytes, and its first bytes where they came with the size.

    `fetch(start, end)` gets the bytes from `start` up to `end`.
    """

    size: int
    fetch: Callable[[int, int], bytes]
    close: Callable[[], None]
    head: bytes = b""


def connect(url: str, path: str, block: int) -> Connection:
    """The connection to an address; `path` is what the user reads of it in messages.

    Raises ModelError where a package is missing, or the file cannot be reached.
    """
    fsspec = _fsspec(path)
    protocol = url.partition("::")[0].partition("://")[0].lower()
    try:
        fsspec.get_filesystem_class(protocol)
    except ImportError as error:
        raise _not_installed(path, str(error)) from None
    except ValueError:
        raise ModelError(
            codes.UNSUPPORTED,
            f"`{path}`: fsspec does not know the protocol `{protocol}`",
            "download the file",
        ) from None
    if protocol in ("http", "https") and "::" not in url:
        return _http(fsspec.filesystem(protocol), url, path, block)
    with _told(path):
        system, name = fsspec.core.url_to_fs(url)
        facts = system.info(name)
        if facts["type"] == "directory":
            raise ModelError(
                codes.NOT_A_MODEL, f"`{path}` is a folder", "give the address of a file in it"
            )
        if facts["type"] != "file" or not isinstance(facts.get("size"), int):
            raise ModelError(codes.NOT_A_MODEL, f"`{path}` has no known length")
        file = system.open(name, "rb", block_size=block, cache_type="none")

    def fetch(start: int, end: int) -> bytes:
        with _told(path):
            file.seek(start)
            return bytes(file.read(end - start))

    return Connection(facts["size"], fetch, file.close)


def _fsspec(path: str) -> Any:
    try:
        return importlib.import_module("fsspec")
    except ImportError:
        raise _not_installed(path, "fsspec (`pip install 'fsspec[http]'`)") from None


def _not_installed(path: str, what: str) -> ModelError:
    return ModelError(
        codes.NOT_INSTALLED,
        f"reading `{path}` needs what is not installed: {what}",
        "install it, or download the file",
    )


def _http(system: Any, url: str, path: str, block: int) -> Connection:
    sync = importlib.import_module("fsspec.asyn").sync

    def part(start: int, end: int) -> tuple[bytes, int]:
        with _told(path):
            found: tuple[bytes, int] = sync(system.loop, _part, system, url, path, start, end)
            return found

    def fetch(start: int, end: int) -> bytes:
        content, now = part(start, end)
        if now != size:
            raise ModelError(codes.BROKEN, f"`{path}` has changed while it was read", "try again")
        return content

    head, size = part(0, block)
    return Connection(size, fetch, lambda: None, head)


async def _part(system: Any, url: str, path: str, start: int, end: int) -> tuple[bytes, int]:
    """The bytes from `start` up to `end` or the file's end, and the file's length."""
    import asyncio  # slow, and remote files alone need it

    wanted = {"Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "identity"}
    async with (
        asyncio.timeout(TIMEOUT),
        following(system, url, wanted, path) as answer,
    ):
        told, _, total = answer.headers.get("Content-Range", "").rpartition("/")
        if answer.status == 416 and total == "0":
            return b"", 0
        answer.raise_for_status()
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise _no_parts(path)
        if answer.status == 206 and total.isdecimal():
            end = min(end, int(total))
            if told != f"bytes {start}-{end - 1}":
                raise _no_parts(path)
            return await _taken(answer.content, end - start), int(total)
        # The whole file instead: good enough where that is no more than was asked for.
        whole = answer.status == 200 and start == 0
        content = await _taken(answer.content, end + 1) if whole else b""
        if not whole or len(content) > end:
            raise _no_parts(path)
        return content, len(content)


async def _taken(content: Any, length: int) -> bytes:
    """At most so many bytes of an answer, whatever it has left."""
    parts = []
    while length and (part := await content.read(length)):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _no_parts(path: str) -> ModelError:
    return ModelError(
        codes.UNSUPPORTED,
        f"`{path}` is on a server that sends whole files only",
        "download it, and give the file",
    )


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Turns whatever fsspec and the packages below it raise into a ModelError."""
    try:
        yield
    except ModelError:
        raise
    except ImportError as error:
        raise _not_installed(path, str(error)) from error
    except FileNotFoundError as error:
        raise Absent(codes.UNREACHABLE, f"`{path}` {_STATUS[404][0]}", _STATUS[404][1]) from error
    except Exception as error:
        raise _unreachable(path, error) from error


def _unreachable(path: str, error: Exception) -> ModelError:
    answered = getattr(error, "response", None)
    status = getattr(error, "status", None) or getattr(answered, "status_code", None)
    if status in _STATUS:
        why, help = _STATUS[status]
        kind = Absent if status in (404, 410) else ModelError
        return kind(codes.UNREACHABLE, f"`{path}` {why}", help)
    if isinstance(error, PermissionError):
        why, help = _STATUS[403]
    elif isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        why, help = f"gives no answer within {TIMEOUT:g} s", "try again, or download the file"
    elif isinstance(status, int):
        why, help = f"cannot be had: the server answers {status}", "try again, or download it"
    else:
        why, help = f"cannot be reached: {type(error).__name__}", "check the address"
    return ModelError(codes.UNREACHABLE, f"`{path}` {why}", help)
