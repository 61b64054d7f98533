"""Runs of Ultralytics, in a folder for each module of tests."""

import pytest


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    from support.torchvision_stub import mend
    from support.ultralytics_cases import Runs

    mend()
    return Runs(tmp_path_factory.mktemp("runs"))
