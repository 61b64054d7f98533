"""Models named by what builds them: what is built, and every way in which none comes of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import grouper  # noqa: E402
from grouper.model import factories  # noqa: E402
from grouper.model.errors import ModelError  # noqa: E402
from grouper.model.formats import snapshot  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402
from grouper.model.read import read  # noqa: E402

CODE = """
import sys
from torch import nn, ones

print("importing")


class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.embedding = nn.Embedding(9, width)
        self.norm = nn.BatchNorm1d(width)
        self.head = nn.Linear(width, 9, bias=False)
        self.head.weight = self.embedding.weight
        self.norm.weight.requires_grad = False


class Shop:
    @staticmethod
    def make():
        return Net(5)


def build():
    print("building")
    return Net()


def huge():
    return nn.Linear(1 << 20, 1 << 24)  # 64 TB of values


def looks():
    net = Net()
    net.scale = net.head.weight.detach().abs().max().item()
    return net


def asks(width, *more, depth, heads=2):
    return Net(width)


def pair():
    return Net(), "config"


def fails():
    raise ValueError("no weights\\nat all")


def leaves():
    sys.exit("usage: train.py")


def looks_and_fails():
    raise ValueError("a meta tensor has no content")


built = Net()
version = "1.0"
"""


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """A folder with the user's own code, which is where grouper is run."""
    monkeypatch.chdir(tmp_path)
    Path("shop_models.py").write_text(CODE)
    Path("shop_broken.py").write_text("import torch\n1 / 0\n")
    Path("shop_lacking.py").write_text("import package_that_nobody_has\n")
    Path("shop_misspelt.py").write_text("from torch import no_such_name\n")
    yield tmp_path
    for name in [n for n in sys.modules if n.startswith("shop_")]:
        del sys.modules[name]


def refused(spec, key=None):
    with pytest.raises(ModelError) as caught:
        read(spec, key)
    assert caught.value.finding.help
    return caught.value.finding


@pytest.mark.parametrize("spec", ["shop_models:build", "shop_models:Net", "shop_models:built"])
def test_what_is_built_is_the_live_model(spec):
    found = read(spec)
    import shop_models

    live = inventory_of(shop_models.Net())
    assert found.parameters == live.parameters
    assert found.modules == live.modules
    assert found.buffers == live.buffers
    assert (found.path, found.kind, found.order) == (spec, "nn.Module", "module")
    assert found.by_name["head.weight"].tied


def test_attributes_of_attributes():
    assert read("shop_models:Shop.make").by_name["head.weight"].shape == (9, 5)


def test_no_memory_is_taken_for_the_values():
    assert read("shop_models:huge").numel > 1 << 44


def test_code_that_needs_content_is_given_it():
    found = read("shop_models:looks")
    assert found.parameters == read("shop_models:build").parameters
    assert "built with real weights" in found.remarks[0]


def test_the_report_is_the_live_one(project):
    rules = grouper.parse("split kind { @*Norm* -> norm\n else -> rest lr=0.1 }")
    built = grouper.check("shop_models:build", rules)
    import shop_models

    live = grouper.check(shop_models.Net(), rules)
    assert built.findings == live.findings
    assert built.grouping == live.grouping


WRONG = {
    "shop_nothing:build": ("GR406", "`shop_nothing`"),
    "shop_models.sub:build": ("GR406", "`shop_models"),
    "shop_lacking:build": ("GR406", "`package_that_nobody_has`"),
    "shop_broken:build": ("GR408", "ZeroDivisionError"),
    "shop_misspelt:build": ("GR408", "ImportError"),
    "shop_models:bild": ("GR408", "has no `bild`"),
    "shop_models:Shop.makes": ("GR408", "has no `Shop.makes`"),
    "shop_models:asks": ("GR408", "needs arguments: `width`, `depth`"),
    "shop_models:pair": ("GR408", "a `tuple`"),
    "shop_models:version": ("GR408", "a `str`"),
    "shop_models:fails": ("GR408", "ValueError: no weights"),
    "shop_models:leaves": ("GR408", "SystemExit: usage: train.py"),
    "shop_models:looks_and_fails": ("GR408", "ValueError: a meta tensor"),
    "ultralytics:yolov8n.pt": ("GR408", "`.yaml`"),
    "ultralytics:https://host/a.yaml": ("GR408", "`.yaml`"),
    "hf:nowhere": ("GR408", "`config.json`"),
}


@pytest.mark.parametrize("spec", WRONG)
def test_every_way_in_which_no_model_comes_of_it(spec):
    code, words = WRONG[spec]
    finding = refused(spec)
    assert finding.code.id == code
    assert words in finding.message
    assert "\n" not in finding.message


def test_a_similar_name_is_offered():
    assert "`build`" in refused("shop_models:bild").help


@pytest.mark.parametrize("library", ["timm", "ultralytics", "transformers", "torch"])
def test_a_library_that_is_not_installed(library, monkeypatch, project):
    Path("config.json").write_text("{}")
    named = {"timm": "timm:vit", "ultralytics": "ultralytics:a.yaml", "transformers": "hf:."}
    monkeypatch.setitem(sys.modules, library, None)
    finding = refused(named.get(library, "shop_models:build"))
    assert finding.code.id == "GR406"
    assert f"`{library}`" in finding.message
    assert finding.help == f"`pip install {library}`"


def test_code_of_this_folder_is_found_only_while_it_is_imported():
    before = list(sys.path)
    read("shop_models:build")
    assert sys.path == before


def test_a_key_is_for_files():
    assert refused("shop_models:build", "model").code.id == "GR405"
    assert "shop_models" not in sys.modules


@pytest.mark.parametrize("name", ["shop_models:build", "timm:vit", "hf:folder"])
def test_a_file_of_that_name_is_a_file(name):
    Path(name).write_text(snapshot.dumps(inventory_of(torch.nn.Linear(2, 3))))
    assert [p.name for p in read(name).parameters] == ["weight", "bias"]
    assert not factories.recognises(name)
    assert "shop_models" not in sys.modules


@pytest.mark.parametrize(
    "path", ["model.pt", "a/b.pt:x", "C:\\model.pt", "a b:c", "1a:b", "hf://a/b", "x:", ":x", ""]
)
def test_other_paths_name_no_factory(path):
    assert not factories.recognises(path)


def test_the_command_keeps_its_output_for_the_report(project):
    Path("my.rules").write_text("* -> all lr=0.1\n")
    command = [sys.executable, "-m", "grouper", "check", "--format", "json"]
    found = subprocess.run(
        [*command, "shop_models:build", "my.rules"], capture_output=True, text=True
    )
    assert json.loads(found.stdout)["model"]["path"] == "shop_models:build"
    assert "building" in found.stderr
    failed = subprocess.run(
        [*command, "shop_models:leaves", "my.rules"], capture_output=True, text=True
    )
    assert (failed.returncode, failed.stdout) == (2, "")
    assert "error[GR408]: building `shop_models:leaves` raised SystemExit" in failed.stderr
