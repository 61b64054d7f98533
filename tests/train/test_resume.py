"""An optimizer's state follows its parameters by name, for every optimizer and every regrouping."""

import copy
import warnings

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402

import grouper  # noqa: E402

CLASSES = sorted(
    name
    for name, cls in vars(torch.optim).items()
    if isinstance(cls, type) and issubclass(cls, torch.optim.Optimizer) and name != "Optimizer"
)
SPECIAL = {"LBFGS", "SparseAdam"}
OPTIONS = {"SGD": "momentum=0.9", "RMSprop": "momentum=0.9 centered=true"}


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))


def matrices():
    torch.manual_seed(0)
    return nn.Sequential(*[nn.Linear(4, 4, bias=False) for _ in range(6)])


def step(made, optimizer, times=2):
    for number in range(times):
        optimizer.zero_grad()
        width = next(made.parameters()).shape[-1]
        made(torch.full((2, width), 1.0 + number)).square().mean().backward()
        optimizer.step()


def build(made, optimizer, labels=None):
    rules = "* -> all"
    if labels:
        names = [name for name, _ in made.named_parameters()]
        pairs = zip(names, labels, strict=True)
        rules = "tag mark\n"
        rules += "\n".join(f'"{name}" -> {label} mark={ord(label)}' for name, label in pairs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return grouper.build_optimizer(made, grouper.parse(f"optimizer {optimizer}\n{rules}"))


def same(left, right):
    assert left.keys() == right.keys()
    for key, value in left.items():
        assert torch.equal(torch.as_tensor(value), torch.as_tensor(right[key])), key
    return True


LABELS = st.lists(st.sampled_from("abcd"), min_size=6, max_size=6)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([name for name in CLASSES if name not in SPECIAL]),
    LABELS,
    LABELS,
    st.sampled_from(["", "module.", "_orig_mod.", "module._orig_mod."]),
    st.booleans(),
)
def test_every_tensor_stays_with_its_parameter(name, before, after, prefix, wrapped_first):
    made = matrices() if name == "Muon" else model()
    text = f"{name} lr=0.01 {OPTIONS.get(name, '')}"
    old = build(made, text, before)
    step(made, old)
    new = build(made, text, after)
    wrapped = old if wrapped_first else new
    for group in wrapped.param_groups:
        group["param_names"] = [prefix + each for each in group["param_names"]]
    options = [{k: v for k, v in g.items() if k != "params"} for g in new.param_groups]
    kept = {parameter: copy.deepcopy(old.state[parameter]) for parameter in made.parameters()}
    restored = grouper.load_optimizer_state(new, old.state_dict())
    assert len(restored.kept) == 6
    assert restored == type(restored)(kept=restored.kept)
    assert all(same(kept[parameter], new.state[parameter]) for parameter in made.parameters())
    assert [{k: v for k, v in g.items() if k != "params"} for g in new.param_groups] == options
    twin = copy.deepcopy((made, new))
    step(made, new, 1), step(*twin, 1)
    assert all(p.isfinite().all() for p in made.parameters())


@pytest.mark.parametrize("before", [name for name in CLASSES if name not in SPECIAL])
@pytest.mark.parametrize("after", [name for name in CLASSES if name not in SPECIAL])
def test_a_state_of_another_class_goes_on_or_is_left_out(before, after):
    made = matrices()
    old = build(made, f"{before} lr=0.01 {OPTIONS.get(before, '')}")
    step(made, old)
    new = build(made, f"{after} lr=0.01 {OPTIONS.get(after, '')}")
    restored = grouper.load_optimizer_state(new, old.state_dict())
    assert len(restored.kept) + len(restored.incompatible) == 6
    needed = build(made, f"{after} lr=0.01 {OPTIONS.get(after, '')}")
    step(made, needed)
    parameter = made[0].weight
    suffices = needed.state[parameter].keys() <= old.state[parameter].keys()
    assert bool(restored.kept) == suffices
    if before == after:
        assert restored.kept
    if restored.incompatible:
        assert restored.missing_keys
        fresh = build(made, f"{after} lr=0.01 {OPTIONS.get(after, '')}")
        step(copy.deepcopy(made), fresh, 0)
        assert same(fresh.state[parameter], new.state[parameter])
    step(made, new)  # it goes on, and does not fall over what is missing


