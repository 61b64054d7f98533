"""Several optimizers in one object, against the same ones stepping by hand."""

import copy
import io
import pickle

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.optim import lr_scheduler  # noqa: E402

import grouper  # noqa: E402

CLASSES = sorted(
    name
    for name, cls in vars(torch.optim).items()
    if isinstance(cls, type) and issubclass(cls, torch.optim.Optimizer) and name != "Optimizer"
)
STEPPING = [name for name in CLASSES if name not in ("LBFGS", "SparseAdam")]
MATRICES = "ndim >= 2 -> matrix optimizer=matrices; else -> vector"
TWO = f"optimizer SGD as rest lr=0.1 momentum=0.9\noptimizer AdamW as matrices lr=0.01\n{MATRICES}"


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))


def built(text=TWO):
    made = model()
    return made, grouper.build_optimizer(made, grouper.parse(text))


def by_hand(vectors, matrices):
    made = model()
    parts = (
        [p for p in made.parameters() if p.ndim < 2],
        [p for p in made.parameters() if p.ndim > 1],
    )
    return made, vectors(parts[0]), matrices(parts[1])


def loss_of(made, seed):
    torch.manual_seed(seed)
    return made(torch.randn(5, 3)).square().mean()


def step(made, *optimizers, seed=1):
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss_of(made, seed).backward()
    for optimizer in optimizers:
        optimizer.step()


def same(left, right):
    return all(map(torch.equal, left.parameters(), right.parameters()))


@pytest.mark.parametrize("name", STEPPING)
def test_any_two_step_as_by_hand_and_go_on_from_what_was_saved(name):
    first = "Adam" if name == "SGD" else "SGD"
    text = f"optimizer {first} as rest lr=0.1\noptimizer {name} as matrices lr=0.01\n{MATRICES}"
    made, ours = built(text)
    twin, vectors, matrices = by_hand(
        lambda p: getattr(torch.optim, first)(p, lr=0.1),
        lambda p: getattr(torch.optim, name)(p, lr=0.01),
    )
    for seed in range(4):
        step(made, ours, seed=seed)
        step(twin, vectors, matrices, seed=seed)
    assert same(made, twin)
    assert not same(made, model())
    file = io.BytesIO()
    torch.save([made.state_dict(), ours.state_dict()], file)
    file.seek(0)
    saved = torch.load(file)
    again, fresh = built(text)
    again.load_state_dict(saved[0])
    fresh.load_state_dict(saved[1])
    step(made, ours, seed=9)
    step(again, fresh, seed=9)
    assert same(made, again)


def test_sparse_gradients():
    made = nn.ModuleDict({"a": nn.Embedding(5, 2, sparse=True), "b": nn.Linear(2, 1)})
    text = "optimizer SparseAdam lr=0.1\noptimizer SGD as dense lr=0.1\n"
    text += "a.* -> a; else -> b optimizer=dense"
    optimizer = grouper.build_optimizer(made, grouper.parse(text))
    before = copy.deepcopy(made)
    made["b"](made["a"](torch.tensor([1, 2]))).sum().backward()
    optimizer.step()
    assert not torch.equal(made["a"].weight[1], before["a"].weight[1])
    assert torch.equal(made["a"].weight[3], before["a"].weight[3])
    assert not same(made["b"], before["b"])


def test_a_closure_is_called_once_and_again_by_those_that_ask():
    text = f"optimizer LBFGS as matrices lr=0.1\noptimizer SGD as rest lr=0.1\n{MATRICES}"
    text = text.replace("else -> vector", "else -> vector optimizer=rest")
    made, ours = built(text)
    twin, sgd, lbfgs = by_hand(
        lambda p: torch.optim.SGD(p, lr=0.1), lambda p: torch.optim.LBFGS(p, lr=0.1)
    )

    def closure_of(some, calls):
        def closure():
            calls.append(1)
            for parameter in some.parameters():
                parameter.grad = None
            loss = loss_of(some, 3)
            loss.backward()
            return loss

        return closure

    ours_calls, hand_calls = [], []
    returned = ours.step(closure_of(made, ours_calls))
    closure = closure_of(twin, hand_calls)
    first = closure()
    sgd.step()
    lbfgs.step(closure)
    assert same(made, twin)
    assert torch.equal(returned, first)
    assert len(ours_calls) == len(hand_calls) > 1
    with pytest.raises(TypeError, match="`matrices` needs a closure"):
        ours.step()
    plain, two = built()
    calls = []
    two.step(closure_of(plain, calls))
    assert len(calls) == 1


def test_a_scaler_skips_all_where_one_gradient_is_infinite():
    made, ours = built()
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    before = copy.deepcopy(made)
    for bad in (True, False):
        ours.zero_grad()
        scaler.scale(loss_of(made, 1)).backward()
        if bad:
            made[0].weight.grad[0, 0] = float("inf")
        scaler.step(ours)
        scaler.update()
        assert same(made, before) == bad
        assert (len(ours.state) == 0) == bad
        assert scaler.get_scale() == 2.0
    twin, vectors, matrices = by_hand(
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        lambda p: torch.optim.AdamW(p, lr=0.01),
    )
    step(twin, vectors, matrices)
    assert same(made, twin)


