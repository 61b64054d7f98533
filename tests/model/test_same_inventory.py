"""One model, three ways to read it: live, from its file, from a snapshot."""

import itertools
import pickle
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")
ultralytics = pytest.importorskip("ultralytics")

from support.torchvision_stub import define_operators  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn.modules.batchnorm import _NormBase  # noqa: E402

import grouper  # noqa: E402
from grouper.model.formats import snapshot  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402
from grouper.model.read import read  # noqa: E402


class Encoder(nn.Module):
    """A small vision transformer of torch's own parts, with a tied weight."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 32, 4, stride=4)
        self.position = nn.Parameter(torch.zeros(1, 16, 32))
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(32)
        self.embedding = nn.Embedding(10, 32)
        self.head = nn.Linear(32, 10, bias=False)
        self.head.weight = self.embedding.weight
        self.heads = nn.ParameterList([nn.Parameter(torch.zeros(3)), nn.Parameter(torch.ones(2))])
        self.register_buffer("inv_freq", torch.zeros(4))


def yolo(name):
    from ultralytics.nn.tasks import DetectionModel

    return DetectionModel(name, verbose=False)


def build(name):
    if name == "encoder":
        return Encoder()
    if name.startswith("vit"):
        define_operators()
        return pytest.importorskip("timm").create_model(name)
    return yolo(name)


MODELS = ["yolov8n.yaml", "yolo11n.yaml", "yolov5n.yaml", "vit_tiny_patch16_224", "encoder"]


def facts(inventory):
    return [(p.names, p.shape, p.dtype, p.trainable, p.stored) for p in inventory.parameters]


def classes(inventory):
    return {path: module.cls for path, module in inventory.modules.items()}


@pytest.mark.parametrize("name", MODELS)
def test_a_whole_module_is_the_live_one(name, tmp_path):
    model = build(name)
    next(model.parameters()).requires_grad = False
    path = str(tmp_path / "model.pt")
    torch.save({"epoch": 1, "model": model, "optimizer": {"state": {}, "param_groups": []}}, path)
    live, stored = inventory_of(model), read(path)
    assert facts(stored) == facts(live)
    assert classes(stored) == classes(live)
    assert stored.key == "model"
    for module_path, module in stored.modules.items():
        if module.bases is not None:
            assert module.bases == live.modules[module_path].bases
    if name.startswith("yolo"):
        assert all(module.bases is not None for module in stored.modules.values())
    assert set(stored.buffers) == set(live.buffers)
    assert [p.name for p in live.parameters] == [n for n, _ in model.named_parameters()]


@pytest.mark.parametrize("name", MODELS)
def test_a_state_dict_has_the_live_ones_names(name, tmp_path):
    model = build(name)
    path = str(tmp_path / "state.pt")
    torch.save(model.state_dict(), path)
    live, stored = inventory_of(model), read(path)
    assert [p.names for p in stored.parameters] == [p.names for p in live.parameters]
    assert [(p.shape, p.dtype) for p in stored.parameters] == [
        (p.shape, p.dtype) for p in live.parameters
    ]
    norms = {path for path, m in model.named_modules() if isinstance(m, _NormBase)}
    inferred = stored.modules or {}
    assert {path for path, module in inferred.items() if module.cls} == norms
    assert all(module.inferred for module in inferred.values())
    assert all(p.trainable is None and p.inferred for p in stored.parameters)


@pytest.mark.parametrize("name", MODELS)
def test_a_snapshot_is_its_model(name):
    live = inventory_of(build(name))
    text = snapshot.dumps(live)
    again = snapshot.loads(text, live.path)
    assert again == live
    assert again.remarks == live.remarks
    assert snapshot.dumps(again) == text


@pytest.mark.parametrize("rules", ["yolo-finetune.rules", "yolov5.rules"])
@pytest.mark.parametrize("name", ["yolov8n.yaml", "yolo11n.yaml", "yolov5n.yaml"])
def test_all_three_ways_give_the_same_groups(name, rules, tmp_path):
    model = yolo(name)
    path = str(tmp_path / "model.pt")
    torch.save({"model": None, "ema": model}, path)
    reports = [
        grouper.check(model, rules),
        grouper.check(path, rules),
        grouper.check(snapshot.loads(snapshot.dumps(inventory_of(model))), rules),
    ]
    assert all(report.ok for report in reports)
    assert reports[0].grouping == reports[1].grouping == reports[2].grouping
    assert [r.findings for r in reports] == [()] * 3


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_is_read(protocol, tmp_path):
    path = str(tmp_path / "model.pt")
    model = Encoder()
    torch.save(model, path, pickle_protocol=protocol)
    assert facts(read(path)) == facts(inventory_of(model))


def test_wrappers_are_seen_through_only_where_they_are(tmp_path):
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.module = nn.Linear(2, 2)

    bare, wrapped = Own(), nn.DataParallel(Own())
    compiled = torch.compile(Own())
    names = ["module.weight", "module.bias"]
    for model in (bare, wrapped, compiled):
        assert [p.name for p in inventory_of(model).parameters] == names
    assert [p.stored for p in inventory_of(wrapped).parameters] == [f"module.{n}" for n in names]
    path = str(tmp_path / "wrapped.pt")
    torch.save(nn.DataParallel(nn.Sequential(nn.Linear(2, 2))), path)
    assert [module.path for module in read(path).modules.values()] == ["", "0"]
    torch.save({"state_dict": nn.DataParallel(nn.Sequential(nn.Linear(2, 2))).state_dict()}, path)
    assert [p.name for p in read(path).parameters] == ["0.weight", "0.bias"]


@pytest.mark.parametrize("library", ["cloudpickle", "dill"])
def test_classes_that_are_in_the_file_themselves(library, tmp_path):
    """As MLflow saves the models of notebooks."""
    pickles = pytest.importorskip(library)
    head = type("Head", (nn.Linear,), {"__module__": "__main__"})
    own = type("OwnNorm", (head, nn.Identity), {"__module__": "__main__"})
    model = nn.Sequential(nn.Conv1d(1, 2, 3), head(2, 2), own(2, 2))
    path = str(tmp_path / "model.pth")
    torch.save(model, path, pickle_module=pickles)
    found, live = read(path), inventory_of(model)
    assert facts(found) == facts(live)
    assert [m.cls for m in found.modules.values()] == [m.cls for m in live.modules.values()]
    assert [set(m.bases) for m in found.modules.values()] == [
        set(m.bases) for m in live.modules.values()
    ]
    rules = grouper.parse("@Linear -> linear lr=1\nelse @*Norm* -> norm lr=1\nelse -> rest lr=1")
    assert grouper.check(path, rules).findings == grouper.check(model, rules).findings


def test_averages(tmp_path):
    """torch's averages have a counter beside the wrapper's segment."""
    path = str(tmp_path / "average.pt")
    model = torch.optim.swa_utils.AveragedModel(Encoder())
    live = inventory_of(model)
    torch.save({"state_dict": model.state_dict()}, path)
    found = read(path)
    assert [p.names for p in found.parameters] == [p.names for p in live.parameters]
    assert set(found.buffers) == set(live.buffers) >= {"n_averaged"}


def test_compiled_modules(tmp_path):
    """The whole, and one of several: torch pickles what it made of a module as a call."""
    path = str(tmp_path / "compiled.pt")
    inner = nn.Sequential(nn.Conv1d(1, 2, 3), torch.compile(nn.BatchNorm1d(2)), nn.ReLU())
    models = (torch.compile(Encoder()), inner, torch.compile(inner))
    for model, new in itertools.product(models, (True, False)):
        torch.save({"model": model}, path, _use_new_zipfile_serialization=new)
        found, live = read(path), inventory_of(model)
        assert facts(found) == facts(live)
        assert [p.stored for p in found.parameters] == [p.stored for p in live.parameters]
        assert found.buffers == live.buffers
        classes = [{path: m.cls for path, m in i.modules.items()} for i in (found, live)]
        assert classes[0] == classes[1]


class Shared(nn.Module):
    """For a graph: parameters of its own, modules inside modules, some used twice."""

    def __init__(self):
        super().__init__()
        self.block = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.BatchNorm1d(2))
        self.scale = nn.Parameter(torch.zeros(2))
        self.again = self.block[0]

    def forward(self, x):
        return self.again(self.block(x)) * self.scale


def test_graphs(tmp_path):
    """As feature extractors and models for quantisation are saved."""
    path = str(tmp_path / "graph.pt")
    graph = torch.fx.symbolic_trace(Shared())
    for model in (graph, nn.Sequential(graph, nn.Linear(2, 2))):
        torch.save(model, path)
        found, live = read(path), inventory_of(torch.load(path, weights_only=False))
        assert facts(found) == facts(live)
        assert found.buffers == live.buffers
        assert dict(found.modules) == dict(live.modules)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "float8_e4m3fn", "complex64"])
def test_dtypes(dtype, tmp_path):
    path = str(tmp_path / "state.pt")
    torch.save({"a.weight": torch.zeros(2, 3, dtype=getattr(torch, dtype))}, path)
    (parameter,) = read(path).parameters
    assert (parameter.shape, parameter.dtype) == ((2, 3), dtype)


def test_special_tensors(tmp_path):
    with torch.device("meta"):
        meta = nn.Linear(3, 2)
    state = {
        "meta": meta.weight,
        "sparse": torch.eye(3).to_sparse(),
        "csr": torch.eye(3).to_sparse_csr(),
        "parameter": nn.Parameter(torch.zeros(4)),
        "scalar": torch.tensor(1.0),
        "empty": torch.zeros(0, 3),
        "steps": torch.tensor(3),
        "running_mean": torch.zeros(3),
    }
    path = str(tmp_path / "state.pt")
    torch.save(state, path)
    inventory = read(path)
    shapes = {p.name: p.shape for p in inventory.parameters}
    assert shapes == {
        "meta": (2, 3),
        "sparse": (3, 3),
        "csr": (3, 3),
        "parameter": (4,),
        "scalar": (),
        "empty": (0, 3),
    }
    assert inventory.buffers == ("steps", "running_mean")
    assert inventory.by_name["parameter"].trainable is True


def test_lazy_modules_have_no_shape_yet():
    inventory = inventory_of(nn.Sequential(nn.LazyLinear(3)))
    assert [p.shape for p in inventory.parameters] == [None, None]


def test_the_table_of_bases_is_fresh():
    from grouper.model.class_bases import bases_of

    for cls in vars(nn).values():
        name = f"{getattr(cls, '__module__', '')}.{getattr(cls, '__qualname__', '')}"
        if name.startswith("torch.nn.modules.") and issubclass(cls, nn.Module):
            bases = tuple(f"{b.__module__}.{b.__qualname__}" for b in cls.__mro__[1:-1])
            assert bases_of(name) == bases


def test_reading_imports_nothing(tmp_path):
    path = tmp_path / "model.pt"
    torch.save({"model": Encoder()}, path)
    code = (
        "import sys\n"
        "import grouper\n"
        "heavy = {'torch', 'numpy', 'lark', 'rich', 'ultralytics'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "from grouper.model.read import read\n"
        f"read({str(path)!r})\n"
        "heavy = {'torch', 'numpy', 'ultralytics', 'pickle'} & set(sys.modules)\n"
        "assert not heavy - set(sys.argv[1:]), heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    broken = code.replace("import grouper\n", "import grouper, numpy\n", 1)
    assert subprocess.run([sys.executable, "-c", broken], capture_output=True).returncode == 1


def test_pickle_itself_is_not_what_reads(tmp_path, monkeypatch):
    path = str(tmp_path / "model.pt")
    torch.save(Encoder(), path)

    def refuse(*_):
        raise AssertionError("the standard unpickler was used")

    monkeypatch.setattr(pickle, "loads", refuse)
    monkeypatch.setattr(pickle, "load", refuse)
    monkeypatch.setattr(pickle, "Unpickler", refuse)
    assert read(path).parameters
