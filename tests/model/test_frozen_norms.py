"""Frozen batch norms and other buffers that only their models know, in saved state dicts."""

import pytest

torch = pytest.importorskip("torch")

from support.torchvision_stub import define_operators  # noqa: E402
from torch import nn  # noqa: E402

import grouper  # noqa: E402
from grouper.model.formats import snapshot  # noqa: E402
from grouper.model.read import read  # noqa: E402

SMALL = {
    "d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "num_queries": 5,
}  # fmt: skip


def transformers():
    define_operators()
    library = pytest.importorskip("transformers")
    library.logging.set_verbosity_error()
    return library


def detr(kind, **backbone):
    library = transformers()
    config = getattr(library, f"{kind}Config")(**SMALL, use_pretrained_backbone=False, **backbone)
    return getattr(library, f"{kind}ForObjectDetection")(config)


def with_resnet(kind):
    resnet = transformers().ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8], depths=[1, 1], out_features=["stage2"]
    )
    return detr(kind, use_timm_backbone=False, backbone=None, backbone_config=resnet)


def rt_detr():
    library = transformers()
    resnet = library.RTDetrResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = library.RTDetrConfig(
        backbone_config=resnet, d_model=32, encoder_hidden_dim=32, encoder_in_channels=[8, 8, 8],
        encoder_ffn_dim=32, encoder_attention_heads=2, decoder_in_channels=[32, 32, 32],
        decoder_ffn_dim=32, decoder_layers=1, decoder_attention_heads=2, num_queries=5,
    )  # fmt: skip
    return library.RTDetrForObjectDetection(config)


def faster_rcnn():
    define_operators()
    detection = pytest.importorskip("torchvision.models.detection")
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

    backbone = resnet_fpn_backbone(backbone_name="resnet18", weights=None, trainable_layers=3)
    return detection.FasterRCNN(backbone, num_classes=3)


def c4():
    """Detectron2's C4 models: frozen norms from the backbone into the heads."""
    define_operators()
    frozen = pytest.importorskip("torchvision.ops.misc").FrozenBatchNorm2d

    def block(i, o):
        return nn.ModuleDict({"conv": nn.Conv2d(i, o, 3, bias=False), "norm": frozen(o)})

    return nn.ModuleDict(
        {
            "backbone": nn.ModuleList([block(3, 4), block(4, 4)]),
            "rpn": nn.ModuleList([nn.Conv2d(4, 4, 3), nn.Conv2d(4, 3, 1), nn.Conv2d(4, 12, 1)]),
            "roi_heads": nn.ModuleList([block(4, 8), nn.Linear(8, 3), nn.Linear(8, 8)]),
        }
    )


def kept(model, tmp_path):
    path = str(tmp_path / "state.pt")
    torch.save(model.state_dict(), path)
    return read(path)


DETECTORS = {
    "DETR": lambda: with_resnet("Detr"),
    "DETR upon timm": lambda: detr("Detr", use_timm_backbone=True, backbone="resnet18"),
    "conditional DETR": lambda: with_resnet("ConditionalDetr"),
    "table transformer": lambda: with_resnet("TableTransformer"),
    "DAB-DETR": lambda: with_resnet("DabDetr"),
    "RT-DETR": rt_detr,
    "torchvision": faster_rcnn,
    "C4": c4,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", DETECTORS)
def test_frozen_norms_are_buffers(name, tmp_path):
    model = DETECTORS[name]()
    inventory = kept(model, tmp_path)
    assert {p.name for p in inventory.parameters} == {n for n, _ in model.named_parameters()}
    assert set(inventory.buffers) == model.state_dict().keys() & dict(model.named_buffers()).keys()
    norms = [m for m in model.modules() if "Frozen" in type(m).__name__]
    assert norms
    assert f"{2 * len(norms)} in norms without `num_batches_tracked`" in inventory.remarks[0]
    assert not any(p.unsure for p in inventory.parameters)


@pytest.mark.parametrize("name", ["resnet18", "vgg11_bn", "densenet121"])
def test_files_of_old_batch_norms_are_not_told(name, tmp_path):
    """torchvision's first weights count no batches: a note says which tensors may be buffers."""
    define_operators()
    models = pytest.importorskip("torchvision.models")
    with torch.device("meta"):
        model = getattr(models, name)()
    state = {n: t for n, t in model.state_dict().items() if not n.endswith("num_batches_tracked")}
    torch.save(state, tmp_path / "old.pt")
    inventory = read(str(tmp_path / "old.pt"))
    assert [p.name for p in inventory.parameters] == [n for n, _ in model.named_parameters()]
    unsure = {p.name for p in inventory.parameters if p.unsure}
    norms = {n for n, m in model.named_modules() if isinstance(m, nn.BatchNorm2d)}
    assert unsure == {f"{n}.{last}" for n in norms for last in ("weight", "bias")}
    report = grouper.check(inventory, grouper.parse(RULES))
    (note,) = [f for f in report.findings if f.code.id == "GR119"]
    assert set(note.parameters) == unsure
    assert note.notes == (f"{len(unsure)} in `vector`",)
    assert report.ok
    assert snapshot.loads(snapshot.dumps(inventory), inventory.path) == inventory


RULES = "optimizer SGD lr=1\nndim <= 1 and not {fc,classifier}* -> vector\nelse -> matrix"


def test_a_norm_that_counts_makes_those_that_do_not_frozen(tmp_path):
    counting, other = nn.BatchNorm2d(3).state_dict(), nn.BatchNorm2d(3).state_dict()
    del other["num_batches_tracked"]
    torch.save({"a." + n: t for n, t in counting.items()} | {"b." + n: t for n, t in other.items()},
               tmp_path / "two.pt")  # fmt: skip
    inventory = read(str(tmp_path / "two.pt"))
    assert [p.name for p in inventory.parameters] == ["a.weight", "a.bias"]


def test_parameters_that_are_saved_as_such_are_no_buffers(tmp_path):
    norm = nn.BatchNorm2d(3)
    state = norm.state_dict(keep_vars=True)
    del state["num_batches_tracked"]
    torch.save(dict(state), tmp_path / "kept.pt")
    inventory = read(str(tmp_path / "kept.pt"))
    assert [p.name for p in inventory.parameters] == ["weight", "bias"]
    assert not any(p.unsure for p in inventory.parameters)


def test_buffers_that_few_models_have(tmp_path):
    f = torch.zeros
    state = {
        "layers.0.layer_scalar": f(1), "layers.0.w": f(2, 2), "mlp.act_fn.alpha_p": f(1),
        "mlp.act_fn.alpha_n": f(1), "mlp.act_fn.beta": f(()), "mlp.act_fn.eps": f(()),
        "mlp.gate.e_score_correction_bias": f(4), "moe.expert_bias": f(4),
        "tp._w3j_0_1_1": f(1, 3, 3), "tp.output_mask": f(8), "tp.weight": f(8),
        "n.beta": f(3), "n.eps": f(1),
    }  # fmt: skip
    torch.save(state, tmp_path / "few.pt")
    inventory = read(str(tmp_path / "few.pt"))
    assert [p.name for p in inventory.parameters] == [
        "layers.0.w", "mlp.act_fn.alpha_p", "mlp.act_fn.alpha_n", "tp.weight", "n.beta", "n.eps",
    ]  # fmt: skip
    assert "2 that correct routers" in inventory.remarks[0]
