"""The garbage collector is off for a while, and as it was behind that."""

import gc

import pytest

import grouper
from grouper.model.read import read
from grouper.text.collector import collector_off


@pytest.fixture(params=[True, False])
def collects(request):
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()


def test_it_is_off_and_as_it_was(collects):
    with collector_off():
        assert not gc.isenabled()
        with collector_off():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled() == collects
    with pytest.raises(KeyboardInterrupt), collector_off():
        raise KeyboardInterrupt
    assert gc.isenabled() == collects


def test_reading_leaves_it_as_it_was(collects, tmp_path):
    read("examples/yolov5s.pt")
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"PK\3\4 and no more")
    for path in (broken, tmp_path / "none.pt"):
        with pytest.raises((grouper.ModelError, FileNotFoundError)):
            read(str(path))
    assert gc.isenabled() == collects
