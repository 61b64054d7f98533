"""`.pt2` archives of torch.export, in each layout: the same inventory as torch loads."""

import io
import json
import random
import zipfile

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from grouper.match.classes import owner_path  # noqa: E402
from grouper.model.errors import ModelError  # noqa: E402
from grouper.model.files.file import File  # noqa: E402
from grouper.model.formats import torch_zip  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402
from grouper.model.read import read  # noqa: E402


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(6, 4)
        self.body = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
        self.scale = nn.Parameter(torch.ones(()), requires_grad=False)
        self.register_buffer("shift", torch.zeros(4))
        self.register_buffer("fleeting", torch.zeros(4), persistent=False)
        self.narrow = nn.Parameter(torch.ones(4, dtype=torch.bfloat16))
        self.head = nn.Linear(4, 6, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, x):
        x = self.body(self.embedding(x)) * self.scale + self.shift + self.fleeting
        return self.head(x + self.narrow.float())


@pytest.fixture(scope="module")
def program():
    return torch.export.export(Net().eval(), (torch.tensor([1, 2]),))


def loaded(program):
    """The parameters of a program that torch loaded; tied ones share their memory."""
    tied = {}
    for name, parameter in program.named_parameters():
        tied.setdefault(parameter.data_ptr(), (parameter, []))[1].append(name)
    return [
        (tuple(n), tuple(p.shape), str(p.dtype).removeprefix("torch."), p.requires_grad)
        for p, n in tied.values()
    ]


def facts(inventory):
    return [(p.names, p.shape, p.dtype, p.trainable) for p in inventory.parameters]


def agree(path):
    inventory, oracle = read(path), torch.export.load(path)
    assert facts(inventory) == loaded(oracle)
    assert list(inventory.buffers) == [name for name, _ in oracle.named_buffers()]
    assert not any(p.inferred for p in inventory.parameters)
    assert inventory.kind == "exported program"
    return inventory


def refused(path, key=None):
    with pytest.raises(ModelError) as caught:
        read(str(path), key)
    return caught.value.finding.code.id


def rewritten(path, to, change):
    """The archive with members changed; `change` gives their new names and contents."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(to, "w") as new:
        for name in old.namelist():
            for member in change(name, old.read(name)):
                new.writestr(*member)
    return str(to)


def older(program, path):
    """The layout before torch 2.7, as torch's own loading still reads it."""
    from torch._export.serde.schema import SCHEMA_VERSION
    from torch._export.serde.serialize import serialize

    artifact = serialize(program)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("version", ".".join(map(str, SCHEMA_VERSION)))
        file.writestr("serialized_exported_program.json", artifact.exported_program)
        file.writestr("serialized_state_dict.pt", artifact.state_dict)
        file.writestr("serialized_constants.pt", artifact.constants)
        file.writestr("serialized_example_inputs.pt", artifact.example_inputs)
    return str(path)


def test_the_layout_of_today(program, tmp_path):
    path = str(tmp_path / "model.pt2")
    torch.export.save(program, path)
    inventory = agree(path)
    assert ("embedding.weight", "head.weight") in [p.names for p in inventory.parameters]
    assert inventory.by_name["scale"].trainable is False
    assert "fleeting" in inventory.buffers


def test_the_layout_before(program, tmp_path):
    assert len(agree(older(program, tmp_path / "model.pt2")).parameters) == 7


def test_the_layout_between(program, tmp_path):
    """The archive of today, with its weights in one state dict."""
    path = str(tmp_path / "model.pt2")
    torch.export.save(program, path)
    states = {kind: io.BytesIO() for kind in ("weights", "constants")}
    torch.save(program.state_dict, states["weights"])
    torch.save(program.constants, states["constants"])

    def change(name, content):
        top, _, member = name.partition("/")
        kind = member.split("/")[1] if member.startswith("data/") else ""
        if kind not in states:
            yield name, content
        elif member.endswith("_config.json"):
            yield f"{top}/data/{kind}/model.pt", states[kind].getvalue()

    agree(rewritten(path, tmp_path / "between.pt2", change))


@pytest.mark.parametrize("name", ["resnet", "vit"])
def test_a_larger_model(name, tmp_path):
    from support.torchvision_stub import define_operators

    define_operators()
    model = (
        pytest.importorskip("timm")
        .create_model({"resnet": "test_resnet", "vit": "test_vit"}[name], num_classes=10)
        .eval()
    )
    size = model.default_cfg["input_size"]
    path = str(tmp_path / "model.pt2")
    torch.export.save(torch.export.export(model, (torch.zeros(1, *size),)), path)
    inventory, live = agree(path), inventory_of(model)
    assert facts(inventory) == facts(live)
    known = {path: m for path, m in inventory.modules.items() if m.cls != "unknown"}
    assert {path: m.cls for path, m in known.items()}.items() <= {
        path: m.cls for path, m in live.modules.items()
    }.items()
    for parameter in inventory.parameters:
        assert owner_path(parameter.name, live.modules) in known


