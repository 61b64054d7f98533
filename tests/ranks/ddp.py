"""What two ranks find when rules freeze and unfreeze under DistributedDataParallel."""

import gc
import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import grouper

RULES = """
optimizer SGD lr=0.1 momentum=0.9
0.* -> stem freeze
else -> head
optional 0.* -> lr=0.05
"""
STEPS, UNFREEZE = 6, 3


class Run:
    """A model, its groups, and what wraps it, in whichever order a test makes them."""

    def __init__(self):
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
        self.report = grouper.check(self.model, grouper.parse(RULES))
        self.optimizer = self.wrapper = None

    def build(self, model=None):
        self.optimizer = grouper.build_optimizer(model or self.model, self.report)

    def wrap(self, **options):
        self.wrapper = None
        gc.collect()
        self.wrapper = DistributedDataParallel(self.model, **options)

    def unfreeze(self, model=None):
        self.report = self.report.unfreeze("stem")
        grouper.add_groups(self.optimizer, model or self.model, self.report)

    def train(self, steps, forward=None):
        for number in range(*steps):
            torch.manual_seed(10 * number + dist.get_rank())
            self.optimizer.zero_grad()
            (forward or self.wrapper)(torch.randn(5, 3)).square().mean().backward()
            self.optimizer.step()


def built_first(run):
    run.build(), run.wrap()
    run.train((0, STEPS))


def wrapped_first(run):
    run.wrap(), run.build(run.wrapper)
    run.train((0, STEPS))


def wrapped_first_inner(run):
    run.wrap(), run.build(run.model)
    run.train((0, STEPS))


def unused_looked_for(run):
    run.wrap(find_unused_parameters=True), run.build(run.wrapper)
    run.train((0, UNFREEZE)), run.unfreeze(run.wrapper), run.train((UNFREEZE, STEPS))


def unfrozen(run, model=None):
    run.build(), run.wrap()
    run.train((0, UNFREEZE)), run.unfreeze(model and run.wrapper), run.train((UNFREEZE, STEPS))


def unfrozen_through_the_wrapper(run):
    unfrozen(run, model=True)


def unfrozen_unwrapped(run):
    run.build(), run.wrap()
    run.train((0, UNFREEZE))
    run.wrapper = None
    run.unfreeze(), run.wrap(), run.train((UNFREEZE, STEPS))


def unfrozen_in_a_static_graph(run):
    run.wrap(static_graph=True), run.build(run.wrapper)
    run.train((0, UNFREEZE)), run.unfreeze(), run.train((UNFREEZE, STEPS))


def frozen_in_a_static_graph(run):
    run.wrap(static_graph=True), run.build(run.wrapper), run.train((0, STEPS))


def unfrozen_report(run):
    """The report unfreezes what was frozen by hand before the model was wrapped."""
    run.model[0].requires_grad_(False)
    run.wrap()
    run.model[0].requires_grad_(True)
    run.report = grouper.check(run.model, grouper.parse(RULES)).unfreeze("stem")
    run.build(), run.train((0, STEPS))


def ignored_by_name(run):
    """What the user excludes from the averaging is the user's to average."""
    names = {"0.weight", "0.bias"}
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(run.model, names)
    run.build(), run.wrap(), run.unfreeze(), run.train((0, 1))
    return "trained"


def without_a_wrapper(run):
    """Ranks that average gradients by hand."""
    run.build()
    for number in range(STEPS):
        if number == UNFREEZE:
            run.unfreeze()
        torch.manual_seed(10 * number + dist.get_rank())
        run.optimizer.zero_grad()
        run.model(torch.randn(5, 3)).square().mean().backward()
        for parameter in run.model.parameters():
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
        run.optimizer.step()


CASES = (
    built_first,
    wrapped_first,
    wrapped_first_inner,
    unused_looked_for,
    unfrozen,
    unfrozen_through_the_wrapper,
    unfrozen_unwrapped,
    unfrozen_in_a_static_graph,
    frozen_in_a_static_graph,
    unfrozen_report,
    ignored_by_name,
    without_a_wrapper,
)


def outcome(case):
    run = Run()
    before = [p.detach().clone() for p in run.model.parameters()]
    try:
        said = case(run) or "trained"
    except ValueError as error:
        said = str(error)
    weights = [p.detach() for p in run.model.parameters()]
    gathered = [[torch.empty_like(w) for _ in range(2)] for w in weights]
    for both, weight in zip(gathered, weights, strict=True):
        dist.all_gather(both, weight)
    return {
        "said": said,
        "same": all(torch.equal(*both) for both in gathered),
        "moved": [not torch.equal(b, w) for b, w in zip(before, weights, strict=True)],
        "trainable": [p.requires_grad for p in run.model.parameters()],
        "groups": run.optimizer and len(run.optimizer.param_groups),
    }


def main(folder):
    dist.init_process_group("gloo")
    found = {}
    for case in CASES:
        found[case.__name__] = outcome(case)
        gc.collect()
    (folder / f"ddp{dist.get_rank()}.json").write_text(json.dumps(found))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
