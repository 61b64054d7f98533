"""Serves one page to browsers on this machine."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer

from grouper.cli.exit import Failure
from grouper.cli.write import emit

LOOPBACK = "127.0.0.1"


def serve(page: str, port: int, *, quiet: bool = False) -> None:
    """Serve the page on the loopback address until Ctrl-C; port 0 means any free port."""
    content = page.encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # Checking the host prevents DNS rebinding: another site's name may point here.
            host = (self.headers.get("Host") or "").rpartition(":")[0]
            allowed = host in (LOOPBACK, "localhost") and self.path == "/"
            self.send_response(200 if allowed else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content) if allowed else 0))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if allowed:
                self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            """Logs nothing."""

    try:
        server = HTTPServer((LOOPBACK, port), Handler)
    except OSError as error:
        raise Failure(f"cannot serve on port {port}: {error.strerror}") from None
    with server:
        if not quiet:
            emit(f"http://{LOOPBACK}:{server.server_address[1]}/  (stop with Ctrl-C)\n")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return
