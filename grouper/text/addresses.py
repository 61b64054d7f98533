"""Removes passwords, tokens and signatures from addresses before they are printed or logged."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:[/\\]|[A-Za-z][A-Za-z0-9+.-]+::|[/\\]{2}[^/\\]*@")
_WEB = re.compile(r"(https?|s3|gs|gcs|az|abfs|ftp|sftp|ssh|hf):[^/\\]", re.IGNORECASE)
_SCHEME = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?[/\\]*")


def without_secrets(text: str) -> str:
    """An address without user, password, query, fragment and `;token=...`. Other text, such as a
    path, is returned unchanged."""
    if not _ADDRESS.match(text) and not _WEB.match(text):
        return text
    return "::".join(map(_plain, text.split("::")))


def _plain(address: str) -> str:
    address = re.split("[?#]", address, maxsplit=1)[0]
    scheme = _SCHEME.match(address)
    assert scheme is not None
    rest = re.sub(r";[^/\\]*", "", address[scheme.end() :])
    place = re.split(r"[/\\]", rest, maxsplit=1)[0]
    if "@" in place:
        rest = place.rpartition("@")[2] + rest[len(place) :]
    elif ":" in place and "@" in rest:  # possibly a password that contains a slash
        rest = f"...@{rest.rpartition('@')[2]}"
    return scheme.group() + rest
