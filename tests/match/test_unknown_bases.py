"""Classes of which a file gives the name alone: what can still be said of them."""

import pytest

import grouper

torch = pytest.importorskip("torch")
nn = torch.nn

RULES = """
else *.bias -> bias weight_decay=0
else @*Norm* -> norm weight_decay=0
else -> rest
"""


class Tower(nn.Module):
    """A model of the user's own: it holds modules, so it is no norm itself."""

    def __init__(self):
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, 4))
        self.linear = nn.Linear(4, 4)
        self.norm = nn.LayerNorm(4)


class Scale(nn.Module):
    """A layer of the user's own: for all that its name says, it may be a norm."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(4))


def findings(tmp_path, model, rules):
    torch.save(model, tmp_path / "model.pt")
    report = grouper.check(tmp_path / "model.pt", grouper.parse(rules))
    return [finding for finding in report.findings if finding.code.id == "GR110"], report


def test_a_module_that_holds_others_is_no_norm(tmp_path):
    unanswered, report = findings(tmp_path, Tower(), RULES)
    assert not unanswered
    live = grouper.check(Tower(), grouper.parse(RULES))
    assert [(g.name, g.parameters) for g in report.grouping.groups] == [
        (g.name, g.parameters) for g in live.grouping.groups
    ]


@pytest.mark.parametrize("cls", ["MultiheadAttention", "Block"])
def test_it_may_be_derived_from_a_module_that_holds_others(tmp_path, cls):
    unanswered, _ = findings(tmp_path, Tower(), f"else in @{cls} -> a\nelse -> rest")
    assert [finding.severity.name for finding in unanswered] == ["WARNING"]


def test_a_layer_of_unknown_bases_is_asked_about(tmp_path):
    unanswered, _ = findings(tmp_path, nn.Sequential(Scale()), RULES)
    assert [finding.parameters for finding in unanswered] == [("0.gain",)]


@pytest.mark.parametrize(
    "name", ["test_vit", "test_convnext", "test_resnet", "swin_tiny_patch4_window7_224"]
)
def test_timms_models_are_known(tmp_path, name):
    from support import torchvision_stub

    torchvision_stub.mend()
    import timm

    rules = f"{RULES}\n".replace("else -> rest", "else in @*Block* -> block\nelse -> rest")
    model = timm.create_model(name)
    unanswered, report = findings(tmp_path, model, rules)
    assert not unanswered
    live = grouper.check(model, grouper.parse(rules))
    assert {g.name: g.parameters for g in report.grouping.groups} == {
        g.name: g.parameters for g in live.grouping.groups
    }
