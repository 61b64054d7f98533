"""A window against Lightning's BackboneFinetuning: the rates of its own run, epoch by epoch."""

import warnings

import pytest

torch = pytest.importorskip("torch")
from support.torchvision_stub import define_operators  # noqa: E402

define_operators()
lightning = pytest.importorskip("lightning.pytorch")

from lightning.pytorch.callbacks import BackboneFinetuning, Callback  # noqa: E402
from torch import nn  # noqa: E402

import grouper  # noqa: E402

EPOCHS, NB, OPENS = 6, 4, 3


class Model(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.backbone, self.head = nn.Linear(4, 4), nn.Linear(4, 2)

    def training_step(self, batch, index):
        return self.head(self.backbone(batch)).square().mean()

    def configure_optimizers(self):
        trained = [p for p in self.parameters() if p.requires_grad]
        return torch.optim.SGD(trained, lr=0.02, momentum=0.9)


class Rates(Callback):
    def __init__(self):
        self.found = []

    def on_train_batch_start(self, trainer, *batch):
        groups = trainer.optimizers[0].param_groups
        self.found.append([group["lr"] for group in groups])


@pytest.fixture(scope="module")
def rates():
    """The lr of the head, and the backbone's once it is there, at every step."""
    seen = Rates()
    thaw = BackboneFinetuning(
        OPENS, lambda epoch: 1, backbone_initial_ratio_lr=0.1, initial_denom_lr=1, train_bn=True
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            max_epochs=EPOCHS, accelerator="cpu", callbacks=[thaw, seen], logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(Model(), torch.utils.data.DataLoader(torch.randn(NB, 4)))
    return seen.found


def test_the_rates_of_its_run(rates):
    text = f"optimizer SGD lr=0.02 momentum=0.9\nbackbone.* -> backbone from_epoch={OPENS} lr*=0.1"
    plan = grouper.plan(
        Model(), grouper.parse(f"{text}\nelse -> head"), steps_per_epoch=NB, epochs=EPOCHS
    )
    curves = plan.over(range(plan.steps))
    assert len(rates) == plan.steps
    assert curves["head"]["lr"] == [lrs[0] for lrs in rates]
    assert curves["backbone"]["lr"] == [lrs[1] if len(lrs) > 1 else 0 for lrs in rates]
    assert {len(lrs) for lrs in rates[: OPENS * NB]} == {1}
    assert {len(lrs) for lrs in rates[OPENS * NB :]} == {2}
