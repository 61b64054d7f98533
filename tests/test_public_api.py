"""Every public call meets wrong arguments with one sentence that names the right kind."""

import traceback
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import grouper  # noqa: E402

TEXT = "optimizer SGD lr=0.1 momentum=0.9\nwarmup steps=2\n0.* -> first; 1.* -> second freeze"
WRONG = {
    "None": None,
    "True": True,
    "an int": 3,
    "a negative int": -5,
    "a float": 2.5,
    "nan": float("nan"),
    "a str": "yes",
    "bytes": b"yes",
    "a list": [1, 2],
    "a dict": {"a": 1},
    "a set": {1},
    "an object": object(),
    "a class": dict,
    "a function": len,
    "a tensor": torch.zeros(2),
    "a module": torch.nn.Linear(2, 2),
    "a state dict": torch.nn.Linear(2, 2).state_dict(),
    "parameters": torch.nn.Linear(2, 2).parameters(),
    "a loader": torch.utils.data.DataLoader([1, 2, 3]),
    "an optimizer": torch.optim.SGD(torch.nn.Linear(2, 2).parameters(), lr=0.1),
    "a path": Path("no.such.file"),
    "rules text": "* -> all lr=1",
}
TEXTS = {"a str", "rules text"}
PATHS = {*TEXTS, "a path"}
INTEGERS = {"an int"}
CALLABLE = {"a function", "a class", "a module"}
DICTS = {"a dict", "a state dict"}


class Setting:
    """A model with its rules, report, groups, optimizer, plan and scheduler."""

    def __init__(self, tmp_path):
        self.model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 2))
        self.rules = grouper.parse(TEXT)
        self.report = grouper.check(self.model, self.rules)
        self.grouping = self.report.grouping
        self.inventory = self.report.inventory
        self.optimizer = grouper.build_optimizer(self.model, self.report)
        self.plan = grouper.plan(self.model, self.report, steps_per_epoch=4, epochs=2)
        self.scheduler = self.plan.scheduler(self.optimizer)
        model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 2))
        two = "optimizer SGD as a lr=1\noptimizer Adam as b lr=1\n0.* -> x; 1.* -> y optimizer=b"
        self.chained = grouper.build_optimizer(model, grouper.parse(two))
        self.file = tmp_path / "monitor.jsonl"

    def monitor(self, optimizer=None, **options):
        options = {"path": self.file, **options}
        monitor = grouper.Monitor(self.optimizer if optimizer is None else optimizer, **options)
        monitor.close()
        return monitor


