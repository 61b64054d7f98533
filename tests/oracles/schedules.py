"""Schedules of projects that install nowhere, as they are published to compute them: facts, written
anew. Each gives the value at a step of a run of `steps`."""

from __future__ import annotations

import math


def nanogpt_lr(step, steps, warmup, lr, least):
    """nanoGPT's `get_lr`, with `lr_decay_iters` the run's length."""
    if step < warmup:
        return lr * (step + 1) / (warmup + 1)
    share = (step - warmup) / (steps - warmup)
    return least + 0.5 * (1 + math.cos(math.pi * share)) * (lr - least)


def dino_cosine(step, steps, first, last):
    """DINO's, DINOv2's and DINOv3's CosineScheduler without a warm-up: the decay and the EMA."""
    return last + 0.5 * (first - last) * (1 + math.cos(math.pi * step / steps))


def dinov3_lr(step, steps, warmup, start, peak):
    """DINOv3's second kind of schedule while it warms up, a `linspace` without its end."""
    assert step < warmup
    return start + (peak - start) * step / warmup


def nanochat_lr(step, steps, warmdown, final):
    """nanochat's factor of every lr, as its runs have it: no warm-up, a linear warm-down."""
    length = round(warmdown * steps)
    if step <= steps - length:
        return 1.0
    left = (steps - step) / length
    return left + (1 - left) * final


def nanochat_momentum(step, steps, warmdown):
    """nanochat's momentum of Muon: up in 400 steps, down while the lr goes down."""
    length = round(warmdown * steps)
    if step < 400:
        return (1 - step / 400) * 0.85 + step / 400 * 0.97
    done = (step - (steps - length)) / length
    return 0.97 * (1 - done) + 0.90 * done if done >= 0 else 0.97


def sam2_value(step, steps, first, last):
    """fvcore's cosine between two values, which SAM 2 asks at the share of the run that is over."""
    where = step / steps
    return last + 0.5 * (first - last) * (1 + math.cos(math.pi * where))


def big_vision_lr(step, steps, base, kind, warmup=0, **options):
    """big_vision's `create_learning_rate_schedule`, in doubles: a decay, times a warm-up."""
    progress = min(max((step - warmup) / (steps - warmup), 0), 1)
    if kind == "cosine":
        lr = base * 0.5 * (1 + math.cos(math.pi * progress))
    elif kind == "rsqrt":
        lr = base / math.sqrt(1 + max(step - warmup, 0) / options["timescale"])
    elif kind == "stair":
        reached = sum(at <= step for at in options["reached"])
        lr = base * [1.0, *options["mults"]][reached]
    else:
        end = options.get("end", 0)
        lr = end + (base - end) * (1 - progress) ** options.get("power", 1)
    return lr * min(1, step / warmup) if warmup else lr
