"""One page for the browsers on this machine."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer

from grouper.cli.exit import Failure
from grouper.cli.write import emit

LOOPBACK = "127.0.0.1"


def serve(page: str, port: int, *, quiet: bool = False) -> None:
    """Serve the page on the loopback address until Ctrl-C; port 0 is any that is free."""
    content = page.encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # A name of the internet may lead here; only this machine's own names may read the page.
            host = (self.headers.get("Host") or "").rpartition(":")[0]
            found = host in (LOOPBACK, "localhost") and self.path == "/"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content) if found else 0))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if found:
                self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            """Requests are nobody's business."""

    try:
        server = HTTPServer((LOOPBACK, port), Handler)
    except OSError as error:
        raise Failure(f"port {port} cannot be served: {error.strerror}") from None
    with server:
        if not quiet:
            emit(f"http://{LOOPBACK}:{server.server_address[1]}/  (Ctrl-C ends it)\n")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return
