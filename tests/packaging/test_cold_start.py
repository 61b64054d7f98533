"""What a command imports and makes when it starts: most of the time that a small one takes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODEL, RULES = "examples/yolov5s.pt", "rules/yolov5.rules"
COUNT = """
import json, os, sys

before = set(sys.modules)

def count(status):
    new = set(sys.modules) - before
    top = {name: name.partition(".")[0] for name in new}
    own = [sys.modules[name] for name in new if top[name] == "grouper"]
    classes = [c for module in own for c in vars(module).values()
               if isinstance(c, type) and c.__module__ == module.__name__]
    json.dump({
        "grouper": len(own),
        "libraries": sum(name in ("lark", "rich", "pygments") for name in top.values()),
        "standard": sum(name in sys.stdlib_module_names for name in top.values()),
        "light": sum("__grouper_fields__" in vars(c) for c in classes),
        "dataclasses": sum("__dataclass_params__" in vars(c) and "__grouper_fields__" not in vars(c)
                           for c in classes),
        "heavy": sorted({"torch", "numpy", "rich", "ultralytics"} & {*top.values()}),
    }, sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    leave(status)

leave, os._exit = os._exit, count  # as a command ends
from grouper.__main__ import main
sys.exit(main())
"""


def counted(*arguments):
    command = [sys.executable, "-c", COUNT, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stderr)


@pytest.mark.parametrize(
    ("arguments", "grouper", "libraries", "standard", "light"),
    [
        (("check", MODEL, RULES), 237, 15, 64, 150),
        (("check", MODEL, RULES, "--format", "json"), 228, 15, 64, 143),
        (("check", RULES), 182, 15, 61, 138),
        (("--version",), 7, 1, 20, 0),
        (("rule", "GR101"), 12, 1, 28, 0),
    ],
    ids=["check", "json", "rules alone", "version", "rule"],
)
def test_a_cold_start_stays_within_its_budget(arguments, grouper, libraries, standard, light):
    counts = counted(*arguments)
    assert counts["heavy"] == []
    assert counts["dataclasses"] == 0  # each takes twenty times as long to make as a light one
    assert counts["grouper"] <= grouper
    assert counts["libraries"] <= libraries
    assert counts["standard"] <= standard  # some versions of Python have a few more
    assert counts["light"] <= light
