"""Lightning's own Trainer, by rules: real runs, interrupted, resumed, misused."""

import sys
import warnings

import pytest

torch = pytest.importorskip("torch")

from support.torchvision_stub import define_operators  # noqa: E402

define_operators()
lightning = pytest.importorskip("lightning.pytorch")

from lightning.pytorch import LightningModule, Trainer  # noqa: E402
from lightning.pytorch.callbacks import (  # noqa: E402
    BackboneFinetuning,
    Callback,
    GradientAccumulationScheduler,
    LearningRateMonitor,
    ModelCheckpoint,
)
from lightning.pytorch.loggers import CSVLogger  # noqa: E402
from support.trainer_cases import (  # noqa: E402
    by_name,
    equal,
    moments,
    no_grouping_warning,
    ordered,
    reordered,
    same_moments,
)
from torch import nn  # noqa: E402

import grouper  # noqa: E402
from grouper.integrations.lightning import RulesCLI, configure  # noqa: E402

RULES = """
optimizer AdamW lr=1e-2
warmup steps=3
schedule linear after=warmup
else ndim >= 2 -> decay weight_decay=0.1
else -> rest weight_decay=0
"""
LAYERS = ("layers.0.*", "layers.1.*")
BATCHES = 11


class Net(LightningModule):
    """`how` is what configures it: rules, or a function."""

    def __init__(self, how=None):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
        self.norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 1)
        self.how = how

    def forward(self, x):
        for layer in self.layers:
            x = layer(x).relu()
        return self.head(self.norm(x))

    def training_step(self, batch, _):
        return (self(batch[0]) - batch[0].sum(1, keepdim=True)).square().mean()

    def train_dataloader(self):
        generator = torch.Generator().manual_seed(1)
        data = torch.utils.data.TensorDataset(torch.randn(BATCHES * 4, 4, generator=generator))
        return torch.utils.data.DataLoader(data, batch_size=4)

    def configure_optimizers(self):
        return self.how(self) if callable(self.how) else configure(self, self.how)


