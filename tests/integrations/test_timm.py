"""timm's training script by rules: its own parts, in its own order of calls.

The script itself is not in timm's package; `script` makes its calls: optimizer, scheduler, resume,
epochs of accumulated and clipped updates, and a saver.
"""

import argparse

import pytest

torch = pytest.importorskip("torch")

from support.torchvision_stub import define_operators  # noqa: E402

define_operators()
timm = pytest.importorskip("timm")

from support.trainer_cases import (  # noqa: E402
    by_name,
    equal,
    moments,
    no_grouping_warning,
    ordered,
    reordered,
    same_moments,
)
from timm.models import resume_checkpoint  # noqa: E402
from timm.optim import create_optimizer_v2, optimizer_kwargs  # noqa: E402
from timm.scheduler import create_scheduler_v2, scheduler_kwargs  # noqa: E402
from timm.utils import CheckpointSaver, dispatch_clip_grad  # noqa: E402

import grouper  # noqa: E402
from grouper.integrations.timm import create_optimizer, create_scheduler  # noqa: E402

# What the script does with --opt adamw --lr 2e-3 --weight-decay 0.05 --warmup-epochs 1
# --warmup-prefix --warmup-lr 1e-5 --min-lr 1e-4 --sched-on-updates: no decay for vectors and what
# the model names (`no_weight_decay`), a warm-up in steps of the optimizer, and a cosine behind it.
DEFAULT = """
optimizer AdamW lr=2e-3
warmup epochs=1 start=1e-5
schedule cosine after=warmup final=0.05
else ndim <= 1 or *.bias or has no_weight_decay -> no_decay weight_decay=0
else -> decay weight_decay=0.05
"""
BLOCKS = ("blocks.0.*", "blocks.1.*")
BATCHES, EPOCHS = 5, 4


def arguments(**changed):
    given = {
        "opt": "adamw", "lr": 2e-3, "weight_decay": 0.05, "momentum": 0.9, "sched": "cosine",
        "epochs": EPOCHS, "warmup_epochs": 1, "warmup_prefix": True, "warmup_lr": 1e-5,
        "min_lr": 1e-4, "sched_on_updates": True, "accumulate": 1, "rules": None,
    }  # fmt: skip
    return argparse.Namespace(**{**given, **changed})


def by_timm(args, model, updates):
    optimizer = create_optimizer_v2(model, **optimizer_kwargs(cfg=args))
    kwargs = {**scheduler_kwargs(args), "num_epochs": args.epochs - args.warmup_epochs}
    return optimizer, *create_scheduler_v2(optimizer, **kwargs, updates_per_epoch=updates)


def by_rules(args, model, updates):
    optimizer = create_optimizer(args, model)
    return optimizer, *create_scheduler(args, optimizer, updates)


def network():
    torch.manual_seed(0)
    return timm.create_model("test_vit", num_classes=3, img_size=32, depth=2)


def script(make, args, folder=None, resume=None, stop=None, look=lambda *_: None):
    """The calls of timm's script, in its order; the model and its optimizer."""
    model = network()
    updates = (BATCHES + args.accumulate - 1) // args.accumulate
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(BATCHES, 2, 3, 32, 32, generator=generator)
    targets = torch.randint(0, 3, (BATCHES, 2), generator=generator)
    optimizer, lr_scheduler, num_epochs = make(args, model, updates)
    start = 0
    if resume:
        start = resume_checkpoint(model, str(resume), optimizer=optimizer, weights_only=False)
        lr_scheduler.step_update(start * updates) if args.sched_on_updates else lr_scheduler.step(
            start
        )
    look(model, optimizer)
    saver = folder and CheckpointSaver(
        model, optimizer, checkpoint_dir=str(folder), recovery_dir=str(folder)
    )
    assert num_epochs == EPOCHS
    for epoch in range(start, num_epochs):
        _train(epoch, model, images, targets, optimizer, lr_scheduler, args, updates)
        lr_scheduler.step(epoch + 1, 0.0)
        if saver:
            saver.save_checkpoint(epoch, metric=0.0)
        if epoch + 1 == stop:
            break
    return model, optimizer


def _train(epoch, model, images, targets, optimizer, lr_scheduler, args, updates):
    model.train()
    optimizer.zero_grad()
    num_updates = epoch * updates
    last = BATCHES - BATCHES % args.accumulate
    for index, (image, target) in enumerate(zip(images, targets, strict=True)):
        need = (index + 1) % args.accumulate == 0 or index == BATCHES - 1
        share = args.accumulate if index < last else BATCHES % args.accumulate
        (torch.nn.functional.cross_entropy(model(image), target) / share).backward()
        if not need:
            continue
        dispatch_clip_grad(model.parameters(), value=1.0)
        optimizer.step()
        num_updates += 1
        optimizer.zero_grad()
        lr_scheduler.step_update(num_updates=num_updates, metric=0.0)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_run_is_the_scripts_own_to_the_bit(accumulate):
    args = arguments(accumulate=accumulate)
    own, _ = script(by_timm, args)
    with no_grouping_warning():
        ours, optimizer = script(by_rules, arguments(**{**vars(args), "rules": rules()}))
    assert equal(own, ours)
    assert not equal(own, network())
    assert [group["name"] for group in optimizer.param_groups] == ["no_decay", "decay"]


