"""Remote files: the same report as from the disk, by few requests for few bytes."""

import asyncio
import gzip
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from shutil import copyfile

import pytest

pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")

from support.range_server import serving

import grouper
from grouper.cli.main import main
from grouper.model.errors import ModelError
from grouper.model.files import connection, redirects, remote
from grouper.model.formats import snapshot
from grouper.model.inventory import Inventory, Parameter
from grouper.model.read import read
from grouper.text.addresses import without_secrets

ROOT = Path(__file__).parents[2]
YOLO = ROOT / "examples" / "yolov5s.pt"
INVENTORY = Inventory((Parameter(("a.b",), (2, 3), "float32", True, "a.b"),))


@pytest.fixture
def server(tmp_path):
    with serving(tmp_path) as server:
        yield server


def text_of(path):
    """All that an inventory says but where it was read."""
    return snapshot.dumps(read(str(path)))


def refused(path):
    with pytest.raises(ModelError) as caught:
        read(str(path))
    return caught.value.finding


def filled(path, *, head=b"", size):
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)
    return path


def safetensors_file(path, *, rows, layers=4):
    """A file as the safetensors library writes it, but for its data: a hole."""
    size, header = rows * 1000 * 4, {}
    for i in range(layers):
        header[f"layers.{i}.weight"] = {
            "dtype": "F32",
            "shape": [rows, 1000],
            "data_offsets": [i * size, (i + 1) * size],
        }
    text = json.dumps(header).encode()
    head = len(text).to_bytes(8, "little") + text
    return filled(path, head=head, size=len(head) + layers * size)


def test_a_checkpoint_is_read_as_from_the_disk(server, tmp_path):
    copyfile(YOLO, tmp_path / "yolov5s.pt")
    there = server.url("yolov5s.pt")
    assert text_of(there) == text_of(YOLO)
    assert read(there).path == there
    assert read(there).modules


def test_only_the_parts_that_describe_it_are_sent(server, tmp_path):
    torch = pytest.importorskip("torch")
    model = torch.nn.ModuleList(torch.nn.Linear(1000, 1000) for _ in range(10))  # 40 MB
    torch.save(model.state_dict(), tmp_path / "model.pt")
    size = (tmp_path / "model.pt").stat().st_size
    assert text_of(server.url("model.pt")) == text_of(tmp_path / "model.pt")
    assert server.sent < size / 100
    assert len(server.asked) <= 4


def test_bytes_read_is_what_the_server_sent(server, tmp_path):
    copyfile(YOLO, tmp_path / "yolov5s.pt")
    with remote.Remote(server.url("yolov5s.pt")) as file:
        assert file.size == YOLO.stat().st_size
        content = YOLO.read_bytes()
        for offset, length in ((0, 10), (5, 70_000), (file.size - 3, 3), (65_535, 2), (9, 0)):
            assert file.read(offset, length) == content[offset : offset + length]
        assert file.bytes_read == server.sent


def test_reading_on_takes_fewer_requests_and_little_memory(server, tmp_path):
    size = 48 << 20
    (tmp_path / "long").write_bytes(os.urandom(1 << 20) * (size >> 20))
    content = (tmp_path / "long").read_bytes()
    with remote.Remote(server.url("long")) as file:
        parts = [file.read(at, 65_536) for at in range(0, size, 65_536)]
        assert b"".join(parts) == content
        assert len(server.asked) < 24
        assert len(file._blocks) <= remote.KEPT
        assert file.read(3, size - 5) == content[3:-2]  # longer than what is kept
        assert len(file._blocks) <= remote.KEPT


@pytest.mark.parametrize("past", [(-1, 4), (0, 11), (10, 1), (2, -1)])
def test_nothing_is_read_past_the_end(past, server, tmp_path):
    (tmp_path / "ten").write_bytes(b"0123456789")
    with remote.Remote(server.url("ten")) as file, pytest.raises(ModelError):
        file.read(*past)


def test_shards_are_read_beside_their_index(server, tmp_path):
    rows = 1000
    safetensors_file(tmp_path / "a b.safetensors", rows=rows, layers=2)
    index = {"metadata": {}, "weight_map": {}}
    for i in range(2):
        index["weight_map"][f"layers.{i}.weight"] = "a b.safetensors"
    index["weight_map"]["lost"] = "not-there.safetensors"
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    there = server.url("model.safetensors.index.json?token=secret")
    assert text_of(there) == text_of(tmp_path / "model.safetensors.index.json")
    assert server.sent < 2 * rows * 4000 / 100
    assert ("/a%20b.safetensors?token=secret") in {path for path, _ in server.asked}
    assert "1 of 2 files are missing" in " ".join(read(there).remarks)


