"""A server of files on this machine that counts what it sends, and can be a bad one."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

PIECE = 1 << 16
ENDLESS = 1 << 26  # bytes that a server sends which does not stop; clients hang up long before


class Server(ThreadingHTTPServer):
    """Serves a folder. `manner` says how:

    "ranges" as it should; "whole" ignores which part is asked for; "endless" sends more than the
    part; "elsewhere" sends another part; "unsized" does not say how long the file is; "short" ends
    the connection early; "silent" does not answer; "gzip" claims to have compressed; a number is
    the status of every answer. `moved` are paths that redirect, and where to.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.manner = folder, "ranges"
        self.sent, self.asked = 0, []
        self.moved: dict[str, str] = {}
        self.done = threading.Event()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"

    def handle_error(self, request, client_address):
        """A client that hangs up is what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self):
        path = self.server.folder / unquote(self.path.partition("?")[0].lstrip("/"))
        manner, wanted = self.server.manner, self.headers.get("Range")
        self.server.asked.append((self.path, wanted))
        if self.path in self.server.moved:
            self._head(302, {"Location": self.server.moved[self.path], "Content-Length": "0"})
        elif manner == "silent":
            self.server.done.wait(20)
            self.close_connection = True
        elif isinstance(manner, int) or not path.is_file():
            self._head(manner if isinstance(manner, int) else 404, {"Content-Length": "0"})
        else:
            self._file(path, path.stat().st_size, manner, wanted)

    def _file(self, path, size, manner, wanted):
        start, end, status = 0, size, 200
        headers = {}
        if wanted and manner != "whole":
            found = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted)
            start, end, status = int(found[1]), min(int(found[2]) + 1, size), 206
            if start >= size:
                self._head(416, {"Content-Range": f"bytes */{size}", "Content-Length": "0"})
                return
            start += manner == "elsewhere"
            total = "*" if manner == "unsized" else size
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{total}"
        length = ENDLESS if manner == "endless" else end - start
        headers["Content-Length"] = str(length)
        if manner == "gzip":
            headers["Content-Encoding"] = "gzip"
        self._head(status, headers)
        with path.open("rb") as file:
            file.seek(start)
            if manner == "short":
                length //= 2
                self.close_connection = True
            while length > 0:
                part = file.read(min(PIECE, length)) or bytes(min(PIECE, length))
                self.wfile.write(part)
                self.server.sent += len(part)
                length -= len(part)

    def _head(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@contextmanager
def serving(folder: Path):
    """A server of the folder, for as long as the block runs."""
    with Server(folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.done.set()
            server.shutdown()
            thread.join()
