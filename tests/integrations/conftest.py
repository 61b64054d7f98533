"""Runs of Ultralytics, in a folder for each module of tests."""

import pytest


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    from torchvision_mended import mend
    from ultralytics_runs import Runs

    mend()
    return Runs(tmp_path_factory.mktemp("runs"))
