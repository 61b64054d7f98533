"""Files that are recognised and not read: each is named, with a word on what to do."""

import gzip
import io
import json
import lzma
import os
import pickle
import tarfile
import zipfile
import zlib

import pytest

from grouper.model.errors import ModelError
from grouper.model.files.file import File
from grouper.model.read import read


def packed(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return file.getvalue()


def tar(*names):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return file.getvalue()


PICKLE = pickle.dumps({"weights": [1.0] * 40}, 4)
FILES = {
    "git lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git LFS"),
    "annex": (b"/annex/objects/SHA256E-s1--0.pt\n", "a pointer"),
    "page": (b"\xef\xbb\xbf\r\n<!doctype HTML><html>", "a web page"),
    "xml": (b"<?xml version='1.0'?><Error><Code>AccessDenied", "an XML page"),
    "plain error": (b"Entry not found", "server's error message"),
    "json error": (json.dumps({"error": "Invalid credentials"}).encode(), "server's error"),
    "configuration": (json.dumps({"model_type": "gpt2"}).encode(), "configuration"),
    "gguf": (b"GGUF\3\0\0\0", "GGUF"),
    "hdf5": (b"\x89HDF\r\n\x1a\n", "HDF5"),
    "npy": (b"\x93NUMPY\1\0v\0", "numpy array"),
    "npz": (packed("a.npy", "b.npy"), "numpy arrays"),
    "keras": (packed("metadata.json", "config.json", "model.weights.h5"), "Keras"),
    "torchserve": (packed("model.pt", "MAR-INF/MANIFEST.json"), "TorchServe"),
    "package": (packed("p/.data/extern_modules", "p/.data/version"), "torch.package"),
    "zipped models": (packed("run/best.pt", "run/args.yaml"), "archive of model files"),
    "zip of text": (packed("a.txt"), "without a model"),
    "empty zip": (packed(), "without members"),
    "onnx": (b"\x08\x08\x12\x07pytorch\x1a\x052.1.0:\x90", "ONNX"),
    "saved model": (b"\x08\x01\x12\xa0\x01\n", "TensorFlow"),
    "tflite": (b"\x1c\0\0\0TFL3\x14\0", "TensorFlow Lite"),
    "executorch": (b"\x1c\0\0\0ET12\x14\0", "ExecuTorch"),
    "msgpack": (b"\x81\xa6params\x83\xa5Dense\x82", "Flax"),
    "gzip": (gzip.compress(PICKLE), "gzip"),
    "xz": (lzma.compress(PICKLE), "xz"),
    "zstd": (b"\x28\xb5\x2f\xfd\0", "zstd"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4", "7-Zip"),
    "tar": (tar("model/best.pt"), "a tar archive"),
    "tar of torch": (tar("sys_info", "pickle", "tensors", "storages"), "before 0.1.10"),
    "joblib": (b"\x80\4\x95\0\0\0\0\0\0\0\0\x8c\x13joblib.numpy_pickle\x94", "joblib"),
    "zlib": (zlib.compress(PICKLE), "zlib"),
    "picture": (b"\x89PNG\r\n\x1a\n", "an image"),
    "pdf": (b"%PDF-1.7\n", "PDF"),
    "program": (b"\x7fELF\2\1\1", "a program"),
    "source": (b"import torch\nmodel = torch.nn.Linear(1, 1)\n", "a program's source"),
}


def finding(path):
    with pytest.raises(ModelError) as caught:
        read(str(path))
    return caught.value.finding


@pytest.mark.parametrize("name", FILES)
def test_files_of_others_are_named(name, tmp_path):
    content, words = FILES[name]
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    found = finding(path)
    assert words in found.message
    assert found.help
    assert found.code.id == ("GR401" if name == "zip of text" else "GR404")


@pytest.mark.parametrize(
    "content", [b"hello", b"\0" * 600, b"[1, 2]", b"{x", b"layers:\n- 1\n", b'abcdefgh{"a": 1}']
)
def test_what_is_not_recognised(content, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    assert finding(path).code.id == "GR401"


@pytest.mark.parametrize("name", FILES)
def test_files_of_others_cut_short_anywhere(name, tmp_path):
    content, _ = FILES[name]
    path = tmp_path / "model.pt"
    for length in range(min(len(content), 600)):
        path.write_bytes(content[:length])
        assert finding(path).code.id in ("GR401", "GR402", "GR403", "GR404")


def test_real_libraries_files_are_named(tmp_path):
    numpy = pytest.importorskip("numpy")
    numpy.save(tmp_path / "a.npy", numpy.zeros(3))
    numpy.savez_compressed(tmp_path / "a.npz", a=numpy.zeros(3))
    assert "numpy array" in finding(tmp_path / "a.npy").message
    assert "numpy arrays" in finding(tmp_path / "a.npz").message


def test_what_a_failed_save_leaves_behind(tmp_path):
    torch = pytest.importorskip("torch")
    path = str(tmp_path / "model.pt")
    with pytest.raises((AttributeError, pickle.PicklingError)):
        torch.save(lambda: None, path)
    with pytest.raises(ModelError, match="incomplete archive"):
        read(path)


def test_a_file_that_shrinks_while_it_is_read(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"x" * 100)
    with File(str(path)) as file:
        os.truncate(path, 50)
        assert file.read(0, 50) == b"x" * 50
        with pytest.raises(ModelError) as caught:
            file.read(0, 100)
    assert caught.value.finding.code.id == "GR402"


def test_what_is_no_file_is_not_opened(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "fifo")
    opened = []
    monkeypatch.setattr(os, "open", lambda *arguments: opened.append(arguments))
    for path in (tmp_path / "fifo", "/dev/null", "/dev/zero", "/dev/tty"):
        assert finding(path).code.id == "GR401"
    assert not opened


def test_links_that_lead_nowhere(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "gone").symlink_to(tmp_path / "none")
    with pytest.raises(OSError, match="symbolic links"):
        read(str(tmp_path / "loop"))
    with pytest.raises(FileNotFoundError):
        read(str(tmp_path / "gone"))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"PK")
    path.chmod(0)
    with pytest.raises(PermissionError):
        read(str(path))
