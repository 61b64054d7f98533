"""A folder of static files on this machine, as any host would serve it."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.pages import ROOT

PLAYGROUND = ROOT / "docs" / "playground"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path):
    """The address of a folder while it is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def built_playground(folder: Path) -> Path:
    """The folder, with the playground built into it; skips the test where it cannot be."""
    if not (PLAYGROUND / "node_modules" / "pyodide").exists():
        pytest.skip("run `npm ci` in docs/playground first")
    folder.mkdir(exist_ok=True)
    subprocess.run([sys.executable, PLAYGROUND / "build.py", folder], check=True, cwd=folder)
    return folder
