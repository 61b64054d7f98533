"""What state dicts do not say: which tensors are buffers, and which modules are norms."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn.modules.batchnorm import _NormBase  # noqa: E402
from torch.nn.utils import parametrizations  # noqa: E402

import grouper  # noqa: E402
from grouper.model.formats import snapshot  # noqa: E402
from grouper.model.read import read  # noqa: E402


def saved(state, tmp_path):
    path = str(tmp_path / "state.pt")
    torch.save(state, path)
    return read(path)


f, i = torch.zeros, lambda *size: torch.zeros(*size, dtype=torch.int64)
BUFFERS = {
    "gpt-2's mask": ({"h.0.attn.bias": f(1, 1, 8, 8), "h.0.attn.masked_bias": f(()),
                      "h.0.attn.c_attn.weight": f(4, 12)}, ["h.0.attn.c_attn.weight"]),
    "a bias of a convolution": ({"c.bias": f(1, 1, 8, 8), "c.weight": f(2, 2)},
                                ["c.bias", "c.weight"]),
    "swin": ({"a.relative_position_index": i(4, 4), "a.relative_position_bias_table": f(49, 3),
              "b.attn_mask": f(4, 49, 49)}, ["a.relative_position_bias_table"]),
    "swin 2": ({"a.relative_coords_table": f(1, 3, 3, 2), "a.logit_scale": f(3, 1, 1)},
               ["a.logit_scale"]),
    "rotary": ({"l.rotary_emb.inv_freq": f(4), "l.rotary_emb.cos_cached": f(1, 1, 8, 4),
                "l.q_proj.weight": f(4, 4)}, ["l.q_proj.weight"]),
    "yolov5": ({"model.24.anchors": f(3, 3, 2), "model.24.m.0.weight": f(2, 2, 1, 1)},
               ["model.24.m.0.weight"]),
    "ids": ({"embeddings.position_ids": i(1, 8), "embeddings.word.weight": f(8, 2)},
            ["embeddings.word.weight"]),
    "preprocessing": ({"norm.mean": f(3, 1, 1), "norm.std": f(3, 1, 1), "w": f(2)}, ["w"]),
    "a mean without its deviation": ({"prior.mean": f(3)}, ["prior.mean"]),
    "codebook": ({"q.embed": f(8, 2), "q.embed_avg": f(8, 2), "q.cluster_size": f(8)}, []),
    "an embedding": ({"q.embed": f(8, 2)}, ["q.embed"]),
    "momentum contrast": ({"queue": f(4, 8), "queue_ptr": i(1), "w": f(2)}, ["w"]),
    "quantisation": ({"o.scale": f(1), "o.zero_point": f(1), "n.scale": f(3), "n.bias": f(3)},
                     ["n.scale", "n.bias"]),
    "latent diffusion": ({"betas": f(4), "alphas_cumprod": f(4), "sqrt_alphas_cumprod": f(4),
                          "posterior_variance": f(4), "logvar": f(4), "eps": f(4)},
                         ["logvar", "eps"]),
    "its averages": ({"m.weight": f(2), "model_ema.decay": f(()), "model_ema.num_updates": i(()),
                      "model_ema.mweight": f(2)}, ["m.weight"]),
    "gptq and awq": ({"q.qweight": i(2, 8), "q.qzeros": i(1, 1), "q.scales": f(1, 8),
                      "q.bias": f(8), "n.scales": f(3), "n.bias": f(3)}, ["n.scales", "n.bias"]),
    "bitsandbytes, 4 bits": ({"0.weight": i(8, 1), "0.bias": f(4), "0.weight.absmax": f(4),
                              "0.weight.quant_map": f(16), "0.weight.nested_absmax": f(1),
                              "0.weight.nested_quant_map": f(256)}, ["0.bias"]),
    "bitsandbytes, 8 bits": ({"0.weight": i(4, 4), "0.bias": f(4), "0.SCB": f(4),
                              "0.weight_format": i(())}, ["0.bias"]),
    "a base of no parametrization": ({"base": f(3), "parametrizations.base": f(3)},
                                     ["base", "parametrizations.base"]),
    "integers": ({"a": i(3), "b": torch.zeros(3, dtype=torch.bool), "c": f(3)}, ["c"]),
    "known parameters": ({"a.running_mean": nn.Parameter(f(3)), "b": f(3)},
                         ["a.running_mean", "b"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BUFFERS)
def test_buffers_by_dtype_name_and_neighbours(case, tmp_path):
    state, parameters = BUFFERS[case]
    inventory = saved(state, tmp_path)
    assert [p.name for p in inventory.parameters] == parameters
    assert list(inventory.buffers) == [name for name in state if name not in parameters]
    if inventory.buffers:
        assert f"{len(inventory.buffers)} tensors treated as buffers" in inventory.remarks[0]


def test_the_remark_gives_the_reasons(tmp_path):
    state = {"n.mean": f(3), "n.std": f(3), "a.running_mean": f(3), "steps": i(1), "w": f(1)}
    (remark,) = saved(state, tmp_path).remarks
    assert remark.endswith(
        "4 tensors treated as buffers: 1 by dtype, 1 by name, 2 by neighbouring tensors"
    )


def pruned(model):
    from torch.nn.utils import prune

    prune.random_unstructured(model[0], "weight", 0.5)


def observed(model):
    from torch.ao import quantization

    model.qconfig = quantization.get_default_qconfig("x86")
    quantization.prepare(model.eval(), inplace=True)


def trained_as_quantised(model):
    from torch.ao import quantization

    model.qconfig = quantization.get_default_qat_qconfig("x86")
    quantization.prepare_qat(model.train(), inplace=True)


DERIVED = {
    "spectral norm": lambda model: nn.utils.spectral_norm(model[0]),
    "pruning": pruned,
    "parametrized spectral norm": lambda model: parametrizations.spectral_norm(model[0]),
    "parametrized weight norm": lambda model: parametrizations.weight_norm(model[0]),
    "orthogonal": lambda model: parametrizations.orthogonal(model[0]),
    "observers": observed,
    "quantisation-aware training": trained_as_quantised,
}


@pytest.mark.filterwarnings("ignore")  # of torch's, for what it would rather have
@pytest.mark.parametrize("case", DERIVED)
def test_tensors_that_torch_derives(case, tmp_path):
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    DERIVED[case](model)
    inventory = saved(model.state_dict(), tmp_path)
    assert {p.name for p in inventory.parameters} == {n for n, _ in model.named_parameters()}
    persistent = {n for n, _ in model.named_buffers()} & model.state_dict().keys()
    assert set(inventory.buffers) == persistent


NORMS = [
    nn.BatchNorm1d(3), nn.BatchNorm2d(3), nn.BatchNorm3d(3), nn.SyncBatchNorm(3),
    nn.BatchNorm2d(3, affine=False), nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
    nn.InstanceNorm1d(3, track_running_stats=True),
]  # fmt: skip
OTHERS = [
    nn.LayerNorm(3), nn.GroupNorm(1, 3), nn.Linear(3, 3), nn.Conv2d(3, 3, 1),
    nn.BatchNorm2d(3, track_running_stats=False), nn.InstanceNorm2d(3, affine=True),
]  # fmt: skip


class Estimate(nn.Module):
    """Not a norm, though it keeps a running mean and variance."""

    def __init__(self, **more):
        super().__init__()
        for name, tensor in more.items():
            self.register_buffer(name, tensor)


LIKE = {"running_mean": f(3), "running_var": f(3)}
PRETENDERS = [
    Estimate(**LIKE),
    Estimate(**LIKE, num_batches_tracked=i(2)),
    Estimate(**LIKE, num_batches_tracked=f(())),
    Estimate(**LIKE, num_batches_tracked=i(()), momentum=f(1)),
    Estimate(**{**LIKE, "running_var": f(4)}, num_batches_tracked=i(())),
    Estimate(running_mean=f(3, 2), running_var=f(3, 2), num_batches_tracked=i(())),
    Estimate(running_mean=f(3), num_batches_tracked=i(())),
]


def test_norms_are_proven_by_their_statistics(tmp_path):
    model = nn.ModuleDict({"n": nn.ModuleList([*NORMS, *OTHERS, *PRETENDERS])})
    inventory = saved(model.state_dict(), tmp_path)
    proven = {path for path, module in inventory.modules.items() if module.cls}
    assert proven == {f"n.{index}" for index in range(len(NORMS))}
    for path in proven:
        assert isinstance(model.get_submodule(path), _NormBase)
        assert inventory.modules[path].inferred
    assert inventory.remarks[1].startswith(f"{len(NORMS)} modules are norms")
    again = snapshot.loads(snapshot.dumps(inventory), inventory.path)
    assert again == inventory


def test_classes_are_matched_where_proven_and_unknown_elsewhere(tmp_path):
    model = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
    path = str(tmp_path / "state.pt")
    torch.save(model.state_dict(), path)

    def asked(selector):
        report = grouper.check(path, grouper.parse(f"{selector} -> a lr=1\nelse -> b lr=2"))
        matched = [
            a.parameter.name for a in report.assignment.parameters
            if any(m.rule.selector is not None for m in a.matches)
        ]  # fmt: skip
        unknown = [p.name for u in report.assignment.unanswered for p in u.parameters]
        return matched, unknown

    norms, others = ["1.weight", "1.bias"], ["0.weight", "0.bias"]
    assert asked("@*Norm*") == (norms, others)
    assert asked("@BatchNorm2d") == ([], others + norms)
    assert asked("@Conv2d") == ([], others + norms)
    assert asked("in @*Norm*") == (norms, others)
    assert asked("@*Norm* and *.weight") == (["1.weight"], ["0.weight"])
    report = grouper.check(path, grouper.parse("@*Norm* -> a lr=1\n* -> b lr=2"))
    (finding,) = [f for f in report.findings if f.code.id == "GR110"]
    assert finding.notes == ("a state dict has no classes",)


def test_without_norms_there_are_no_classes(tmp_path):
    model = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3))
    assert saved(model.state_dict(), tmp_path).modules is None
