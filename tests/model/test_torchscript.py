"""TorchScript archives: the same inventory as the module that was saved, and as torch loads it."""

import random
import zipfile

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import grouper  # noqa: E402
from grouper.model.errors import ModelError  # noqa: E402
from grouper.model.files.file import File  # noqa: E402
from grouper.model.formats import torch_zip  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402
from grouper.model.read import read  # noqa: E402


class Scale(nn.Module):
    def __init__(self, size: int):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(size))
        self.register_buffer("floor", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("fleeting", torch.zeros(2), persistent=False)

    def forward(self, x):
        return x * self.gain + self.fleeting[0]


class Reader(nn.Module):
    """Ties, a module held twice, a frozen parameter, a half one, and a tensor that is neither."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))])
        self.scale = Scale(4)
        self.again = self.scale
        self.first = nn.Parameter(torch.zeros(()))
        self.narrow = nn.Linear(4, 2).half()
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.embedding.weight
        self.loose = torch.zeros(3)
        self.scale.gain.requires_grad_(False)

    def forward(self, x):
        x = self.embedding(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.again(self.scale(x))) + self.first + self.loose[0]


def save(made, path, model=None):
    example = torch.tensor([1, 2])
    model = model or Reader().eval()
    module = torch.jit.script(model) if made == "script" else torch.jit.trace(model, example)
    torch.jit.save(module, path)
    return model


def names_of(loaded):
    """Parameters as torch loads them, tied ones together: the loaded tensors share their memory."""
    tied = {}
    for name, parameter in loaded.named_parameters(remove_duplicate=False):
        tied.setdefault(parameter.data_ptr(), (parameter, []))[1].append(name)
    return [
        (tuple(n), tuple(p.shape), str(p.dtype).removeprefix("torch."), p.requires_grad)
        for p, n in tied.values()
    ]


def facts(inventory):
    return [(p.names, p.shape, p.dtype, p.trainable) for p in inventory.parameters]


def refused(path, key=None):
    with pytest.raises(ModelError) as caught:
        read(str(path), key)
    return caught.value.finding


@pytest.mark.parametrize("made", ["script", "trace"])
def test_an_archive_is_what_torch_loads(made, tmp_path):
    path = str(tmp_path / "model.pt")
    model = save(made, path)
    inventory, loaded = read(path), torch.jit.load(path)
    assert facts(inventory) == names_of(loaded)
    assert not any(p.inferred for p in inventory.parameters)
    buffers = [name for name, _ in loaded.named_buffers(remove_duplicate=False)]
    assert sorted(inventory.buffers) == sorted(buffers)
    original = {path: module.original_name for path, module in loaded.named_modules()}
    short = {path: m.cls.rpartition(".")[2] for path, m in inventory.modules.items()}
    assert original.items() <= short.items()
    live = inventory_of(model)
    assert {p: m for p, m in live.modules.items() if m.cls.startswith("torch.")} == {
        p: m for p, m in inventory.modules.items() if m.cls.startswith("torch.")
    }
    assert inventory.modules["scale"].cls == f"{Scale.__module__}.Scale"
    assert inventory.kind == "TorchScript"


def test_a_script_has_the_live_inventory(tmp_path):
    path = str(tmp_path / "model.pt")
    live = inventory_of(save("script", path))
    stored = read(path)
    assert {f[0]: f for f in facts(stored)} == {f[0]: f for f in facts(live)}
    assert {p: m.cls for p, m in stored.modules.items()} == {
        p: m.cls for p, m in live.modules.items()
    }


@pytest.mark.parametrize(
    "name", ["float8_e4m3fn", "float8_e5m2", "complex32", "complex128", "bfloat16", "float64"]
)
def test_dtypes(name, tmp_path):
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            zeros = torch.zeros(3, dtype=getattr(torch, name))
            self.own = nn.Parameter(zeros, requires_grad=False)

        def forward(self, x):
            return x

    path = str(tmp_path / "model.pt")
    torch.jit.trace(Own(), torch.zeros(1)).save(path)
    assert facts(read(path)) == names_of(torch.jit.load(path)) == [(("own",), (3,), name, False)]


def test_a_traced_yolo(tmp_path):
    pytest.importorskip("ultralytics")
    from ultralytics.nn.tasks import DetectionModel

    model = DetectionModel("yolov8n.yaml", verbose=False).eval()
    for parameter in model.model[0].parameters():
        parameter.requires_grad = False
    model.model[-1].export = True
    path = str(tmp_path / "model.torchscript")
    traced = torch.jit.trace(model, torch.zeros(1, 3, 32, 32), strict=False, check_trace=False)
    traced.save(path, _extra_files={"config.txt": "{}", "data.pkl": "none"})
    live, stored = inventory_of(model), read(path)
    assert facts(stored) == facts(live) == names_of(torch.jit.load(path))
    assert {p: m.cls for p, m in stored.modules.items()} == {
        p: m.cls for p, m in live.modules.items()
    }
    reports = [grouper.check(each, "yolo-finetune.rules") for each in (model, path)]
    assert all(report.ok for report in reports)
    assert reports[0].grouping == reports[1].grouping


def test_tensors_are_not_read(tmp_path):
    path = str(tmp_path / "model.pt")
    save("script", path, nn.Sequential(nn.Linear(1000, 3000)))
    with File(path) as file:
        assert torch_zip.read(file, None).numel == 3_003_000
        assert file.bytes_read < file.size / 100


def test_a_frozen_archive_has_no_parameters(tmp_path):
    path = str(tmp_path / "model.pt")
    torch.jit.freeze(torch.jit.script(Reader().eval())).save(path)
    finding = refused(path)
    assert finding.code.id == "GR401"
    assert "frozen into constants" in finding.message


def test_it_has_no_keys(tmp_path):
    path = str(tmp_path / "model.pt")
    save("trace", path)
    assert refused(path, "model").code.id == "GR405"


def test_archives_of_the_first_versions_are_known(tmp_path):
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model/model.json", "{}")
    finding = refused(path)
    assert (finding.code.id, "torch.jit.save" in finding.help) == ("GR404", True)


def copied(path, to, change, compression=zipfile.ZIP_STORED):
    """The archive with its members changed: `change` returns a member's new content or None."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(to, "w", compression) as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return str(to)


def test_sources_without_lists_of_buffers(tmp_path):
    """As torch before 1.6 wrote them: tensors that are not parameters count as buffers."""
    path = str(tmp_path / "model.pt")
    save("script", path)

    def older(name, content):
        lines = content.splitlines(keepends=True) if name.endswith(".py") else [content]
        return b"".join(line for line in lines if not line.startswith(b"  __buffers__"))

    inventory = read(copied(path, tmp_path / "older.pt", older))
    assert facts(inventory) == facts(read(path))
    assert set(inventory.buffers) == {*read(path).buffers, "loose"}


def test_sources_may_be_missing_or_huge(tmp_path):
    path = str(tmp_path / "model.pt")
    save("script", path)
    without = copied(path, tmp_path / "a.pt", lambda n, c: None if "/code/" in n else c)
    assert refused(without).code.id == "GR402"
    space = b"#" * (12 << 20)
    swollen = copied(
        path,
        tmp_path / "b.pt",
        lambda n, c: bytes(random.Random(n).randbytes(1 << 17)) + space if n.endswith(".py") else c,
        zipfile.ZIP_DEFLATED,
    )
    assert refused(swollen).code.id in ("GR402", "GR403")


def test_damage_ends_in_one_finding(tmp_path):
    path = tmp_path / "model.pt"
    save("script", str(path))
    content = path.read_bytes()
    broken = tmp_path / "broken.pt"
    chance = random.Random(4)
    for _ in range(300):
        changed = bytearray(content)
        for _ in range(chance.randrange(1, 6)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        broken.write_bytes(changed)
        try:
            read(str(broken))
        except ModelError as error:
            assert error.finding.code.id.startswith("GR4")  # noqa: PT017
    for length in range(0, len(content), 97):
        broken.write_bytes(content[:length])
        assert refused(broken).code.id in ("GR401", "GR402")
