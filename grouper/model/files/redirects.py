"""Redirects of a server, followed only to where its address could have sent anybody."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urljoin, urlsplit

from grouper.model import codes
from grouper.model.errors import ModelError

MOST = 10
_MOVED = (301, 302, 303, 307, 308)


@asynccontextmanager
async def following(
    system: Any, url: str, headers: Mapping[str, str], path: str
) -> AsyncIterator[Any]:
    """The answer to a GET, after the redirects that lead to it.

    A server of the internet may not send its visitors to services of their own network: a redirect
    to a private or loopback address is followed only where the first address was one. Raises
    ModelError for such a redirect, and for more than ten.
    """
    session, inside = await system.set_session(), await is_private(url)
    for _ in range(MOST):
        asked = session.get(system.encode_url(url), headers=headers, allow_redirects=False)
        async with asked as answer:
            target = answer.headers.get("Location")
            if answer.status not in _MOVED or target is None:
                yield answer
                return
        url = urljoin(url, target)
        if urlsplit(url).scheme not in ("http", "https"):
            raise _refused(path, "to an address that is not of the web")
        if not inside and await is_private(url):
            raise _refused(path, "into the network of this machine")
    raise _refused(path, f"more than {MOST} times")


async def is_private(url: str) -> bool:
    """Whether a host is, or by its name has, an address that only this network can reach."""
    import asyncio  # slow, and remote files alone need it

    parts = urlsplit(url)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(parts.hostname or "", parts.port)
    except OSError:
        return False  # the request itself then says that there is no such host
    return not all(ipaddress.ip_address(_host(address)).is_global for *_, address in found)


def _host(address: tuple[Any, ...]) -> str:
    """The number of a host in a socket address, without the interface it is seen through."""
    return str(address[0]).partition("%")[0]


def _refused(path: str, where: str) -> ModelError:
    return ModelError(
        codes.UNREACHABLE,
        f"`{path}` redirects {where}, and that is not followed",
        "give the address that it leads to, if you trust it, or download the file",
    )