def test_what_an_option_needs_more():
    made = model()
    plain, amsgrad = build(made, "AdamW lr=0.01"), build(made, "AdamW lr=0.01 amsgrad=true")
    step(made, plain)
    restored = grouper.load_optimizer_state(amsgrad, plain.state_dict())
    assert restored.missing_keys == ("max_exp_avg_sq",)
    assert "the saved state lacks `max_exp_avg_sq`, so they start with an empty state" in str(
        restored
    )
    step(made, amsgrad)
    restored = grouper.load_optimizer_state(plain, amsgrad.state_dict())
    assert len(restored.kept) == 6


def test_momentum_survives_a_warm_up_that_begins_at_zero():
    text = "SGD lr=0.1 momentum=0.9\nwarmup steps=10 momentum=0"
    made, rules = model(), grouper.parse(f"optimizer {text}\n* -> all")
    old, new = build(made, text), build(made, text)
    step(made, old)
    plan = grouper.plan(made, rules, steps_per_epoch=10, epochs=2)
    plan.scheduler(new)
    assert new.param_groups[0]["momentum"] == 0
    assert len(grouper.load_optimizer_state(new, old.state_dict()).kept) == 6
    assert "momentum_buffer" in new.state[made[0].weight]


@pytest.mark.parametrize("optimizer", ["AdamW", "Adafactor", "Adagrad", "SGD momentum=0.9"])
def test_shapes_that_changed(optimizer):
    def classifier(classes, width=4):
        return nn.ModuleDict({"body": nn.Linear(4, 4), "fc": nn.Linear(width, classes)})

    def train(made, built):
        sum(p.square().sum() for p in made.parameters()).backward()
        built.step()

    for before, after, reshaped in [
        ((1,), (5,), ("fc.weight", "fc.bias")),  # (1, 4) and (1,) could be broadcast
        ((5,), (1,), ("fc.weight", "fc.bias")),
        ((3, 4), (3, 6), ("fc.weight",)),
    ]:
        small, large = classifier(*before), classifier(*after)
        old, new = build(small, f"{optimizer} lr=0.1"), build(large, f"{optimizer} lr=0.1")
        train(small, old)
        restored = grouper.load_optimizer_state(new, old.state_dict())
        assert restored.reshaped == reshaped
        assert not restored.incompatible
        train(large, new)
    assert "saved with another shape, so they start with an empty state): fc.weight" in str(
        restored
    )


def test_a_convolution_that_became_a_matrix():
    old_model = nn.ModuleDict({"x": nn.Conv2d(3, 4, 1)})
    new_model = nn.ModuleDict({"x": nn.Linear(3, 4)})
    old, new = build(old_model, "AdamW lr=0.1"), build(new_model, "AdamW lr=0.1")
    sum(p.square().sum() for p in old_model.parameters()).backward()
    old.step()
    restored = grouper.load_optimizer_state(new, old.state_dict())
    assert restored.reshaped == ("x.weight",)
    assert restored.kept == ("x.bias",)


def test_a_model_that_grew_and_lost_layers_says_so_in_patterns(capsys):
    old_model = nn.ModuleDict({f"b{i}": nn.Linear(2, 2) for i in range(4)})
    new_model = nn.ModuleDict({f"b{i}": nn.Linear(2, 2) for i in (0, 1, 7, 8)})
    old, new = build(old_model, "AdamW lr=0.1"), build(new_model, "AdamW lr=0.1")
    sum(p.square().sum() for p in old_model.parameters()).backward()
    old.step()
    print(grouper.load_optimizer_state(new, old.state_dict()))
    assert capsys.readouterr().out == (
        "optimizer state by name: 4 kept, 4 new, 4 dropped\n"
        "  new (nothing was saved for them, so they start with an empty state): "
        "{b7,b8}.{weight,bias}\n"
        "  dropped (saved, but not trained now): {b2,b3}.{weight,bias}\n"
    )


def test_a_state_of_another_model_says_so():
    one, other = nn.ModuleDict({"a": nn.Linear(2, 2)}), nn.ModuleDict({"b": nn.Linear(2, 2)})
    old, new = build(one, "AdamW lr=0.1"), build(other, "AdamW lr=0.1")
    sum(p.square().sum() for p in one.parameters()).backward()
    old.step()
    text = str(grouper.load_optimizer_state(new, old.state_dict()))
    assert text.endswith("is this another model's state?")
    hostile = type(grouper.load_optimizer_state(new, old.state_dict()))(new=("a\x1b[2J",))
    assert "\x1b" not in str(hostile)
    assert str(type(hostile)()) == "optimizer state by name: the saved state is empty"