def test_a_small_file_is_read_from_any_server(server, tmp_path):
    (tmp_path / "model.json").write_text(snapshot.dumps(INVENTORY))
    server.manner = "whole"
    assert read(server.url("model.json")).parameters == INVENTORY.parameters


@pytest.mark.parametrize("manner", ["whole", "elsewhere", "unsized", "gzip"])
def test_a_server_that_cannot_send_parts_is_said_to_be_one(manner, server, tmp_path):
    safetensors_file(tmp_path / "model.safetensors", rows=10_000)  # 160 MB
    server.manner = manner
    finding = refused(server.url("model.safetensors"))
    assert finding.code.id == "GR404"
    assert "whole files" in finding.message
    assert "download" in finding.help
    assert server.sent < 16 << 20  # what the sockets hold, and no more


def test_more_than_was_asked_for_is_not_taken(server, tmp_path):
    safetensors_file(tmp_path / "model.safetensors", rows=10_000)
    server.manner = "endless"
    assert text_of(server.url("model.safetensors")) == text_of(tmp_path / "model.safetensors")
    with remote.Remote(server.url("model.safetensors")) as file:
        assert file.bytes_read == remote.BLOCK


@pytest.mark.parametrize(
    ("status", "word"),
    [(401, "login"), (403, "may not be read"), (404, "does not exist"), (500, "answers 500")],
)
def test_the_message_gives_the_status_of_the_server(status, word, server):
    server.manner = status
    finding = refused(server.url("model.pt"))
    assert (finding.code.id, finding.code.name) == ("GR407", "unreachable")
    assert word in finding.message
    assert finding.help


def test_a_file_that_is_not_there(server):
    assert "does not exist" in refused(server.url("nothing.pt")).message


def test_a_server_that_does_not_answer(server, tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "TIMEOUT", 0.3)
    server.manner = "silent"
    start = time.perf_counter()
    finding = refused(server.url("model.pt"))
    assert time.perf_counter() - start < 5
    assert finding.code.id == "GR407"
    assert "no answer" in finding.message


def test_a_connection_that_ends_early(server, tmp_path):
    copyfile(YOLO, tmp_path / "yolov5s.pt")
    server.manner = "short"
    assert refused(server.url("yolov5s.pt")).code.id in ("GR402", "GR407")


def test_a_machine_that_is_not_there(server):
    url = server.url("model.pt")
    server.server_close()
    assert "cannot be reached" in refused(url.replace("127.0.0.1", "nowhere.invalid")).message


def test_a_file_that_changes_while_it_is_read(server, tmp_path):
    path = filled(tmp_path / "model", size=1 << 20)
    with remote.Remote(server.url("model")) as file:
        filled(path, size=1 << 19)
        with pytest.raises(ModelError, match=r"changed|cannot be"):
            file.read(200_000, 10)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"<!DOCTYPE html>", gzip.compress(b"a", mtime=0)],
    ids=["empty", "text", "page", "gzip"],
)
def test_other_files_are_refused_as_on_the_disk(content, server, tmp_path):
    (tmp_path / "other").write_bytes(content)
    here, there = refused(tmp_path / "other"), refused(server.url("other"))
    assert here.code == there.code
    assert here.message.replace(str(tmp_path / "other"), server.url("other")) == there.message


def test_secrets_of_an_address_are_not_shown(server, tmp_path):
    copyfile(YOLO, tmp_path / "yolov5s.pt")
    secret = server.url("yolov5s.pt").replace("//", "//me:password@") + "?signature=abc"
    assert read(secret).path == server.url("yolov5s.pt")
    message = refused(secret.replace("yolov5s", "nothing")).message
    assert "password" not in message
    assert "abc" not in message


SECRETS = [
    "http://u:secret/x@localhost/y.pt",
    "foo://u@h/x?t=secret",
    "http://localhost:1/a;token=secret/y.pt",
    "http:/u:secret@h/y.pt",
    "s3://u:secret@b/k?x=secret#secret",
    "simplecache::http://u:secret@localhost:1/x?secret",
    "http:///u:secret@h",
    "HTTP:\\\\u:secret@h",
    "//u:secret@h/x",
    "https:u:secret@h",
]


