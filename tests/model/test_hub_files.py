"""Files of the Hugging Face hub, by its own library, from a hub on this machine."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("huggingface_hub")

from grouper.model.errors import ModelError  # noqa: E402
from grouper.model.formats import snapshot  # noqa: E402
from grouper.model.read import read  # noqa: E402

SIZE = 64 << 20  # bytes of the file


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as one repository with one safetensors file needs."""

    protocol_version = "HTTP/1.1"
    content = b""
    sent = 0

    def do_GET(self):
        if "/resolve/main/model.safetensors" in self.path:
            found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"])
            start, end = int(found[1]), min(int(found[2]) + 1, SIZE)
            part = self.content[start:end].ljust(end - start, b"\0")
            Hub.sent += len(part)
            self.answer(206, part, {"Content-Range": f"bytes {start}-{end - 1}/{SIZE}"})
        elif "/tree/main" in self.path:
            file = {"type": "file", "path": "model.safetensors", "size": SIZE, "oid": "a" * 40}
            self.answer(200, json.dumps([file]).encode())
        elif self.path.startswith("/api/models/owner/name"):
            info = {"id": "owner/name", "sha": "b" * 40, "siblings": []}
            self.answer(200, json.dumps(info).encode())
        else:
            self.answer(404, b"{}")

    def answer(self, status, content, headers=None):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def hub(monkeypatch):
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        server.daemon_threads = True
        settings = {"endpoint": f"http://127.0.0.1:{server.server_address[1]}", "token": False}
        monkeypatch.setitem(fsspec.config.conf, "hf", {**settings, "skip_instance_cache": True})
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_file_of_the_hub(hub, tmp_path):
    length = 1024
    shape = [(SIZE - 8 - length) // 2]
    header = {"a.weight": {"dtype": "F16", "shape": shape, "data_offsets": [0, 2 * shape[0]]}}
    Hub.content = length.to_bytes(8, "little") + json.dumps(header).encode().ljust(length)
    Hub.sent = 0
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.write(Hub.content)
        file.truncate(SIZE)
    here, there = read(str(file.name)), read("hf://owner/name/model.safetensors")
    assert snapshot.dumps(there) == snapshot.dumps(here)
    assert 0 < Hub.sent < SIZE / 100


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("hf://owner/name/other.safetensors", "does not exist"),
        ("hf://owner/none/model.safetensors", "does not exist"),
        ("hf://owner/name", "is a folder"),
    ],
)
def test_what_is_no_file_of_the_hub(url, words, hub):
    with pytest.raises(ModelError, match=words):
        read(url)
