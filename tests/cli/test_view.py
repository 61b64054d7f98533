"""`grouper view` writes its page to a file, to standard output, or serves it."""

import json
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from grouper.cli.main import main
from grouper.reports.page.page import embedded

YOLO = "examples/yolov5s.pt"


def test_what_is_embedded_is_the_same_and_ends_no_element():
    value = {"a": ["</script>", "<!--", "\u2028", "&amp;", "\ud800"]}
    assert json.loads(embedded(value)) == value
    assert not {"<", ">", "&"} & set(embedded(value))


def test_the_command_writes_serves_and_refuses(tmp_path, monkeypatch, capsys):
    yolov5 = YOLO
    out = tmp_path / "page.html"
    assert main(["view", yolov5, "yolov5.rules", "--out", str(out)]) == 0
    assert out.read_text("utf-8").startswith("<!doctype html>")
    assert main(["view", yolov5, "--out", "-"]) == 0
    assert "177 tensors" in capsys.readouterr().out
    assert main(["view", yolov5, "yolov5.rules", "--serve", "--out", "x"]) == 2
    assert main(["view", yolov5, "yolov5.rules", "--serve", "70000"]) == 2
    command = [sys.executable, "-m", "grouper", "view", yolov5, "yolov5.rules", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().split()[0]
        with urllib.request.urlopen(address) as answer:
            assert answer.read().decode().startswith("<!doctype html>")
        for path, host in (("x", None), ("", "evil.example")):
            request = urllib.request.Request(address + path, headers={"Host": host} if host else {})
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(request)
        process.terminate()
