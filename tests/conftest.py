"""Switches of the test suite."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "grouper",
    deadline=None,  # machines are shared, and a law is no benchmark
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("grouper")


def pytest_addoption(parser):
    parser.addoption("--update", action="store_true", help="rewrite the golden files")
    parser.addoption("--slow", action="store_true", help="also run what takes many seconds")
    parser.addoption("--nightly", action="store_true", help="also run what takes minutes")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes many seconds; run with --slow, as .ci/run does")
    config.addinivalue_line("markers", "nightly: takes minutes; run with --nightly")


def pytest_collection_modifyitems(config, items):
    for item in items:
        if "nightly" in item.keywords:
            item.add_marker(pytest.mark.timeout(0))
    for marker in ("slow", "nightly"):
        if not config.getoption(f"--{marker}"):
            left_out = [item for item in items if marker in item.keywords]
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if marker not in item.keywords]


@pytest.fixture
def golden(request):
    """`golden(path, text)`: the text is that of the file under tests/golden."""
    folder = request.config.rootpath / "tests" / "golden"

    def compare(path, text):
        file = folder / path
        if request.config.getoption("--update"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        assert file.exists(), f"{path} is new: run pytest --update and read it"
        assert text == file.read_text("utf-8")

    return compare
