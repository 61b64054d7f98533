"""axolotl's plugin: against the package where it is installed, else against its recorded interface.

The hooks are those of axolotl 0.19, called in its order: the input arguments, the trainer once it
is made, and the scheduler when the Trainer wants one.
"""

import sys
import types
from importlib.util import find_spec

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("pydantic")

import grouper  # noqa: E402

RULES = "let base = 1e-2\noptimizer AdamW lr=base\nwarmup share=0.1\nschedule linear\n* -> all\n"


@pytest.fixture
def plugin(monkeypatch):
    if find_spec("axolotl") is None:
        names = ("axolotl", "axolotl.integrations", "axolotl.integrations.base")
        modules = {name: types.ModuleType(name) for name in names}
        modules[names[-1]].BasePlugin = type("BasePlugin", (), {})
        for name, module in modules.items():
            monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "grouper.integrations.axolotl", raising=False)
    from grouper.integrations import axolotl

    yield axolotl.RulesPlugin()
    sys.modules.pop("grouper.integrations.axolotl", None)


def trainer():
    return types.SimpleNamespace(model=torch.nn.Linear(2, 1), optimizer=None)


def config(path, **more):
    given = {"rules": path and str(path), "rules_variables": None, **more}
    return types.SimpleNamespace(**given)


def test_the_trainer_gets_optimizer_and_scheduler_of_the_rules(plugin, tmp_path):
    path, made = tmp_path / "my.rules", trainer()
    path.write_text(RULES)
    cfg = config(path, rules_variables={"base": 0.5})
    plugin.post_trainer_create(cfg, made)
    scheduler = plugin.create_lr_scheduler(
        cfg, trainer=made, optimizer=made.optimizer, num_training_steps=20
    )
    assert made.optimizer.param_groups[0]["initial_lr"] == 0.5
    assert (scheduler.plan.steps, scheduler.plan.in_steps) == (20, True)
    assert made._created_lr_scheduler  # a start with smaller batches makes another
    module, _, name = plugin.get_input_args().rpartition(".")
    assert set(getattr(sys.modules[module], name).model_fields) == {"rules", "rules_variables"}


def test_without_rules_it_is_axolotls_own(plugin):
    made, cfg = trainer(), config(None)
    plugin.post_trainer_create(cfg, made)
    assert made.optimizer is None
    assert plugin.create_lr_scheduler(cfg, made, None, 20) is None


def test_a_later_trainer_without_rules_is_axolotls_own(plugin, tmp_path):
    path = tmp_path / "my.rules"
    path.write_text(RULES)
    plugin.post_trainer_create(config(path), trainer())
    assert plugin.create_lr_scheduler(config(path), trainer(), None, 20) is None


@pytest.mark.parametrize("name", ["lr_groups", "embedding_lr", "jagged_restart_steps"])
def test_a_second_owner_is_refused(name, plugin, tmp_path):
    path = tmp_path / "my.rules"
    path.write_text(RULES)
    with pytest.raises(ValueError, match=f"`rules` and `{name}` both set the lr"):
        plugin.post_trainer_create(config(path, **{name: 10}), trainer())


def test_rules_for_another_model_are_refused(plugin, tmp_path):
    path = tmp_path / "my.rules"
    path.write_text("optimizer SGD lr=1\nbackbone.* -> a\nelse -> b\n")
    with pytest.raises(grouper.GroupingError, match="matches no parameter"):
        plugin.post_trainer_create(config(path), trainer())
