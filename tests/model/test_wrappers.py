"""Wrappers are known by what they are, never by what they are called."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.distributed._composable.replicate import DDP  # noqa: E402
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import (  # noqa: E402
    CheckpointWrapper,
    checkpoint_wrapper,
    offload_wrapper,
)
from torch.distributed.fsdp import FSDPModule  # noqa: E402

import grouper  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402
from grouper.model.wrappers import own_class  # noqa: E402


def composed(mixed_in, prefix, cls):
    """As `fully_shard` and `replicate` make it."""
    return type(f"{prefix}{cls.__name__}", (mixed_in, cls), {})


def test_classes_that_torch_composes_are_taken_apart():
    assert own_class(composed(FSDPModule, "FSDP", nn.Linear)) is nn.Linear
    assert own_class(composed(DDP, "DDP", nn.Linear)) is nn.Linear
    both = composed(FSDPModule, "FSDP", composed(DDP, "DDP", nn.Linear))
    assert own_class(both) is nn.Linear
    assert own_class(nn.Linear) is nn.Linear


def test_classes_that_people_write_are_left_alone():
    class FSDPBlock(nn.Linear):
        pass

    class FSDPLinear(FSDPModule, nn.Linear):
        """Named by chance as torch would, yet derived from it: nothing of its own to lose."""

    class Sharded(FSDPModule, nn.Linear):
        pass

    class FSDPModule_(nn.Module):  # noqa: N801
        pass

    assert own_class(FSDPBlock) is FSDPBlock
    assert own_class(Sharded) is Sharded
    assert own_class(FSDPLinear) is nn.Linear
    named_alike = type("FSDPModule", (), {"__module__": "mine"})
    assert own_class(composed(named_alike, "FSDP", nn.Linear)).__name__ == "FSDPLinear"


def test_wrappers_of_ones_own_that_are_called_alike_stay():
    class DistributedDataParallel(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

    class CheckpointWrapper_(nn.Module):  # noqa: N801
        def __init__(self, module):
            super().__init__()
            self._checkpoint_wrapped_module = module

    CheckpointWrapper_.__name__ = CheckpointWrapper_.__qualname__ = "CheckpointWrapper"
    for cls, segment in [
        (DistributedDataParallel, "module"),
        (CheckpointWrapper_, "_checkpoint_wrapped_module"),
    ]:
        found = inventory_of(cls(nn.Linear(2, 2)))
        assert [p.name for p in found.parameters] == [f"{segment}.weight", f"{segment}.bias"]


def test_a_module_within_a_wrapper_may_be_called_as_another_wrappers():
    inner = nn.ModuleDict({"module": nn.Linear(2, 2)})
    for wrap in (checkpoint_wrapper, offload_wrapper, nn.DataParallel):
        found = inventory_of(wrap(inner))
        assert [p.name for p in found.parameters] == ["module.weight", "module.bias"]
        assert set(found.modules) == {"", "module"}
    nested = checkpoint_wrapper(nn.DataParallel(nn.Sequential(checkpoint_wrapper(inner))))
    assert isinstance(nested, CheckpointWrapper)
    assert [p.name for p in inventory_of(nested).parameters] == [
        "0.module.weight",
        "0.module.bias",
    ]
    groups = grouper.param_groups(nested, grouper.parse("* -> all lr=1"))
    assert [
        tensor is own
        for (_, tensor), own in zip(groups[0]["params"], inner.parameters(), strict=True)
    ] == [True, True]


def test_flat_parameters_are_refused_in_words():
    class FlatParameter(nn.Parameter):
        """As FullyShardedDataParallel makes it, but that it needs no processes."""

    model = nn.Sequential(nn.Linear(2, 2))
    model[0].register_parameter("_flat_param", FlatParameter(torch.ones(6)))
    del model[0].weight, model[0].bias
    report = grouper.check(model, grouper.parse("* -> all lr=1"))
    assert [finding.code.id for finding in report.findings] == ["GR502"]
    assert "flattened all parameters of `0` into one" in report.findings[0].message
    with pytest.raises(grouper.GroupingError, match="shard with `fully_shard`"):
        grouper.param_groups(model, report.rules)
