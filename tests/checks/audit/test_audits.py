"""The audit of optimizers: ten broken ones, their sound counterparts, and the pages' examples."""

import copy
import textwrap
import warnings

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import grouper  # noqa: E402
from grouper.checks.audit.table import AUDITS, OF_GROUPS  # noqa: E402
from grouper.options.signatures import torch_signatures  # noqa: E402

SGD, AdamW = torch.optim.SGD, torch.optim.AdamW


class Block(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)


class Model(nn.Module):
    """An embedding, three blocks, a norm and a head."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(16, 8)
        self.blocks = nn.ModuleList(Block() for _ in range(3))
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 4)


def by_decay(model, decay=0.05, spared=0.0, **names):
    """The two groups of most recipes: matrices decay, vectors do not."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": spared, **names},
    ]


def sound(model):
    return AdamW(by_decay(model), lr=1e-3)


def one_left_out(model):
    kept = [p for name, p in model.named_parameters() if name != "norm.weight"]
    return AdamW(kept, lr=1e-3, weight_decay=0)


def one_in_two_groups(model):
    optimizer = sound(model)
    optimizer.param_groups[0]["params"].append(model.head.bias)
    return optimizer


def one_twice_in_a_group(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SGD([*model.parameters(), model.head.bias], lr=0.1)


def frozen_in_a_group(model):
    optimizer = sound(model)
    model.embed.requires_grad_(False)
    return optimizer


def frozen_as_a_whole(model):
    model.head.requires_grad_(False)
    body = [p for name, p in model.named_parameters() if "head" not in name]
    return SGD([{"params": body}, {"params": model.head.parameters(), "lr": 1.0}], lr=0.1)


def factor_that_nobody_multiplies(model):
    groups = by_decay(model)
    groups[1]["lr_scale"] = 10.0
    return AdamW(groups, lr=1e-3)


def misspelt(model):
    groups = by_decay(model)
    groups[1]["weigth_decay"] = 0.0
    return AdamW(groups, lr=1e-3)


def replaced_head(model):
    optimizer = sound(model)
    model.head = nn.Linear(8, 3)
    return optimizer


def default_under_the_name_no_decay(model):
    groups = by_decay(model, name="no_decay")
    del groups[1]["weight_decay"]
    return AdamW(groups, lr=1e-3)


def decay_of_vectors_alone(model):
    return AdamW(by_decay(model, 0.0, 0.1), lr=1e-3)


def norms_by_name(model):
    """The last norm is called otherwise."""
    model.ln_f = model.norm
    del model.norm
    spared = [p for name, p in model.named_parameters() if "norm" in name or "bias" in name]
    rest = [p for p in model.parameters() if all(p is not other for other in spared)]
    groups = [{"params": rest, "weight_decay": 0.1}, {"params": spared, "weight_decay": 0.0}]
    return AdamW(groups, lr=1e-3)


def another_model(model):
    return SGD(copy.deepcopy(model).parameters(), lr=0.1)


def rate_of_zero(model):
    return SGD([{"params": model.head.parameters()}, *rest(model, lr=0.0)], lr=0.1)


def rest(model, **options):
    named = model.named_parameters()
    return [{"params": [p for name, p in named if "head" not in name], **options}]


def muon_of_embeddings(model):
    matrices = [p for p in model.parameters() if p.ndim == 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    return [torch.optim.Muon(matrices, lr=0.02), AdamW(vectors, lr=1e-3, weight_decay=0)]


# the broken ones, what is found of each, and a parameter (or stray) that is named
BROKEN = {
    one_left_out: ("GR601", "norm.weight"),
    one_in_two_groups: ("GR602", "head.bias"),
    one_twice_in_a_group: ("GR602", "head.bias"),
    frozen_in_a_group: ("GR603", "embed.weight"),
    frozen_as_a_whole: ("GR603", "head.weight"),
    factor_that_nobody_multiplies: ("GR605", "norm.weight"),
    misspelt: ("GR605", "norm.weight"),
    replaced_head: ("GR601 GR604", "head.weight"),
    default_under_the_name_no_decay: ("GR303 GR606", "norm.weight"),
    decay_of_vectors_alone: ("GR302", "norm.weight"),
    norms_by_name: ("GR301", "ln_f.weight"),
    another_model: ("GR607", None),
    rate_of_zero: ("GR320", "embed.weight"),
    muon_of_embeddings: ("GR310", "embed.weight"),
}


@pytest.mark.parametrize("build", BROKEN, ids=lambda build: build.__name__)
def test_what_is_found_of_a_broken_optimizer(build):
    model = Model()
    codes, name = BROKEN[build]
    audit = grouper.audit(build(model), model)
    assert {finding.code.id for finding in audit.findings} == set(codes.split()), str(audit)
    assert name is None or any(name in finding.parameters for finding in audit.findings)
    assert all(finding.help for finding in audit.findings)


def frozen_and_left_out(model):
    model.embed.requires_grad_(False)
    return sound(model)


def two_that_share(model):
    head = list(model.head.parameters())
    return [AdamW([*rest(model)[0]["params"]], weight_decay=0), SGD(head, lr=0.1)]


def one_group(model):
    return torch.optim.Adam(model.parameters())


def scheduled_from_zero(model):
    """As every warm-up of transformers begins."""
    optimizer = sound(model)
    torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: step / 100)
    return optimizer


def default_for_matrices(model):
    return AdamW(by_decay(model, 0.01), lr=1e-3)


def factors_that_are_multiplied(model):
    groups = [
        {**group, "lr_scale": 0.5**i, "lr": 0.5**i} for i, group in enumerate(by_decay(model))
    ]
    return SGD(groups)


def names_of_groups(model):
    first, second = by_decay(model)
    return AdamW([{**first, "name": "decay"}, {**second, "name": "no_decay"}])


def one_cycle(model):
    optimizer = sound(model)
    torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=10)
    return optimizer


