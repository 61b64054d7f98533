"""`grouper view` writes its page to a file, to standard output, or serves it."""

import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from grouper.cli.main import main

YOLO = "examples/yolov5s.pt"


def test_the_command_writes_serves_and_refuses(tmp_path, capsys):
    out = tmp_path / "page.html"
    assert main(["view", YOLO, "yolov5.rules", "--out", str(out)]) == 0
    assert out.read_text("utf-8").startswith("<!doctype html>")
    assert main(["view", YOLO, "--out", "-"]) == 0
    assert "177 tensors" in capsys.readouterr().out
    assert main(["view", YOLO, "yolov5.rules", "--serve", "--out", "x"]) == 2
    assert main(["view", YOLO, "yolov5.rules", "--serve", "70000"]) == 2
    command = [sys.executable, "-m", "grouper", "view", YOLO, "yolov5.rules", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().split()[0]
        with urllib.request.urlopen(address) as answer:
            assert answer.read().decode().startswith("<!doctype html>")
        for path, host in (("x", None), ("", "evil.example")):
            request = urllib.request.Request(address + path, headers={"Host": host} if host else {})
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(request)
        process.terminate()