def rules(text=DEFAULT):
    return grouper.parse(text)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_resumed_from_its_saver_it_is_the_scripts_own(accumulate, tmp_path):
    args = arguments(accumulate=accumulate)
    whole, _ = script(by_timm, args)
    ours = arguments(accumulate=accumulate, rules=rules())
    script(by_rules, ours, tmp_path, stop=2)
    with no_grouping_warning():
        resumed, _ = script(by_rules, ours, resume=tmp_path / "last.pth.tar")
    assert equal(whole, resumed)


class Look:
    def __call__(self, model, optimizer):
        self.moments = moments(model, optimizer)


def test_after_changed_rules_every_moment_is_with_its_parameter(tmp_path):
    script(by_rules, arguments(rules=rules(ordered(*BLOCKS))), tmp_path, stop=2)
    saved = by_name(torch.load(tmp_path / "last.pth.tar", weights_only=False)["optimizer"])
    path, look = tmp_path / "last.pth.tar", Look()
    with no_grouping_warning():
        resumed, optimizer = script(
            by_rules, arguments(rules=rules(reordered(*BLOCKS))), resume=path, look=look
        )
    assert same_moments(look.moments, saved)
    assert [group["name"] for group in optimizer.param_groups] == ["second", "first", "rest"]
    whole, _ = script(by_rules, arguments(rules=rules(ordered(*BLOCKS))))
    assert equal(whole, resumed)

    def control(args, model, updates):
        groups = grouper.param_groups(model, rules(reordered(*BLOCKS)))
        optimizer = torch.optim.AdamW(groups)
        return optimizer, *create_scheduler_v2(
            optimizer, **scheduler_kwargs(args), updates_per_epoch=5
        )

    with pytest.raises(Exhausted):
        script(control, arguments(warmup_epochs=0), resume=path, look=Differs(saved))


class Exhausted(Exception):
    """Enough was seen."""


class Differs:
    def __init__(self, saved):
        self.saved = saved

    def __call__(self, model, optimizer):
        assert not same_moments(moments(model, optimizer), self.saved)
        raise Exhausted


def test_layer_decay_by_rules_is_timms_own():
    text = """
        optimizer AdamW lr=2e-3
        split decay {
            else ndim <= 1 or has no_weight_decay -> v weight_decay=0
            else -> m weight_decay=0.05
        }
        split layer {
            {cls_token,pos_embed,patch_embed.*} -> stem lr*=0.75**3
            blocks.{i}.* -> block{i} lr*=0.75**(2 - i)
            norm.* -> norm lr*=0.75
            else -> head
        }
    """
    model = network()
    own = create_optimizer_v2(model, opt="adamw", lr=2e-3, weight_decay=0.05, layer_decay=0.75)
    ours = create_optimizer(None, model, rules(text))
    theirs = {id(p): g["lr_scale"] * 2e-3 for g in own.param_groups for p in g["params"]}
    decays = {id(p): g["weight_decay"] for g in own.param_groups for p in g["params"]}
    for group in ours.param_groups:
        for parameter in group["params"]:
            assert group["lr"] == pytest.approx(theirs[id(parameter)])
            assert group["weight_decay"] == decays[id(parameter)]


# --- Wrong uses


def test_two_owners_and_optimizers_of_others_are_refused():
    args, model = arguments(rules=rules()), network()
    with pytest.raises(ValueError, match=r"was not made by grouper\.integrations.timm"):
        create_scheduler(args, torch.optim.SGD(model.parameters(), lr=1), 5)
    optimizer = create_optimizer(args, model)
    scheduler, _ = create_scheduler(args, optimizer, 5)
    create_scheduler_v2(optimizer, num_epochs=3)[0].step(1)
    with pytest.raises(ValueError, match="something else changed the lr"):
        scheduler.step_update(1)


def test_no_rules_and_rules_for_another_model():
    with pytest.raises(ValueError, match=r"there are no rules.*--rules"):
        create_optimizer(arguments(), network())
    with pytest.raises(grouper.GroupingError, match="matches no parameter"):
        create_optimizer(None, network(), rules("optimizer SGD lr=1; backbone.* -> a; else -> b"))


def test_variables_and_paths(tmp_path):
    path = tmp_path / "my.rules"
    path.write_text("let base = 1\noptimizer SGD lr=base\n* -> all\n")
    args = arguments(rules=str(path))
    assert create_optimizer(args, network(), base=0.5).param_groups[0]["lr"] == 0.5