def by_grouper(model):
    text = "optimizer AdamW lr=1e-3\nndim < 2 -> no_decay weight_decay=0; else -> decay"
    return grouper.build_optimizer(model, grouper.parse(text))


def several_by_grouper(model):
    text = """optimizer AdamW lr=1e-3 weight_decay=0
    optimizer Muon as hidden lr=0.02
    blocks.*.weight and ndim == 2 -> hidden optimizer=hidden
    else -> rest"""
    return grouper.build_optimizer(model, grouper.parse(text))


SOUND = (
    sound,
    frozen_and_left_out,
    two_that_share,
    one_group,
    scheduled_from_zero,
    default_for_matrices,
    factors_that_are_multiplied,
    names_of_groups,
    one_cycle,
    by_grouper,
    several_by_grouper,
)


@pytest.mark.parametrize("build", SOUND, ids=lambda build: build.__name__)
def test_silence_about_a_sound_optimizer(build):
    model = Model()
    audit = grouper.audit(build(model), model)
    assert audit.ok
    assert audit.findings == (), str(audit)


@pytest.mark.parametrize("name", torch_signatures())
def test_silence_about_every_class_of_torch(name):
    model = nn.Linear(4, 4, bias=False)
    optimizer = getattr(torch.optim, name)(model.parameters())
    assert grouper.audit(optimizer, model).findings == ()
    optimizer.param_groups[0]["lr_mul"] = 2.0
    found = [finding.code.id for finding in grouper.audit(optimizer, model).findings]
    alone = name in ("LBFGS", "SparseAdam")  # which need a closure, and sparse gradients
    assert found == ["GR605"] * (not alone)


def test_nothing_is_changed():
    model = Model()
    optimizer = sound(model)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    random = torch.random.get_rng_state()
    grouper.audit(optimizer, model)
    assert optimizer.state_dict() == before[1]
    assert all(torch.equal(v, before[0][k]) for k, v in model.state_dict().items())
    assert torch.equal(random, torch.random.get_rng_state())


def test_the_class_says_what_it_reads():
    class Own(SGD):
        def step(self, closure=None):
            for group in self.param_groups:
                for parameter in group["params"]:
                    parameter.data -= group["lr"] * group.get("boost", 1) * parameter.grad

    model = Model()
    groups = [{"params": list(model.parameters()), "boost": 2, "bosst": 3}]
    (finding,) = grouper.audit(Own(groups, lr=0.1), model).findings
    assert finding.code.id == "GR605"
    assert "`bosst`" in finding.message


def test_a_class_that_cannot_step_alone_is_not_judged():
    class Wrapper(SGD):
        def step(self, closure=None):
            self.inner.step()

    model = Model()
    groups = [{"params": list(model.parameters()), "lr_mult": 2}]
    assert grouper.audit(Wrapper(groups, lr=0.1), model).findings == ()


def test_how_it_shows_itself():
    model = Model()
    audit = grouper.audit(replaced_head(model), model)
    assert not audit.ok
    assert repr(audit) == "<Audit Model: 2 groups, 2 errors>"
    assert "failed: 2 errors" in str(audit)
    assert "<table" in audit._repr_html_()
    assert "ok: 1 group" in str(grouper.audit(one_group(model), model))


PAGES = {check.CODE.name: check.CODE for check in AUDITS}


@pytest.mark.parametrize("name", PAGES)
def test_the_examples_of_the_pages(name):
    """The bad example of each page gives its finding, and the good one does not."""
    code = PAGES[name]
    blocks = [b for b in code.page.split("\n\n") if b.startswith("    ")]
    found = [codes_of(example) for example in examples(blocks, code.id)]
    assert found
    assert all((code.id in codes) == bad for bad, codes in found)


def examples(blocks, code):
    """Pairs of whether it is the bad one, and the program."""
    lines = [line for block in blocks for line in textwrap.dedent(block).splitlines()]
    if code == "GR602":
        setup = "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        yield True, setup + lines[0]
        return
    if code == "GR607":
        yield True, "other = Sample()\n" + lines[0].replace("model.", "other.")
        yield False, lines[1]
        return
    for block in blocks:
        text = textwrap.dedent(block)
        yield "# bad" in text or "# a note" in text, text


class Sample(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone, self.head = nn.Linear(4, 8), nn.Linear(8, 4)


def codes_of(example):
    bad, text = example
    model = Sample()
    scope = {"torch": torch, "model": model, "Sample": Sample}
    exec(text, scope)
    audit = grouper.audit(scope["optimizer"], model)
    return bad, {finding.code.id for finding in audit.findings}


def test_every_check_of_groups_has_a_help_without_rules():
    for check, help in OF_GROUPS.items():
        assert "->" not in help
        assert check.CODE.id.startswith("GR3")