@pytest.mark.parametrize("strict", [True, False])
def test_modules_that_never_ran_have_no_class(strict, tmp_path):
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
            self.shared = self.layers[0]
            self.direct = nn.Linear(2, 2, bias=False)

        def forward(self, x):
            for layer in self.layers:
                x = layer(layer(x))
            return nn.functional.linear(self.shared(x), self.direct.weight)

    path = str(tmp_path / "model.pt2")
    torch.export.save(torch.export.export(Own(), (torch.zeros(1, 2),), strict=strict), path)
    inventory = agree(path)
    assert {path: m.cls.rpartition(".")[2] for path, m in inventory.modules.items()} == {
        "": "Own",
        "layers": "unknown",
        "layers.0": "Linear",
        "layers.1": "Linear",
        "shared": "Linear",
        "direct": "unknown",
    }
    assert inventory.modules["layers"].bases is None
    assert inventory.remarks == ("modules that did not run are exported without their classes",)


def test_several_programs_in_one_archive(program, tmp_path):
    from torch.export.pt2_archive._package import package_pt2

    other = torch.export.export(nn.Linear(3, 2), (torch.zeros(1, 3),))
    path = str(tmp_path / "model.pt2")
    package_pt2(path, exported_programs={"a": program, "b": other})
    assert read(path).key == "a"
    assert "`b`" in read(path).remarks[-1]
    assert [p.name for p in read(path, "b").parameters] == ["weight", "bias"]
    assert refused(path, "c") == "GR405"


def test_only_compiled_code(tmp_path):
    path = tmp_path / "model.pt2"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model/archive_format", "pt2")
        file.writestr("model/data/aotinductor/model/model.so", b"\x7fELF")
    assert refused(path) == "GR404"


@pytest.mark.parametrize("layout", ["today", "before"])
def test_weights_are_not_read(layout, tmp_path):
    large = torch.export.export(nn.Linear(1000, 3000), (torch.zeros(1, 1000),))
    path = str(tmp_path / "model.pt2")
    if layout == "before":
        older(large, path)
    else:
        torch.export.save(large, path)
    with File(path) as file:
        assert torch_zip.read(file, None).numel == 3_003_000
        assert file.bytes_read < 200_000 < file.size / 50


def _replaced(path, to, suffix, content):
    def change(name, old):
        yield name, content if name.endswith(suffix) else old

    return rewritten(path, to, change)


HOSTILE = {
    "deep": b'{"graph_module":' + b"[" * 100_000,
    "many": b'{"a":[' + b"{}," * 5_000_000 + b"{}]}",
    "list": b"[]",
    "empty": b"{}",
    "binary": b"\xff\xfe\x00",
    "digits": b'{"a":' + b"9" * 10_000 + b"}",
    "long": b'{"graph_module":{"signature":{"input_specs":[{"parameter":{"parameter_name":"'
    + b"a." * 500_000
    + b'"}}]}}}',
    "names": b'{"graph_module":{"signature":{"input_specs":[{"parameter":{"parameter_name":3}}]}}}',
    "absent": b'{"graph_module":{"signature":{"input_specs":[{"parameter":'
    b'{"parameter_name":"x"}}]}}}',
}


@pytest.mark.parametrize("content", HOSTILE)
@pytest.mark.parametrize("member", ["models/model.json", "model_weights_config.json"])
def test_hostile_json(content, member, program, tmp_path):
    path = str(tmp_path / "model.pt2")
    torch.export.save(program, path)
    code = refused(_replaced(path, tmp_path / "hostile.pt2", member, HOSTILE[content]))
    assert code == ("GR403" if content == "many" else "GR402")


@pytest.mark.parametrize("size", [-1, 2**63, True, 1.5, "1", None])
def test_sizes_that_no_tensor_has_are_unknown(size, program, tmp_path):
    path = str(tmp_path / "model.pt2")
    torch.export.save(program, path)
    with zipfile.ZipFile(path) as file:
        name = next(n for n in file.namelist() if n.endswith("weights_config.json"))
        config = json.loads(file.read(name))
    config["config"]["body.0.weight"]["tensor_meta"]["sizes"] = [{"as_int": size}]
    changed = _replaced(path, tmp_path / "b.pt2", "weights_config.json", json.dumps(config))
    assert read(changed).by_name["body.0.weight"].shape is None


def test_damage_ends_in_one_finding(program, tmp_path):
    path = tmp_path / "model.pt2"
    torch.export.save(program, str(path))
    content = path.read_bytes()
    broken = tmp_path / "broken.pt2"
    chance = random.Random(4)
    codes = set()
    for _ in range(300):
        changed = bytearray(content)
        for _ in range(chance.randrange(1, 6)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        broken.write_bytes(changed)
        try:
            read(str(broken))
        except ModelError as error:
            codes.add(error.finding.code.id)
    assert codes <= {"GR401", "GR402", "GR403", "GR404"}
    for length in range(0, len(content), 97):
        broken.write_bytes(content[:length])
        assert refused(broken) in ("GR401", "GR402")
