"""Follows a server's redirects, but not from public addresses into private networks."""

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
    """The answer to a GET request, after following redirects.

    A server on the internet must not redirect to services in the user's network: a redirect to a
    private or loopback address is followed only if the first address was one. Raises ModelError for
    such a redirect, and for more than ten redirects.
    """
    session, inside = await system.set_session(), await is_private(url)
    for _ in range(MOST):
        request = session.get(system.encode_url(url), headers=headers, allow_redirects=False)
        async with request as answer:
            target = answer.headers.get("Location")
            if answer.status not in _MOVED or target is None:
                yield answer
                return
        url = urljoin(url, target)
        if urlsplit(url).scheme not in ("http", "https"):
            raise _refused(path, "to an address other than http or https")
        if not inside and await is_private(url):
            raise _refused(path, "into this machine's network")
    raise _refused(path, f"more than {MOST} times")


async def is_private(url: str) -> bool:
    """Whether a host is, or resolves to, an address that only this network can reach."""
    import asyncio  # slow to import, and only remote files need it

    parts = urlsplit(url)
    try:
        addresses = await asyncio.get_running_loop().getaddrinfo(parts.hostname or "", parts.port)
    except OSError:
        return False  # the request itself then reports the unknown host
    return not all(ipaddress.ip_address(_host(address)).is_global for *_, address in addresses)


def _host(address: tuple[Any, ...]) -> str:
    """The IP address in a socket address, without the network interface."""
    return str(address[0]).partition("%")[0]


def _refused(path: str, where: str) -> ModelError:
    return ModelError(
        codes.UNREACHABLE,
        f"`{path}` redirects {where}; this is not followed",
        "give the address that it leads to, if you trust it, or download the file",
    )
