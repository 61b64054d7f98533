"""A spread of models in every format that can hold them, saved by the formats' own libraries: the
same names, shapes, dtypes and ties as loading them with these gives, and the same report."""

import copy
import warnings

import pytest

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

from support.dtensor import SPREAD, build  # noqa: E402

import grouper  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402
from grouper.model.read import read  # noqa: E402

RULES = grouper.parse("""
split part {
    *{head,lm_head,classifier}* or {,model.}model.{9..30}.* -> head lr=0.01
    else -> body lr=0.001
}
split kind {
    ndim >= 2 and not tied -> weight weight_decay=0.1
    else -> rest
}
""")


class First(torch.nn.Module):
    """What a tracer can follow of a model: one input, one output."""

    def __init__(self, model):
        super().__init__()
        self.model = copy.deepcopy(model).eval()  # heads keep what they have seen last

    def forward(self, x):
        found = self.model(x)
        while not isinstance(found, torch.Tensor):
            found = found[0]
        return found


def whole(model, folder):
    torch.save({"model": model, "epoch": 1}, folder / "saved")
    return torch.load(folder / "saved", weights_only=False)["model"]


def legacy(model, folder):
    torch.save(model, folder / "saved", _use_new_zipfile_serialization=False)
    return torch.load(folder / "saved", weights_only=False)


def state(model, folder):
    torch.save({"state_dict": model.state_dict(), "epoch": 1}, folder / "saved")
    return torch.load(folder / "saved")["state_dict"]


def legacy_state(model, folder):
    torch.save(model.state_dict(), folder / "saved", _use_new_zipfile_serialization=False)
    return torch.load(folder / "saved")


def tensors(model, folder):
    safetensors.save_model(model, str(folder / "saved"))
    return loaded_tensors(folder / "saved")


def loaded_tensors(path):
    """The tensors of a file, those left out of it as tied to others among them."""
    with safetensors.safe_open(path, "pt") as file:
        dropped = file.metadata() or {}
    found = safetensors.load_file(path)
    return found | {name: found[kept] for name, kept in dropped.items() if kept in found}


def shards(model, folder, safe=True):
    hub = pytest.importorskip("huggingface_hub")
    (folder / "saved").mkdir()
    hub.save_torch_model(
        model, folder / "saved", max_shard_size="2MB", safe_serialization=safe, metadata=None
    )
    found = {}
    ending = "safetensors" if safe else "bin"
    for path in sorted((folder / "saved").glob(f"*.{ending}")):
        found |= loaded_tensors(path) if safe else torch.load(path)
    return found


def pickled_shards(model, folder):
    return shards(model, folder, safe=False)


def script(model, folder):
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(First(model), inputs(model), strict=False, check_trace=False)
    torch.jit.save(traced, folder / "saved")
    return torch.jit.load(folder / "saved")


def program(model, folder):
    exported = torch.export.export(First(model), (inputs(model),), strict=False)
    torch.export.save(exported, folder / "saved")
    return torch.export.load(folder / "saved")


def distributed(model, folder):
    checkpoint = pytest.importorskip("torch.distributed.checkpoint")
    writer = checkpoint.FileSystemWriter(folder / "saved")
    checkpoint.save({"model": model.state_dict()}, storage_writer=writer, no_dist=True)
    found = {"model": {k: torch.full_like(v, -1) for k, v in model.state_dict().items()}}
    checkpoint.load(found, checkpoint_id=folder / "saved", no_dist=True)
    return found["model"]


FORMATS = [whole, legacy, state, legacy_state, tensors, shards, pickled_shards, distributed]
TRACED = [script, program]
TIES = {whole, legacy, state, legacy_state, tensors, script, program}
ORDERED = {whole, legacy, state, legacy_state, script, program}


def inputs(model):
    if hasattr(model, "lm_head"):
        return torch.ones(1, 4, dtype=torch.long)
    _, height, width = getattr(model, "default_cfg", {}).get("input_size", (3, 64, 64))
    return torch.zeros(1, 3, height, width)


def of_loaded(found, buffers):
    """Names to shape and dtype, and the tied names, of what a library loaded."""
    if isinstance(found, dict):
        named = [(name, tensor) for name, tensor in found.items() if name not in buffers]
    elif hasattr(found, "graph_module"):
        named = list(found.named_parameters())
    else:
        named = list(found.named_parameters(remove_duplicate=False))
    tied = {}
    for name, tensor in named:
        tied.setdefault((tensor.data_ptr(), tuple(tensor.shape)), set()).add(name)
    facts = {n: (tuple(t.shape), str(t.dtype).removeprefix("torch.")) for n, t in named}
    return facts, {frozenset(names) for names in tied.values() if len(names) > 1}


def of_inventory(inventory):
    parameters = inventory.parameters
    facts = {name: (p.shape, p.dtype) for p in parameters for name in p.names}
    return facts, {frozenset(p.names) for p in parameters if len(p.names) > 1}


def report(model, renamed=""):
    """The groups with their options, and the findings, but for parameters that are tied or frozen,
    of which most formats say nothing."""
    found = grouper.check(model, RULES)
    groups = {
        group.name: (
            dict(group.options),
            {p.name.removeprefix(renamed) for p in group.parameters if not p.tied},
        )
        for group in found.grouping.groups
    }
    return groups, [finding.code.id for finding in found.findings]


def without(groups, names):
    left = {name: (options, members - names) for name, (options, members) in groups.items()}
    return {name: group for name, group in left.items() if group[1]}


def agree(model, write, folder):
    loaded = write(model, folder)
    inventory = read(str(folder / "saved"))
    buffers = {name for name, _ in model.named_buffers()}
    facts, tied = of_loaded(loaded, buffers)
    ours, ties = of_inventory(inventory)
    assert ours == facts
    assert len(facts) >= 20
    if write in TIES:
        assert ties == tied
    if write in ORDERED and not tied:
        assert list(ours) == list(facts)
    live, findings = report(model)
    here, found = report(inventory, "model." if write in TRACED else "")
    quiet = [p for p in inventory_of(model).parameters if p.tied or not p.trainable]
    silent = {name for parameter in quiet for name in parameter.names}
    assert without(here, silent) == without(live, silent)
    assert set(found) <= set(findings) | {"GR108", "GR409"}


@pytest.fixture(scope="module", params=SPREAD)
def model(request, tmp_path_factory):
    return build(request.param, tmp_path_factory.mktemp("built"))[1]


@pytest.mark.parametrize("write", FORMATS, ids=lambda write: write.__name__)
def test_every_format(write, model, tmp_path):
    agree(model, write, tmp_path)


@pytest.mark.parametrize("write", TRACED, ids=lambda write: write.__name__)
@pytest.mark.slow
def test_every_traced_format(write, model, tmp_path):
    agree(model, write, tmp_path)