def test_a_real_module_called_module_is_no_wrapper():
    backbone = nn.ModuleDict({"module": nn.Linear(2, 2)})
    grown = nn.ModuleDict({"module": nn.Linear(2, 2), "head": nn.Linear(2, 2)})
    old, new = build(backbone, "AdamW lr=0.1"), build(grown, "AdamW lr=0.1")
    sum(p.square().sum() for p in backbone.parameters()).backward()
    old.step()
    assert grouper.load_optimizer_state(new, old.state_dict()).kept == (
        "module.weight",
        "module.bias",
    )


def test_plain_torchs_own_states_with_names():
    made = model()
    old = torch.optim.AdamW(made.named_parameters(prefix="module"), lr=0.01)
    step(made, old)
    new = build(made, "AdamW lr=0.5", "aabbcc")
    assert len(grouper.load_optimizer_state(new, old.state_dict()).kept) == 6
    assert {group["lr"] for group in new.param_groups} == {0.5}
    back = torch.optim.AdamW(made.named_parameters(), lr=0.01)
    assert len(grouper.load_optimizer_state(back, new.state_dict()).kept) == 6
    checkpointed = nn.Sequential(made)
    interior = [(f"0._checkpoint_wrapped_module.{n}", p) for n, p in made.named_parameters()]
    other = torch.optim.AdamW(interior, lr=0.01)
    outside = torch.optim.AdamW(checkpointed.named_parameters(), lr=0.01)
    step(made, other)
    assert len(grouper.load_optimizer_state(outside, other.state_dict()).kept) == 6


def test_states_by_name_as_distributed_checkpoints_have_them():
    from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict

    made = model()
    old = torch.optim.AdamW(made.parameters(), lr=0.01)
    step(made, old)
    new = build(made, "AdamW lr=0.5", "abcabc")
    restored = grouper.load_optimizer_state(new, get_optimizer_state_dict(made, old))
    assert len(restored.kept) == 6
    assert all(same(old.state[p], new.state[p]) for p in made.parameters())


def test_several_optimizers_give_and_take():
    several = (
        "optimizer SGD as rest lr=0.1 momentum=0.9\noptimizer AdamW as hidden lr=0.01\n"
        "ndim >= 2 -> matrix optimizer=hidden\nelse -> vector"
    )
    made = model()
    old = grouper.build_optimizer(made, grouper.parse(several))
    step(made, old)
    swapped = several.replace("ndim >= 2", "in 0")  # 0.bias to AdamW, 2.weight to SGD
    new = grouper.build_optimizer(made, grouper.parse(swapped))
    restored = grouper.load_optimizer_state(new, old.state_dict())
    assert set(restored.incompatible) == {"0.bias", "2.weight"}
    assert set(restored.kept) == {"0.weight", "1.weight", "1.bias", "2.bias"}
    assert same(old.state[made[0].weight], new.members["hidden"].state[made[0].weight])
    step(made, new)
    single = build(made, "AdamW lr=0.1")
    restored = grouper.load_optimizer_state(single, new.state_dict())
    assert set(restored.kept) == {"0.weight", "0.bias"}
    step(made, single)


def test_a_state_in_another_precision_is_cast_as_torch_does():
    made = model()
    old = build(made, "AdamW lr=0.01")
    step(made, old)
    half = copy.deepcopy(made).bfloat16()
    new, native = build(half, "AdamW lr=0.01"), build(half, "AdamW lr=0.01")
    native.load_state_dict(copy.deepcopy(old.state_dict()))
    grouper.load_optimizer_state(new, old.state_dict())
    assert all(same(native.state[p], new.state[p]) for p in half.parameters())
    assert new.state[half[0].weight]["exp_avg"].dtype == torch.bfloat16


def test_lbfgs_goes_on_whole_or_not_at_all():
    def closure():
        built.zero_grad()
        loss = made(torch.ones(2, 3)).square().mean()
        loss.backward()
        return loss

    made = model()
    built = build(made, "LBFGS lr=0.1")
    built.step(closure)
    state, twin = copy.deepcopy(built.state_dict()), copy.deepcopy(made)
    built.step(closure)
    ends = [p.detach().clone() for p in made.parameters()]
    made, built = twin, build(twin, "LBFGS lr=0.1")
    grouper.load_optimizer_state(built, state)
    built.step(closure)
    assert all(map(torch.equal, ends, made.parameters()))
    other = build(made, "AdamW lr=0.1")
    assert grouper.load_optimizer_state(other, state).incompatible == ("0.weight",)
    step(made, other)
    restored = grouper.load_optimizer_state(build(made, "LBFGS lr=0.1"), other.state_dict())
    assert restored.missing_keys == ("func_evals", "n_iter")
    less = grouper.build_optimizer(
        made, grouper.parse("optimizer LBFGS lr=0.1\n0.* -> freeze; else -> all")
    )
    with pytest.raises(ValueError, match="LBFGS keeps one history for all parameters"):
        grouper.load_optimizer_state(less, state)