@pytest.mark.parametrize("address", SECRETS)
def test_no_message_has_a_secret_of_an_address(address, capsys):
    yolo = str(YOLO)
    for arguments in ([address, "yolov5.rules"], [yolo, address], ["--model", address, "a.rules"]):
        assert main(["check", *arguments]) == 2
        assert "secret" not in "".join(capsys.readouterr())
    reading = [read] if remote.recognises(address) else []
    for call in (grouper.load, lambda rules: grouper.check(yolo, rules), *reading):
        with pytest.raises((OSError, ModelError)) as caught:
            call(address)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("path", ["a@b/c;d.pt", "C:/a?b#c.pt", "timm:vit@384", "./u:p@h", "a::b"])
def test_paths_are_shown_as_they_are(path):
    assert without_secrets(path) == path


PRIVATE = ["127.0.0.2", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "0.0.0.0"]


@pytest.mark.parametrize(
    ("host", "private"), [*((host, True) for host in PRIVATE), ("8.8.8.8", False)]
)
def test_which_hosts_are_in_this_network(host, private):
    assert asyncio.run(redirects.is_private(f"http://{host}:80/x")) is private


def test_redirects_are_followed(server, tmp_path):
    copyfile(YOLO, tmp_path / "yolov5s.pt")
    server.moved = {"/a": "/b", "/b": server.url("yolov5s.pt").replace("127.0.0.1", "localhost")}
    assert text_of(server.url("a")) == text_of(YOLO)


@pytest.mark.parametrize("target", ["/around", "file:///etc/passwd", "http://127.0.0.1:1/inside"])
def test_redirects_that_lead_nowhere_good(target, server, monkeypatch):
    """The first address counts as one of the internet here, and all others as what they are."""
    known = redirects.is_private

    async def outside(url):
        return "around" not in url and await known(url)

    monkeypatch.setattr(redirects, "is_private", outside)
    server.moved = {"/around": target}
    finding = refused(server.url("around"))
    assert finding.code.id == "GR407"
    assert "not followed" in finding.message
    assert "inside" not in {path for path, _ in server.asked}


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("https://h/a/b.json?x=/y", "https://h/a/c%20d?x=/y"),
        ("s3://bucket/a/b.json", "s3://bucket/a/c d"),
        ("zip://in/b.json::https://h/z.zip", "zip://in/c d::https://h/z.zip"),
    ],
)
def test_the_address_of_a_neighbour(url, other):
    assert remote.sibling(url, "c d") == other


def test_any_protocol_of_fsspec(tmp_path):
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/models/yolov5s.pt", YOLO.read_bytes())
    assert text_of("memory://models/yolov5s.pt") == text_of(YOLO)
    assert text_of(f"file://{YOLO}") == text_of(YOLO)
    assert "folder" in refused("memory://models").message
    assert "does not exist" in refused("memory://models/nothing.pt").message
    assert "folder" in refused(f"file://{tmp_path}").message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_by_its_address(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert refused(f"file://{tmp_path / 'fifo'}").code.id == "GR401"


def test_a_protocol_that_nobody_knows():
    finding = refused("gopher://host/model.pt")
    assert finding.code.id == "GR404"
    assert "`gopher`" in finding.message


@pytest.mark.parametrize("missing", ["fsspec", "aiohttp"])
def test_a_package_that_is_not_installed(missing, monkeypatch):
    for name in [n for n in sys.modules if n.split(".")[0] == "fsspec"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    finding = refused("https://host/model.pt")
    assert finding.code.id == "GR406"
    assert missing in finding.message


def test_a_file_of_that_name_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("https:").mkdir()
    copyfile(YOLO, "https:/yolov5s.pt")
    assert replace(read("https://yolov5s.pt"), path="") == replace(read(str(YOLO)), path="")


def test_the_command_reads_an_address(server, tmp_path):
    copyfile(YOLO, tmp_path / "yolov5s.pt")
    command = [sys.executable, "-W", "error", "-m", "grouper", "check"]
    rules = str(ROOT / "rules" / "yolov5.rules")
    here = subprocess.run([*command, str(YOLO), rules], capture_output=True, text=True)
    url = server.url("yolov5s.pt")
    there = subprocess.run([*command, url, rules], capture_output=True, text=True)
    assert (there.returncode, there.stderr) == (here.returncode, "")
    assert there.stdout.split() == here.stdout.replace(str(YOLO), url).split()
    lost = subprocess.run([*command, server.url("no.pt"), rules], capture_output=True, text=True)
    assert lost.returncode == 2
    assert lost.stderr.startswith("error[GR407]: ")


def test_files_on_the_disk_are_read_without_fsspec(tmp_path):
    code = f"import sys, grouper; grouper.check({str(YOLO)!r}, 'yolov5.rules'); print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(found.stdout.split())
    assert not {"fsspec", "aiohttp", "asyncio", "torch", "numpy"} & loaded