@pytest.mark.parametrize(
    "make",
    [
        lambda o: lr_scheduler.CosineAnnealingLR(o, 10),
        lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 0.9**epoch),
        lambda o: lr_scheduler.OneCycleLR(o, 1.0, total_steps=20, cycle_momentum=False),
        lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.LinearLR(o), lr_scheduler.ExponentialLR(o, 0.9)], [3]
        ),
    ],
)
def test_schedulers_reach_every_member(make):
    made, ours = built()
    twin, vectors, matrices = by_hand(
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        lambda p: torch.optim.AdamW(p, lr=0.01),
    )
    schedulers = make(ours), make(vectors), make(matrices)
    for seed in range(6):
        step(made, ours, seed=seed)
        step(twin, vectors, matrices, seed=seed)
        for scheduler in schedulers:
            scheduler.step()
    assert same(made, twin)


def test_hooks_of_the_whole_and_of_members():
    made, ours = built()
    heard = []
    ours.register_step_pre_hook(lambda o, a, k: heard.append("before"))
    ours.register_step_post_hook(lambda o, a, k: heard.append("after"))
    ours.members["rest"].register_step_post_hook(lambda o, a, k: heard.append("rest"))
    ours.register_state_dict_pre_hook(lambda o: heard.append("saving"))
    ours.register_state_dict_post_hook(lambda o, state: {**state, "extra": 1})
    ours.register_load_state_dict_pre_hook(lambda o, state: heard.append(state.pop("extra")))
    ours.register_load_state_dict_post_hook(lambda o: heard.append("loaded"))
    step(made, ours)
    ours.load_state_dict(ours.state_dict())
    assert heard == ["before", "rest", "after", "saving", 1, "loaded"]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))])
def test_copies_go_on_by_themselves(copied):
    made, ours = built()
    step(made, ours)
    twin, copy_of_ours = copied((made, ours))
    assert type(copy_of_ours) is type(ours)
    assert copy_of_ours.param_groups[0] is copy_of_ours.members["matrices"].param_groups[0]
    step(twin, copy_of_ours, seed=2)
    assert not same(made, twin)
    step(made, ours, seed=2)
    assert same(made, twin)
    copy_of_ours.param_groups[0]["lr"] = 0.5
    assert ours.param_groups[0]["lr"] == 0.01


def test_state_is_read_and_written_where_it_is():
    made, ours = built()
    assert len(ours.state) == 0
    step(made, ours)
    weight, bias = made[0].weight, made[0].bias
    assert set(ours.state) == set(made.parameters())
    assert weight in ours.state
    assert ours.state[weight] is ours.members["matrices"].state[weight]
    ours.state[bias] = {"momentum_buffer": torch.zeros(4)}
    assert not ours.members["rest"].state[bias]["momentum_buffer"].any()
    del ours.state[weight]
    assert weight not in ours.members["matrices"].state
    ours.state[weight]["mark"] = 1
    assert ours.members["matrices"].state[weight] == {"mark": 1}
    ours.state = {}
    assert not any(member.state for member in ours.members.values())
    assert repr(ours.state) == "{}"


def test_defaults_are_those_of_all():
    _, ours = built()
    assert "momentum" not in ours.defaults
    assert "lr" not in ours.defaults
    assert ours.defaults["maximize"] is False
    assert ours.param_groups[0]["betas"] == (0.9, 0.999)
    assert "betas" not in ours.param_groups[1]


def test_it_shows_its_members():
    lines = repr(built()[1]).splitlines()
    assert lines[:3] == ["ChainedOptimizer (", "    rest: SGD (", "    Parameter Group 0"]
    assert "    matrices: AdamW (" in lines
    assert "        name: matrix" in lines


def test_what_does_not_fit_is_refused_and_nothing_loaded():
    made, ours = built()
    step(made, ours)
    saved = ours.state_dict()
    before = copy.deepcopy(ours.members["rest"].state_dict())
    for change, words in [
        (lambda groups: groups[1].update(name="other"), "has no group `vector`"),
        (lambda groups: groups[1]["params"].pop(), "loads by the names of parameters"),
        (lambda groups: groups.append({"name": "more", "params": []}), "does not have: `more`"),
    ]:
        broken = copy.deepcopy(saved)
        for group in broken["param_groups"]:
            del group["param_names"]  # with them, parameters are found one by one
        change(broken["param_groups"])
        with pytest.raises(ValueError, match=words):
            ours.load_state_dict(broken)
        now = ours.members["rest"].state_dict()
        assert now["param_groups"] == before["param_groups"]
    restored = grouper.load_optimizer_state(built()[1], saved)
    assert len(restored.kept) == len(list(made.parameters()))


def test_groups_are_added_once_and_to_a_member():
    made, ours = built()
    with pytest.raises(ValueError, match="more than one parameter group"):
        ours.add_param_group({"params": [("x", made[0].weight)], "name": "x", "optimizer": "rest"})
    with pytest.raises(ValueError, match="no optimizer `other`: there are `rest`, `matrices`"):
        ours.add_param_group({"params": [], "optimizer": "other"})
    extra = nn.Parameter(torch.ones(2))
    ours.add_param_group({"params": [("extra", extra)]})
    assert "name" not in ours.members["rest"].param_groups[-1]
    assert copy.deepcopy(ours).param_groups[-1]["param_names"] == ["extra"]