def test_sparse_adam():
    made = nn.ModuleDict(
        {"a": nn.Embedding(5, 2, sparse=True), "b": nn.Embedding(5, 3, sparse=True)}
    )
    old, new = build(made, "SparseAdam lr=0.1"), build(made, "SparseAdam lr=0.1", "ab")
    sum(made[key](torch.tensor([1, 2])).sum() for key in "ab").backward()
    old.step()
    restored = grouper.load_optimizer_state(new, old.state_dict())
    assert restored.kept == ("a.weight", "b.weight")
    assert all(same(old.state[p], new.state[p]) for p in made.parameters())


def test_an_optimizer_that_cannot_be_tried_is_judged_by_shapes():
    class Factored(torch.optim.Optimizer):
        """Needs a closure, and keeps what no stand-in shows."""

        def __init__(self, params):
            super().__init__(params, {"lr": 1.0})

        def step(self, closure):
            closure()
            for group in self.param_groups:
                for p in group["params"]:
                    self.state[p].update(
                        row=torch.ones(p.shape[0], 1), column=torch.ones(1, p.shape[1])
                    )

    kept, larger, turned = nn.Linear(3, 4, False), nn.Linear(3, 5, False), nn.Linear(4, 3, False)
    old = Factored(kept.named_parameters())
    old.step(lambda: None)
    assert grouper.load_optimizer_state(
        Factored(kept.named_parameters()), old.state_dict()
    ).kept == ("weight",)
    for other in (larger, turned):
        restored = grouper.load_optimizer_state(
            Factored(other.named_parameters()), old.state_dict()
        )
        assert restored.reshaped == ("weight",)


def test_no_step_of_the_optimizer_is_taken():
    made, rules = model(), grouper.parse("optimizer AdamW lr=0.1\n* -> all")
    old, new = build(made, "AdamW lr=0.1"), build(made, "AdamW lr=0.1")
    step(made, old)
    scheduler = grouper.plan(made, rules, steps_per_epoch=4, epochs=2).scheduler(new)
    hooked = []
    new.register_step_post_hook(lambda *_: hooked.append(1))
    before = [p.detach().clone() for p in made.parameters()]
    grouper.load_optimizer_state(new, old.state_dict())
    assert not hooked
    assert all(map(torch.equal, before, made.parameters()))
    scheduler.step()
    step(made, new, 1)
    assert hooked


def test_what_is_no_state_with_names_is_refused_in_words():
    made = model()
    new = build(made, "AdamW lr=0.1")
    with pytest.raises(
        ValueError, match=r"not the state of an optimizer \(its keys: `model`, `optimizer`\)"
    ):
        grouper.load_optimizer_state(new, {"model": {}, "optimizer": new.state_dict()})
    plain = torch.optim.AdamW(made.parameters())
    with pytest.raises(ValueError, match="the saved state has no names"):
        grouper.load_optimizer_state(new, plain.state_dict())
    with pytest.raises(ValueError, match="the optimizer has no names"):
        grouper.load_optimizer_state(plain, new.state_dict())


def test_a_running_optimizer_keeps_the_state_of_what_was_not_saved():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    rules = grouper.parse("optimizer AdamW lr=0.1\n* -> all")
    optimizer = grouper.build_optimizer(model, rules)
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    first = grouper.build_optimizer(model[0], rules)
    for parameter in model[0].parameters():
        first.state[parameter] = {"step": torch.tensor(7.0), **moments(parameter)}
    saved = first.state_dict()
    saved["param_groups"][0]["param_names"] = ["0.weight", "0.bias"]
    restored = grouper.load_optimizer_state(optimizer, saved)
    assert restored.new == ("1.weight", "1.bias")
    assert "go on with the state that they have here" in str(restored)
    assert optimizer.state[model[1].weight]["step"] == 1
    assert optimizer.state[model[0].weight]["step"] == 7


def moments(parameter):
    return {key: torch.zeros_like(parameter) for key in ("exp_avg", "exp_avg_sq")}