# call, argument: what is given it, which of WRONG are right for it
CALLS = {
    ("parse", "text"): (lambda s, v: grouper.parse(v), TEXTS),
    ("parse", "path"): (lambda s, v: grouper.parse("* -> all", v), TEXTS),
    ("parse", "base"): (
        lambda s, v: grouper.parse("let base=1\n* -> all lr=base", base=v),
        {*TEXTS, *INTEGERS, "None", "True", "a negative int", "a float", "nan"},
    ),
    ("load", "rules"): (lambda s, v: grouper.load(v), {"a str", "a path"}),
    ("load", "base"): (
        lambda s, v: grouper.load("yolov5", lr0=v),
        {*TEXTS, *INTEGERS, "None", "True", "a negative int", "a float", "nan"},
    ),
    ("check", "model"): (lambda s, v: grouper.check(v, s.rules), {*PATHS, "a module"}),
    ("check", "rules"): (lambda s, v: grouper.check(s.model, v), {"a str", "a path"}),
    ("check", "key"): (lambda s, v: grouper.check(s.model, s.rules, key=v), {*TEXTS, "None"}),
    ("init", "model"): (lambda s, v: grouper.init(v), {*PATHS, "a module"}),
    ("init", "optimizer"): (
        lambda s, v: grouper.init(s.model, optimizer=v),
        {"None", "an optimizer"},
    ),
    ("explain", "model"): (lambda s, v: grouper.explain(v, s.rules, "0"), {*PATHS, "a module"}),
    ("explain", "rules"): (lambda s, v: grouper.explain(s.model, v, "0"), {"a str", "a path"}),
    ("explain", "name"): (lambda s, v: grouper.explain(s.model, s.rules, v), set()),
    ("explain", "key"): (
        lambda s, v: grouper.explain(s.model, s.rules, "0", key=v),
        {*TEXTS, "None"},
    ),
    ("param_groups", "model"): (lambda s, v: grouper.param_groups(v, s.rules), {"a module"}),
    ("param_groups", "rules"): (
        lambda s, v: grouper.param_groups(s.model, v),
        {"a str", "a path"},
    ),
    ("param_groups", "merge"): (
        lambda s, v: grouper.param_groups(s.model, s.rules, merge=v),
        {"True"},
    ),
    ("build_optimizer", "model"): (lambda s, v: grouper.build_optimizer(v, s.rules), {"a module"}),
    ("build_optimizer", "rules"): (
        lambda s, v: grouper.build_optimizer(s.model, v),
        {"a str", "a path"},
    ),
    ("build_optimizer", "merge"): (
        lambda s, v: grouper.build_optimizer(s.model, s.rules, merge=v),
        {"True"},
    ),
    ("add_groups", "optimizer"): (
        lambda s, v: grouper.add_groups(v, s.model, s.report),
        {"an optimizer"},
    ),
    ("add_groups", "model"): (
        lambda s, v: grouper.add_groups(s.optimizer, v, s.report),
        {"a module"},
    ),
    ("add_groups", "report"): (lambda s, v: grouper.add_groups(s.optimizer, s.model, v), set()),
    ("add_groups", "merge"): (
        lambda s, v: grouper.add_groups(s.optimizer, s.model, s.report, merge=v),
        {"True"},
    ),
    ("audit", "optimizer"): (
        lambda s, v: grouper.audit(v, s.model),
        {"an optimizer", *PATHS},
    ),
    ("audit", "model"): (lambda s, v: grouper.audit(s.optimizer, v), {"a module"}),
    ("audit", "key"): (
        lambda s, v: grouper.audit(s.optimizer, s.model, key=v),
        {*TEXTS, "None"},
    ),
    ("diff", "before"): (lambda s, v: grouper.diff(v, s.report), set()),
    ("diff", "after"): (lambda s, v: grouper.diff(s.report, v), set()),
    ("Audit", "inventory"): (
        lambda s, v: grouper.Audit("a.pt", v, (), s.grouping, ()),
        set(),
    ),
    ("Audit", "findings"): (
        lambda s, v: grouper.Audit("a.pt", s.inventory, (), s.grouping, v),
        set(),
    ),
    ("plan", "model"): (
        lambda s, v: grouper.plan(v, s.rules, steps_per_epoch=1, epochs=1),
        {*PATHS, "a module"},
    ),
    ("plan", "rules"): (
        lambda s, v: grouper.plan(s.model, v, steps_per_epoch=1, epochs=1),
        {"a str", "a path"},
    ),
    ("plan", "steps_per_epoch"): (
        lambda s, v: grouper.plan(s.model, s.rules, steps_per_epoch=v, epochs=1),
        INTEGERS,
    ),
    ("plan", "epochs"): (
        lambda s, v: grouper.plan(s.model, s.rules, steps_per_epoch=1, epochs=v),
        INTEGERS,
    ),
    ("plan", "merge"): (
        lambda s, v: grouper.plan(s.model, s.rules, steps_per_epoch=1, epochs=1, merge=v),
        {"True"},
    ),
    ("load_optimizer_state", "optimizer"): (
        lambda s, v: grouper.load_optimizer_state(v, s.optimizer.state_dict()),
        {"an optimizer"},
    ),
    ("load_optimizer_state", "state"): (
        lambda s, v: grouper.load_optimizer_state(s.optimizer, v),
        PATHS,  # of folders, of which there are none
    ),
    ("load_optimizer_state", "key"): (
        lambda s, v: grouper.load_optimizer_state(s.optimizer, s.optimizer.state_dict(), key=v),
        {*TEXTS, "None"},
    ),
    ("param_groups", "process_group"): (
        lambda s, v: grouper.param_groups(s.model, s.rules, process_group=v),
        {"None"},
    ),
    ("RuleSet", "optimizers"): (lambda s, v: grouper.RuleSet(optimizers=v), set()),
    ("RuleSet", "variables"): (lambda s, v: grouper.RuleSet(variables=v), DICTS),
    ("Report", "rules"): (lambda s, v: grouper.Report(v, s.inventory, ()), set()),
    ("Report", "inventory"): (lambda s, v: grouper.Report(s.rules, v, ()), set()),
    ("Report", "findings"): (lambda s, v: grouper.Report(s.rules, s.inventory, v), set()),
    ("Plan", "groups"): (lambda s, v: grouper.Plan(v, 1, 1), set()),
    ("Plan", "steps_per_epoch"): (lambda s, v: grouper.Plan(s.plan.groups, v, 1), INTEGERS),
    ("Plan", "epochs"): (lambda s, v: grouper.Plan(s.plan.groups, 1, v), INTEGERS),
    ("GroupingError", "report"): (lambda s, v: grouper.GroupingError(v), set()),
    ("ModelError", "code"): (lambda s, v: grouper.ModelError(v, "a message"), set()),
    ("RuleSet", "rules"): (lambda s, v: grouper.RuleSet(v), set()),
    ("Inventory", "parameters"): (lambda s, v: grouper.Inventory(v), set()),
    ("Report.unfreeze", "label"): (lambda s, v: s.report.unfreeze(v), set()),
    ("Report.unfreeze", "lr"): (
        lambda s, v: s.report.unfreeze("second", lr=v),
        {*INTEGERS, "a float"},
    ),
    ("Grouping.unfreeze", "label"): (lambda s, v: s.grouping.unfreeze(v), set()),
    ("Grouping.merged", "inventory"): (lambda s, v: s.grouping.merged(v), set()),
    ("Plan.at", "step"): (lambda s, v: s.plan.at(v), INTEGERS),
    ("Plan.over", "steps"): (lambda s, v: s.plan.over(v), {"a list", "a set", "a loader"}),
    ("Plan.scheduler", "optimizer"): (lambda s, v: s.plan.scheduler(v), {"an optimizer"}),
    ("Plan.apply", "optimizer"): (lambda s, v: s.plan.apply(v, 0), {"an optimizer"}),
    ("Plan.apply", "step"): (lambda s, v: s.plan.apply(s.optimizer, v), INTEGERS),
    ("PlanScheduler.step", "epoch"): (lambda s, v: s.scheduler.step(v), {"None", *INTEGERS}),
    ("PlanScheduler.load_state_dict", "steps_per_epoch"): (
        lambda s, v: s.scheduler.load_state_dict({"last_epoch": 1, "steps_per_epoch": v}),
        INTEGERS,
    ),
    ("PlanScheduler.load_state_dict", "state_dict"): (
        lambda s, v: s.scheduler.load_state_dict(v),
        set(),
    ),
    ("PlanScheduler.load_state_dict", "last_epoch"): (
        lambda s, v: s.scheduler.load_state_dict({**s.scheduler.state_dict(), "last_epoch": v}),
        INTEGERS,
    ),
    ("ChainedOptimizer.load_state_dict", "state_dict"): (
        lambda s, v: s.chained.load_state_dict(v),
        set(),
    ),
    ("ChainedOptimizer.add_param_group", "param_group"): (
        lambda s, v: s.chained.add_param_group(v),
        set(),
    ),
    ("ChainedOptimizer.step", "closure"): (
        lambda s, v: s.chained.step(v),
        {"None", *CALLABLE},
    ),
    ("Monitor", "optimizer"): (lambda s, v: s.monitor(v), {"None", "an optimizer"}),
    ("Monitor", "plan"): (lambda s, v: s.monitor(plan=v), {"None"}),
    ("Monitor", "every"): (lambda s, v: s.monitor(every=v), INTEGERS),
    ("Monitor", "path"): (lambda s, v: s.monitor(path=v), PATHS),
    ("Monitor", "csv"): (lambda s, v: s.monitor(csv=v), {*PATHS, "None"}),
    ("Monitor", "tensorboard"): (lambda s, v: s.monitor(tensorboard=v), {*PATHS, "None"}),
    ("Monitor", "live"): (lambda s, v: s.monitor(live=v), {"True"}),
    ("Monitor", "on_record"): (lambda s, v: s.monitor(on_record=v), {"None", *CALLABLE}),
    ("Monitor", "model"): (lambda s, v: s.monitor(model=v), {"None", "a module"}),
    ("Monitor.load_state_dict", "state"): (lambda s, v: s.monitor().load_state_dict(v), set()),
    ("Monitor.load_state_dict", "step"): (
        lambda s, v: s.monitor().load_state_dict({"step": v, "touched": []}),
        INTEGERS,
    ),
    ("Monitor.load_state_dict", "touched"): (
        lambda s, v: s.monitor().load_state_dict({"step": 1, "touched": v}),
        {"a list", "a set"},
    ),
}
PAIRS = [(call, kind) for call, (_, right) in CALLS.items() for kind in WRONG if kind not in right]


