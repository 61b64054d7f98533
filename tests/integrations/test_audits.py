"""The audit of what frameworks build: silent but for what is true; live, and from their files."""

import copy
import json
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from support.torchvision_stub import define_operators  # noqa: E402

define_operators()

from torch import nn  # noqa: E402

import grouper  # noqa: E402

SGD, AdamW = torch.optim.SGD, torch.optim.AdamW


@pytest.fixture(autouse=True)
def one_thread():
    """Steps of small tensors are slow where threads wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def found(audit):
    return {(f.severity.value, f.code.id) for f in audit.findings}


def step(optimizer):
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.requires_grad:
                parameter.grad = torch.zeros_like(parameter)
    optimizer.step()


def groups_of(audit):
    return [group.parameters for optimizer in audit.optimizers for group in optimizer.groups]


def from_file(path, model, optimizer):
    """The audit of a checkpoint of both, whose groups must be those that are there."""
    step(optimizer)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
    audit = grouper.audit(path)
    live = grouper.audit(optimizer, model)
    names = {n: p.name for p in live.inventory.parameters for n in p.names}
    first = [tuple(names.get(n, n) for n in group) for group in groups_of(audit)]
    assert first == groups_of(live)
    return audit


# --- timm ---

UNSCALED = {("warning", "GR605")}


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "resnet18", "convnext_atto"])
@pytest.mark.parametrize("layer_decay", [None, 0.7])
def test_timm(name, layer_decay, tmp_path):
    timm = pytest.importorskip("timm")
    from timm.optim import create_optimizer_v2
    from timm.scheduler import create_scheduler_v2

    options = {"depth": 3, "embed_dim": 24, "num_heads": 2} if "vit" in name else {}
    model = timm.create_model(name, **options)

    def build():
        return create_optimizer_v2(
            model, "adamw", lr=1e-3, weight_decay=0.05, layer_decay=layer_decay
        )

    optimizer = build()
    wanted = UNSCALED if layer_decay else set()
    assert found(grouper.audit(optimizer, model)) == wanted
    assert found(from_file(tmp_path / "last.pt", model, optimizer)) == wanted
    create_scheduler_v2(optimizer, num_epochs=10, warmup_epochs=1, warmup_lr=1e-5)
    assert found(grouper.audit(optimizer, model)) == set()


@pytest.mark.parametrize(
    "name", ["sgd", "lamb", "lion", "adan", "muon", "lookahead_adamw", "madgrad"]
)
def test_optimizers_of_timm(name):
    timm = pytest.importorskip("timm")
    from timm.optim import create_optimizer_v2

    model = timm.create_model("vit_tiny_patch16_224", depth=2, embed_dim=24, num_heads=2)
    optimizer = create_optimizer_v2(model, name, lr=1e-3, weight_decay=0.05)
    assert found(grouper.audit(optimizer, model)) == set()


# --- transformers, peft ---


def gpt():
    transformers = pytest.importorskip("transformers")
    sizes = {"n_layer": 2, "n_embd": 16, "n_head": 2, "vocab_size": 64, "n_positions": 16}
    ends = {"bos_token_id": 0, "eos_token_id": 1}
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes, **ends))


def test_the_trainer_and_its_folder(tmp_path):
    transformers = pytest.importorskip("transformers")
    model = gpt()
    arguments = transformers.TrainingArguments(
        str(tmp_path), use_cpu=True, report_to=[], weight_decay=0.1, save_strategy="no"
    )
    trainer = transformers.Trainer(model, arguments)
    optimizer = trainer.create_optimizer()
    live = grouper.audit(optimizer, model)
    assert found(live) == set()
    step(optimizer)
    model.save_pretrained(tmp_path / "checkpoint-5")
    torch.save(optimizer.state_dict(), tmp_path / "checkpoint-5" / "optimizer.pt")
    for path in (tmp_path / "checkpoint-5", tmp_path / "checkpoint-5" / "optimizer.pt"):
        audit = grouper.audit(path)
        assert found(audit) == set()
        assert [set(g) for g in groups_of(audit)] == [set(g) for g in groups_of(live)]


@pytest.mark.parametrize("targets", [["c_attn"], ["c_attn", "wte"]])
def test_lora_plus(targets, tmp_path):
    peft = pytest.importorskip("peft")
    from peft.optimizers import create_loraplus_optimizer

    config = peft.LoraConfig(r=4, target_modules=targets, fan_in_fan_out=True)
    model = peft.get_peft_model(gpt(), config)
    optimizer = create_loraplus_optimizer(model, AdamW, lr=1e-4, loraplus_lr_ratio=16)
    assert found(grouper.audit(optimizer, model)) == set()
    assert found(from_file(tmp_path / "last.pt", model, optimizer)) == set()


# --- Ultralytics, YOLOv5 ---

DFL = {("note", "GR603")}  # its weights are constants, frozen, and in a group all the same


@pytest.mark.parametrize("name", ["SGD", "AdamW", "MuSGD"])
def test_ultralytics(name, tmp_path):
    pytest.importorskip("ultralytics")
    from support.ultralytics_models import built
    from ultralytics.engine.trainer import BaseTrainer

    model = built("v8/yolov8.yaml")
    trainer = BaseTrainer.__new__(BaseTrainer)
    trainer.args = SimpleNamespace(warmup_bias_lr=0.1, optimizer=name)
    trainer.data = {"nc": 80}
    optimizer = trainer.build_optimizer(model, name, lr=0.01, momentum=0.9, decay=5e-4)
    assert found(grouper.audit(optimizer, model)) == DFL
    assert found(from_file(tmp_path / "last.pt", model, optimizer)) == set()


def yolov5(model):
    """What `smart_optimizer` of YOLOv5 7.0 does."""
    biases, weights, norms = [], [], []
    norm = tuple(cls for name, cls in vars(nn).items() if "Norm" in name)
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if name == "bias":
                biases.append(parameter)
            elif name == "weight" and isinstance(module, norm):
                norms.append(parameter)
            else:
                weights.append(parameter)
    optimizer = SGD(biases, lr=0.01, momentum=0.937, nesterov=True)
    optimizer.add_param_group({"params": weights, "weight_decay": 5e-4})
    optimizer.add_param_group({"params": norms, "weight_decay": 0.0})
    return optimizer


def test_yolov5(tmp_path):
    pytest.importorskip("ultralytics")
    from support.ultralytics_models import built

    model = built("v5/yolov5.yaml")
    optimizer = yolov5(model)
    assert found(grouper.audit(optimizer, model)) == DFL
    step(optimizer)
    torch.save(
        {
            "epoch": 3,
            "model": copy.deepcopy(model).half(),
            "ema": None,
            "updates": 9,
            "optimizer": optimizer.state_dict(),
        },
        tmp_path / "epoch3.pt",
    )
    audit = grouper.audit(tmp_path / "epoch3.pt")
    assert found(audit) <= DFL
    assert groups_of(audit) == groups_of(grouper.audit(optimizer, model))


# --- nanoGPT ---


def nano_gpt(model, weight_decay=0.1):
    """What `configure_optimizers` of nanoGPT does."""
    parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
    groups = [
        {"params": [p for p in parameters.values() if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters.values() if p.dim() < 2], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=6e-4, betas=(0.9, 0.95))


def test_nano_gpt(tmp_path):
    model = gpt()
    optimizer = nano_gpt(model)
    assert found(grouper.audit(optimizer, model)) == set()
    assert found(from_file(tmp_path / "ckpt.pt", model, optimizer)) == set()


# --- Lightning, Accelerate ---


def test_a_file_of_lightning(tmp_path):
    lightning = pytest.importorskip("lightning.pytorch")

    class Net(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.body, self.norm, self.head = nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 2)

        def training_step(self, batch, index):
            return self.head(self.norm(self.body(batch[0]))).square().mean()

        def configure_optimizers(self):
            return nano_gpt(self)

    model = Net()
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(8, 4)), 4)
    trainer = lightning.Trainer(
        max_steps=2,
        logger=False,
        accelerator="cpu",
        default_root_dir=tmp_path,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, data)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    audit = grouper.audit(tmp_path / "last.ckpt")
    live = grouper.audit(trainer.optimizers[0], model)
    assert found(audit) == found(live) == set()
    assert groups_of(audit) == groups_of(live)


def test_a_folder_of_accelerate(tmp_path):
    accelerate = pytest.importorskip("accelerate")
    model = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 2))
    accelerator = accelerate.Accelerator(cpu=True)
    model, optimizer = accelerator.prepare(model, nano_gpt(model))
    step(optimizer)
    accelerator.save_state(str(tmp_path / "state"))
    audit = grouper.audit(tmp_path / "state")
    live = grouper.audit(optimizer, model)
    assert found(audit) == found(live) == set()
    assert [set(g) for g in groups_of(audit)] == [set(g) for g in groups_of(live)]


def test_what_it_gives_is_json(tmp_path):
    from grouper.reports.audit import audit_value

    model = gpt()
    json.dumps(audit_value(grouper.audit(nano_gpt(model), model)))
