"""Runs the language server on the standard streams."""

from __future__ import annotations

import gc
import logging
import os
import sys
from contextlib import redirect_stdout

from pygls.exceptions import JsonRpcContentModified, JsonRpcInvalidParams

from grouper.editor.bind import make_server


def serve(default_model: str | None = None) -> None:
    """Read requests from standard input and write answers to standard output, until it ends.

    The streams are copies, because the library closes them; any other output goes to standard
    error.
    """
    for name in ("json_rpc", "language_server"):
        logging.getLogger(f"pygls.protocol.{name}").addFilter(_is_a_fault)
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    gc.set_threshold(100_000, 20, 50)  # each edit creates and drops trees, which have no cycles
    with redirect_stdout(sys.stderr):
        make_server(default_model).start_io(requests, answers)


def _is_a_fault(record: logging.LogRecord) -> bool:
    """Whether a message of the library is about a fault, not about an error that the editor
    shows."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, JsonRpcContentModified | JsonRpcInvalidParams)
