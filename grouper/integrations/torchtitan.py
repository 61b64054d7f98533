"""Trains with torchtitan by a rules file: the optimizers and the schedulers of its configuration.

optimizer=optimizers("my.rules"), lr_scheduler=schedulers()
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from grouper.text.missing import missing

with missing("torchtitan", "this needs torchtitan: pip install torchtitan"):
    from torchtitan.components.optimizer import LRSchedulersContainer, OptimizersContainer
from torch import nn
from torch.optim import Optimizer

from grouper.api.build import build_optimizer
from grouper.api.check import check, checked_to_build
from grouper.api.plan import plan
from grouper.api.rules import rules_to_train
from grouper.options.values import Value
from grouper.train.plan import Plan


def optimizers(rules: str, *, whole: str = "", **variables: Value) -> RulesOptimizers.Config:
    """The `optimizer=` of a torchtitan configuration.

    Args:
        rules: the path of a rules file, or a shipped name.
        whole: a snapshot of the whole model, for pipeline stages, which have parts of it:
            `grouper params MODEL --save whole.json`.
        variables: values for the rules' `let` variables.

    torchtitan builds from it once the model is parallelized. That raises FileNotFoundError where a
    file does not exist, GroupingError where the rules do not fit the model, and ValueError where
    several parts of a model are to be trained without `whole`.
    """
    return RulesOptimizers.Config(rules=rules, whole=whole, variables=variables)


def schedulers(total_steps: int | None = None) -> RulesSchedulers.Config:
    """The `lr_scheduler=` of a torchtitan configuration: the rules' plan over `training.steps`.

    `total_steps` is the number of steps of the plan, where that is another one.
    """
    return RulesSchedulers.Config(total_steps=total_steps)


class RulesOptimizers(OptimizersContainer):
    """The optimizers that the rules name, one for each part of the model on this rank.

    `param_groups` and `implementation` of torchtitan's own configuration have no place here:
    `fused=true` is an option of the rules.
    """

    @dataclass(kw_only=True, slots=True)
    class Config(OptimizersContainer.Config):
        """What `optimizers` makes."""

        rules: str
        whole: str = ""
        variables: dict[str, Any] = field(default_factory=dict)

    def __init__(self, config: Config, *, model_parts: list[nn.Module]) -> None:
        if config.param_groups:
            raise ValueError("`rules` and `param_groups` both set the lr: leave out one of them")
        if len(model_parts) > 1 and not config.whole:
            raise ValueError(
                "this rank has several parts of the model, and rules are for the whole of it: save"
                " `grouper params MODEL --save whole.json`, and pass `whole='whole.json'`"
            )
        rules = rules_to_train(config.rules, dict(config.variables))
        self.model_parts = model_parts
        self.prefix = "" if config.whole else None
        one = model_parts[0]
        self.report = check(config.whole, rules) if config.whole else checked_to_build(one, rules)
        # Stages have other groups than each other, which is no disagreement.
        ranks: Literal[False] | None = False if config.whole else None
        self.optimizers = [
            build_optimizer(part, self.report, prefix=self.prefix, process_group=ranks)
            for part in model_parts
        ]
        groups = [group for made in self.optimizers for group in made.param_groups]
        self._post_init([parameter for group in groups for parameter in group["params"]])

    def plans(self, steps: int) -> list[Plan]:
        """The plan of each part for a run of some steps."""
        return [
            plan(part, self.report, steps=steps, prefix=self.prefix) for part in self.model_parts
        ]

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what `state_dict` returned, by the names of parameters.

        Options stay those of the rules. Warns of states that are not kept.
        """
        saved = _by_name(state_dict)
        owned = [_names(optimizer) for optimizer in self.optimizers]
        for optimizer, own in zip(self.optimizers, owned, strict=True):
            others = frozenset[str]().union(*owned) - own
            mine = [group for name, group in saved.items() if name not in others]
            states = {i: group["state"] for i, group in enumerate(mine)}
            groups = [{**group["options"], "params": [i]} for i, group in enumerate(mine)]
            optimizer.load_state_dict({"state": states, "param_groups": groups})


def _names(optimizer: Optimizer) -> frozenset[str]:
    return frozenset(name for group in optimizer.param_groups for name in group["param_names"])


def _by_name(flat: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The state and the options of each parameter, from `state.NAME.KEY` and
    `param_groups.NAME.OPTION`."""
    saved: dict[str, dict[str, Any]] = {}
    for key, value in flat.items():
        of, _, rest = key.partition(".")
        name, _, last = rest.rpartition(".")
        one = saved.setdefault(name, {"state": {}, "options": {"param_names": [name]}})
        one["options" if of == "param_groups" else "state"][last] = value
    return saved


class RulesSchedulers(LRSchedulersContainer):
    """A scheduler for each optimizer of the rules; it logs `lr/GROUP` for every group."""

    @dataclass(kw_only=True, slots=True)
    class Config(LRSchedulersContainer.Config):
        """What `schedulers` makes; of torchtitan's own options `total_steps` alone counts."""

        def build(self, *, optimizers: RulesOptimizers, training_steps: int) -> RulesSchedulers:
            """Raises TypeError for optimizers that are not those of the rules."""
            return RulesSchedulers(optimizers, self.total_steps or training_steps)

    def __init__(self, optimizers: RulesOptimizers, steps: int) -> None:
        if not isinstance(optimizers, RulesOptimizers):
            raise TypeError(
                "these optimizers do not follow rules: write `optimizer=optimizers('my.rules')`"
                " into the configuration as well"
            )
        pairs = zip(optimizers.plans(steps), optimizers.optimizers, strict=True)
        self.schedulers = [followed.scheduler(optimizer) for followed, optimizer in pairs]

    def get_metrics(self) -> dict[str, float]:
        """The lr of each group, as `lr/GROUP`."""
        groups = [group for each in self.schedulers for group in each.optimizer.param_groups]
        return {f"lr/{group['name']}": float(group["lr"]) for group in groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go to the saved step."""
        for scheduler in self.schedulers:
            scheduler.load_state_dict({"last_epoch": state_dict["last_epoch"]})