def by_hand(module):
    """The rules above, as people write them."""
    steps = module.trainer.estimated_stepping_batches
    groups = [
        {"params": [p for p in module.parameters() if p.ndim >= 2], "weight_decay": 0.1},
        {"params": [p for p in module.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-2)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda n: n / 3 if n < 3 else max(0.0, (steps - n) / (steps - 3))
    )
    return {
        "optimizer": optimizer,
        "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
    }


class Look(Callback):
    def __init__(self):
        self.lrs, self.moments = [], None

    def on_train_start(self, trainer, module):
        self.moments = moments(module, trainer.optimizers[0])

    def on_before_optimizer_step(self, trainer, module, optimizer):
        self.lrs.append({g.get("name"): g["lr"] for g in optimizer.param_groups})


class StopAt(Callback):
    def __init__(self, step):
        self.step = step

    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step == self.step:
            trainer.should_stop = True


def fit(how, folder, *callbacks, resume=None, logger=False, **options):
    module = how if isinstance(how, LightningModule) else Net(how)
    trainer = Trainer(
        **{
            "max_epochs": 3,
            "accelerator": "cpu",
            "logger": logger,
            "enable_checkpointing": any(isinstance(c, ModelCheckpoint) for c in callbacks),
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "default_root_dir": str(folder),
            "callbacks": list(callbacks),
            "log_every_n_steps": 1,
            **options,
        }
    )
    trainer.fit(module, ckpt_path=resume, weights_only=False)
    return module


OPTIONS = [
    {},
    {"accumulate_grad_batches": 3},
    {"gradient_clip_val": 0.1},
    {"precision": "bf16-mixed", "accumulate_grad_batches": 2},
    {"max_steps": 17, "max_epochs": -1},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_a_run_is_that_of_hand_written_groups_to_the_bit(tmp_path, options):
    own, look = fit(by_hand, tmp_path, **options), Look()
    with no_grouping_warning():
        ours = fit(grouper.parse(RULES), tmp_path, look, **options)
    assert equal(own, ours)
    assert not equal(own, Net())
    plan = ours.lr_schedulers().plan
    assert len(look.lrs) == plan.steps
    assert plan.in_steps == ("max_steps" in options)
    assert look.lrs == [{n: v["lr"] for n, v in plan.at(i).items()} for i in range(plan.steps)]


@pytest.mark.parametrize("options", [{}, {"accumulate_grad_batches": 3}])
@pytest.mark.parametrize("stop", [4, 5])
def test_resumed_in_the_middle_of_an_epoch_it_is_lightnings_own(tmp_path, options, stop):
    def resumed(how, folder):
        saved = ModelCheckpoint(folder, every_n_train_steps=stop, save_top_k=-1)
        fit(how, folder, saved, StopAt(stop), **options)
        (path,) = folder.glob(f"*step={stop}.ckpt")
        return fit(how, folder, resume=str(path), **options)

    own = resumed(by_hand, tmp_path / "own")
    with no_grouping_warning():
        ours = resumed(grouper.parse(RULES), tmp_path / "ours")
    assert equal(own, ours)
    assert ours.lr_schedulers().last_epoch == own.lr_schedulers().last_epoch


def interrupted(text, folder, stop=7):
    saved = ModelCheckpoint(folder, every_n_train_steps=stop, save_top_k=-1)
    fit(grouper.parse(text), folder, saved, StopAt(stop))
    (path,) = folder.glob(f"*step={stop}.ckpt")
    state = torch.load(path, weights_only=False)["optimizer_states"][0]
    return str(path), by_name(state)


def test_after_changed_rules_every_moment_is_with_its_parameter(tmp_path):
    path, saved = interrupted(ordered(*LAYERS), tmp_path)
    look = Look()
    with no_grouping_warning():
        resumed = fit(grouper.parse(reordered(*LAYERS)), tmp_path, look, resume=path)
    assert same_moments(look.moments, saved)
    assert list(look.lrs[0]) == ["second", "first", "rest"]
    assert look.lrs[0]["second"] == look.lrs[0]["first"] / 2
    assert equal(resumed, fit(grouper.parse(ordered(*LAYERS)), tmp_path, resume=path))


def test_a_control_by_position_gives_moments_to_others(tmp_path):
    path, saved = interrupted(ordered(*LAYERS), tmp_path)
    look = Look()

    def control(module):
        groups = grouper.param_groups(module, grouper.parse(reordered(*LAYERS)))
        return torch.optim.AdamW(groups, lr=1e-3)

    fit(control, tmp_path, look, resume=path)
    assert look.moments.keys() == saved.keys()
    assert not same_moments(look.moments, saved)


def test_what_is_new_and_dropped_is_said(tmp_path):
    path, _ = interrupted(ordered(*LAYERS), tmp_path)
    text = ordered(*LAYERS) + "norm.* -> freeze\n"
    with pytest.warns(grouper.GroupingWarning, match=r"2 dropped(.|\n)*norm"):
        fit(grouper.parse(text), tmp_path, resume=path)


def test_the_monitor_of_rates_calls_groups_by_their_names(tmp_path):
    logger = CSVLogger(tmp_path)
    fit(grouper.parse(RULES), tmp_path, LearningRateMonitor("step"), logger=logger)
    logger.save()
    (path,) = tmp_path.rglob("metrics.csv")
    head = path.read_text().splitlines()[0].split(",")
    assert {"lr/decay", "lr/rest"} <= set(head)


class Two(Net):
    """Two optimizers, each with rules and a part of its own, stepped by hand."""

    automatic_optimization = False

    def configure_optimizers(self):
        text = "optimizer SGD lr=0.01 momentum=0.9; schedule linear every=step; * -> all"
        return [
            configure(self, grouper.parse(RULES), model=self.layers, name="lr/layers"),
            configure(self, grouper.parse(text), model=self.head, name="lr/head"),
        ]

    def training_step(self, batch, index):
        for optimizer, scheduler in zip(self.optimizers(), self.lr_schedulers(), strict=True):
            optimizer.zero_grad()
            self.manual_backward(super().training_step(batch, index))
            optimizer.step()
            scheduler.step()


def test_several_optimizers_each_with_its_part(tmp_path):
    made = fit(Two(), tmp_path)
    first, second = made.lr_schedulers()
    assert first.last_epoch == second.last_epoch == first.plan.steps == 3 * BATCHES
    start = Two()
    assert equal(made.norm, start.norm)
    assert not equal(made.layers, start.layers)
    assert not equal(made.head, start.head)


def test_several_in_one_file_are_one_optimizer(tmp_path):
    text = (
        "optimizer AdamW lr=1e-2; optimizer SGD as b lr=0.1; ndim >= 2 -> m; else -> v optimizer=b"
    )
    made = fit(grouper.parse(text), tmp_path)
    assert len(made.trainer.optimizers) == 1
    assert len(made.trainer.optimizers[0].members) == 2


def test_accumulation_that_changes_between_epochs(tmp_path):
    changes = GradientAccumulationScheduler({0: 1, 1: 4})
    made = fit(grouper.parse(RULES), tmp_path, changes)
    assert made.lr_schedulers().plan.steps == made.trainer.global_step == 11 + 3 + 3


def test_a_loader_without_a_length(tmp_path):
    class Endless(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(torch.ones(1000, 1, 1, 4))

    class Streams(Net):
        def train_dataloader(self):
            return torch.utils.data.DataLoader(Endless(), batch_size=None)

    made = fit(Streams(grouper.parse(RULES)), tmp_path, max_steps=5)
    assert made.lr_schedulers().plan.steps == 5
    with pytest.raises(ValueError, match=r"length of this run is not known .*steps="):
        fit(Streams(grouper.parse(RULES)), tmp_path, max_epochs=1, limit_train_batches=None)
    how = lambda module: configure(module, grouper.parse(RULES), steps=9)  # noqa: E731
    assert fit(Streams(how), tmp_path, max_epochs=1, limit_train_batches=9).global_step == 9


# --- Wrong uses


def test_a_plan_by_batch_with_accumulation_is_said_before_the_first_step(tmp_path):
    how = lambda m: configure(m, grouper.parse(RULES), steps=3 * BATCHES)  # noqa: E731
    with pytest.warns(grouper.GroupingWarning, match=r"`steps=33`.* 12 times .*leave out `steps`"):
        fit(how, tmp_path, accumulate_grad_batches=3)


def test_finetuning_callbacks_are_refused_with_the_window_as_the_way_out(tmp_path):
    callback = BackboneFinetuning(unfreeze_backbone_at_epoch=1)
    module = Net(grouper.parse(RULES))
    module.backbone = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"BackboneFinetuning adds groups.*from_epoch=10"):
        fit(module, tmp_path, callback)
    text = RULES + "layers.* -> from_epoch=1\n"
    look = Look()
    made = fit(grouper.parse(text), tmp_path, look)
    window = next(name for name in look.lrs[0] if look.lrs[0][name] == look.lrs[5][name] == 0)
    assert window
    assert all(step[window] > 0 for step in look.lrs[BATCHES + 2 : -1])
    assert not equal(made.layers, Net().layers)


class Meddles(Callback):
    def on_train_batch_end(self, trainer, *_):
        trainer.optimizers[0].param_groups[0]["lr"] = 1.0


def test_a_second_owner_of_the_lr_is_refused(tmp_path):
    with pytest.raises(ValueError, match="something else changed the lr of the group `decay`"):
        fit(grouper.parse(RULES), tmp_path, Meddles())


def test_rules_for_another_model_and_an_optimizer_of_other_rules(tmp_path):
    with pytest.raises(grouper.GroupingError, match="matches no parameter"):
        fit(grouper.parse("optimizer SGD lr=1; backbone.* -> a; else -> b"), tmp_path)

    def mixed(module):
        made = configure(module, grouper.parse(RULES))
        other = grouper.build_optimizer(module, grouper.parse(RULES.replace("1e-2", "1e-3")))
        made["lr_scheduler"]["scheduler"] = made["lr_scheduler"]["scheduler"].plan.scheduler(other)
        return made

    with pytest.raises(ValueError, match="the optimizer was built from other rules"):
        fit(mixed, tmp_path)


# --- LightningCLI


@pytest.fixture
def cli(tmp_path, monkeypatch):
    pytest.importorskip("jsonargparse")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.rules").write_text(RULES.replace("lr=1e-2", "lr=base").join(
        ["let base = 1e-2\n", ""]
    ))  # fmt: skip

    def start(yaml, model=None):
        (tmp_path / "run.yaml").write_text(
            "trainer: {max_epochs: 1, accelerator: cpu, logger: false,"
            f" enable_checkpointing: false, enable_progress_bar: false}}\n{yaml}"
        )
        monkeypatch.setattr(sys, "argv", ["main.py"])
        return RulesCLI(
            model or Bare, args=["fit", "--config", "run.yaml"], save_config_callback=None
        )

    return start


class Bare(Net):
    def __init__(self):
        super().__init__()

    configure_optimizers = LightningModule.configure_optimizers


def test_rules_in_yaml(cli):
    with warnings.catch_warnings():
        warnings.simplefilter("error", grouper.GroupingWarning)
        made = cli("rules: my.rules\nrules_variables: {base: 0.5}").model
    assert made.lr_schedulers().plan.steps == BATCHES
    assert made.trainer.optimizers[0].param_groups[0]["initial_lr"] == 0.5


def test_without_rules_it_is_lightnings_own(cli):
    made = cli("optimizer: {class_path: torch.optim.SGD, init_args: {lr: 0.1}}").model
    assert type(made.trainer.optimizers[0]).__name__ == "SGD"


def test_two_owners_in_yaml(cli):
    with pytest.raises(ValueError, match="`rules:` and `optimizer:` both set the lr"):
        cli("rules: my.rules\noptimizer: {class_path: torch.optim.SGD, init_args: {lr: 0.1}}")

    class Own(Bare):
        def configure_optimizers(self):
            raise AssertionError

    with pytest.warns(grouper.GroupingWarning, match="in the place of Own.configure_optimizers"):
        cli("rules: my.rules", Own)
