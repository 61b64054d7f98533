"""Connections to remote files through fsspec, and messages for their failures.

http and https requests are made here, over fsspec's session: a server may ignore a range request,
so never more than the requested part of its answer is read.
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
    401: ("requires a login", "give an address that needs none, or download the file"),
    403: ("may not be read", "give an address that needs no login"),
    404: ("does not exist", "check the address"),
    410: ("no longer exists", "check the address"),
}


class Absent(ModelError):
    """There is no file at an address."""


@dataclass(frozen=True)
class Connection:
    """A remote file of `size` bytes, and its first bytes if they came with the size.

    `fetch(start, end)` returns the bytes from `start` up to `end`.
    """

    size: int
    fetch: Callable[[int, int], bytes]
    close: Callable[[], None]
    head: bytes = b""


def connect(url: str, path: str, block: int) -> Connection:
    """Connects to an address; `path` is its form for messages.

    Raises ModelError if a package is missing or the file cannot be reached.
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
            f"`{path}`: fsspec does not support the protocol `{protocol}`",
            "download the file",
        ) from None
    if protocol in ("http", "https") and "::" not in url:
        return _http(fsspec.filesystem(protocol), url, path, block)
    with _failures(path):
        system, name = fsspec.core.url_to_fs(url)
        facts = system.info(name)
        if facts["type"] == "directory":
            raise ModelError(
                codes.NOT_A_MODEL, f"`{path}` is a folder", "give the address of a file in it"
            )
        if facts["type"] != "file" or not isinstance(facts.get("size"), int):
            raise ModelError(codes.NOT_A_MODEL, f"`{path}` is not a file of known length")
        file = system.open(name, "rb", block_size=block, cache_type="none")

    def fetch(start: int, end: int) -> bytes:
        with _failures(path):
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
        f"reading `{path}` needs a package that is not installed: {what}",
        "install it, or download the file",
    )


def _http(system: Any, url: str, path: str, block: int) -> Connection:
    sync = importlib.import_module("fsspec.asyn").sync

    def part(start: int, end: int) -> tuple[bytes, int]:
        with _failures(path):
            answer: tuple[bytes, int] = sync(system.loop, _part, system, url, path, start, end)
            return answer

    def fetch(start: int, end: int) -> bytes:
        content, now = part(start, end)
        if now != size:
            raise ModelError(codes.BROKEN, f"`{path}` changed while it was read", "try again")
        return content

    head, size = part(0, block)
    return Connection(size, fetch, lambda: None, head)


async def _part(system: Any, url: str, path: str, start: int, end: int) -> tuple[bytes, int]:
    """The bytes from `start` up to `end` or the file's end, and the file's length."""
    import asyncio  # slow to import, and only remote files need it

    headers = {"Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "identity"}
    async with (
        asyncio.timeout(TIMEOUT),
        following(system, url, headers, path) as answer,
    ):
        content_range, _, total = answer.headers.get("Content-Range", "").rpartition("/")
        if answer.status == 416 and total == "0":
            return b"", 0
        answer.raise_for_status()
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise _no_parts(path)
        if answer.status == 206 and total.isdecimal():
            end = min(end, int(total))
            if content_range != f"bytes {start}-{end - 1}":
                raise _no_parts(path)
            return await _at_most(answer.content, end - start), int(total)
        # The server sends the whole file: accepted if it is no longer than the requested part.
        whole = answer.status == 200 and start == 0
        content = await _at_most(answer.content, end + 1) if whole else b""
        if not whole or len(content) > end:
            raise _no_parts(path)
        return content, len(content)


async def _at_most(content: Any, length: int) -> bytes:
    """Reads at most `length` bytes of an answer."""
    parts = []
    while length and (part := await content.read(length)):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _no_parts(path: str) -> ModelError:
    return ModelError(
        codes.UNSUPPORTED,
        f"`{path}` is on a server that only sends whole files",
        "download it, and give the file",
    )


@contextmanager
def _failures(path: str) -> Iterator[None]:
    """Turns any exception of fsspec and its backends into a ModelError."""
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
    response = getattr(error, "response", None)
    status = getattr(error, "status", None) or getattr(response, "status_code", None)
    if status in _STATUS:
        why, help = _STATUS[status]
        kind = Absent if status in (404, 410) else ModelError
        return kind(codes.UNREACHABLE, f"`{path}` {why}", help)
    if isinstance(error, PermissionError):
        why, help = _STATUS[403]
    elif isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        why, help = f"timed out: no answer within {TIMEOUT:g} s", "try again, or download the file"
    elif isinstance(status, int):
        why, help = f"cannot be read: the server answers {status}", "try again, or download it"
    else:
        why, help = f"cannot be reached: {type(error).__name__}", "check the address"
    return ModelError(codes.UNREACHABLE, f"`{path}` {why}", help)