def test_there_are_many():
    assert len(PAIRS) >= 150


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_what_a_wrong_argument_is_told(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    act, right = CALLS[call]
    wrong = []
    for kind in WRONG.keys() - right:
        setting = Setting(tmp_path)
        try:
            act(setting, WRONG[kind])
        except (TypeError, ValueError) as error:
            last = traceback.extract_tb(error.__traceback__)[-1].filename
            ours = "grouper" in Path(last).parts and "site-packages" not in last
            if not (ours and sentence(error)):
                wrong.append(f"{kind}: {type(error).__name__}: {error} ({last})")
        except Exception as error:
            wrong.append(f"{kind}: {type(error).__name__}: {error}")
        else:
            wrong.append(f"{kind}: accepted")
    assert not wrong, "\n".join(wrong)


def sentence(error):
    text = str(error)
    return "`" in text and "\n" not in text and len(text) < 400


def test_the_commonest_slips_are_met_by_name():
    model, rules = torch.nn.Linear(2, 2), grouper.parse("* -> all lr=1")
    for act, words in [
        (lambda: grouper.check(model.state_dict(), rules), "give the model itself"),
        (lambda: grouper.param_groups(model.parameters(), rules), "give the model itself"),
        (lambda: grouper.param_groups([model, model], rules), "`nn.ModuleList`"),
        (lambda: grouper.check(model, "* -> all lr=1"), r"`grouper\.parse\(text\)`"),
        (lambda: grouper.load("a.* -> b\nc -> d"), r"`grouper\.parse\(text\)`"),
    ]:
        with pytest.raises((TypeError, ValueError), match=words):
            act()
