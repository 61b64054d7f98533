"""Models of four libraries: named by what builds them, and from what was saved of them."""

import pytest

torch = pytest.importorskip("torch")

from support.dtensor import SPREAD, build  # noqa: E402
from support.torchvision_stub import define_operators  # noqa: E402

import grouper  # noqa: E402
from grouper.model.errors import ModelError  # noqa: E402
from grouper.model.read import read  # noqa: E402

BY_NAMES = """
split part {
    *{head,lm_head,classifier}* or model.{22..30}.* -> head lr=0.01
    else -> body lr=0.001
}
split kind {
    ndim >= 2 and not tied -> weight weight_decay=0.1
    else tied -> shared
    else -> rest
}
"""
BY_CLASSES = (
    BY_NAMES + "split norm { @*Norm* -> norm\n in @{Detect,*Attention*} -> deep\n else -> x }"
)


@pytest.fixture(scope="module", params=SPREAD)
def built(request, tmp_path_factory):
    """What is given to grouper, the model as its library's user builds it, and a folder."""
    folder = tmp_path_factory.mktemp(request.param.partition(":")[2].partition(".")[0])
    return *build(request.param, folder), folder


def facts(inventory, *, ordered=True):
    found = [(frozenset(p.names), p.shape, p.dtype) for p in inventory.parameters]
    return found if ordered else set(found)


def outcome(path, rules, but=()):
    """A report, but for some parameters, what the model is called, and the order."""
    report = grouper.check(path, grouper.parse(rules))
    groups = {
        group.name: (dict(group.options), {p.name for p in group.parameters} - set(but))
        for group in report.grouping.groups
    }
    # What is unlike its kind, and parts that are idle, are found by classes: files may lack them.
    shared = [f for f in report.findings if not f.code.id.startswith(("GR116", "GR3"))]
    findings = [(f.code.id, f.message, f.notes, set(f.parameters)) for f in shared]
    return groups, findings


def test_the_same_as_the_whole_module(built):
    spec, model, folder = built
    path = str(folder / "module.pt")
    torch.save(model, path)
    here, there = read(spec), read(path)
    assert facts(here) == facts(there)
    assert [p.trainable for p in here.parameters] == [p.trainable for p in there.parameters]
    assert {m.path: m.cls for m in here.modules.values()} == {
        m.path: m.cls for m in there.modules.values()
    }
    assert set(here.buffers) == set(there.buffers)
    assert outcome(spec, BY_NAMES) == outcome(path, BY_NAMES)
    groups, findings = outcome(spec, BY_CLASSES)
    stored_groups, stored_findings = outcome(path, BY_CLASSES)
    assert groups == stored_groups
    if all(m.bases is not None for m in there.modules.values()):
        assert findings == stored_findings
    else:  # a file names classes and not their bases, and the report says so
        assert {code for code, *_ in stored_findings} - {code for code, *_ in findings} == {"GR110"}


def test_the_same_as_the_state_dict(built):
    spec, model, folder = built
    path = str(folder / "state_dict.pt")
    torch.save(model.state_dict(), path)
    here, there = read(spec), read(path)
    assert facts(here) == facts(there)
    assert set(there.buffers) <= set(here.buffers)
    frozen = {p.name for p in here.parameters if not p.trainable}  # state dicts do not say
    assert outcome(spec, BY_NAMES, but=frozen) == outcome(path, BY_NAMES, but=frozen)


def test_the_same_as_the_safetensors_file(built):
    save_model = pytest.importorskip("safetensors.torch").save_model
    spec, model, folder = built
    path = str(folder / "saved.safetensors")
    save_model(model, path)
    here, there = read(spec), read(path)
    assert facts(here, ordered=False) == facts(there, ordered=False)
    # the file's first name of a tied parameter may be another
    but = {name for p in here.parameters if p.tied or not p.trainable for name in p.names}
    assert outcome(spec, BY_NAMES, but) == outcome(path, BY_NAMES, but)


@pytest.mark.parametrize("built", [s for s in SPREAD if s.startswith("hf:")], indirect=True)
def test_the_same_as_the_folder_of_its_weights(built):
    spec, _, folder = built
    here, there = read(spec), read(str(folder))
    assert (there.kind, there.numel) == ("safetensors", here.numel)
    if "mixtral" in spec:
        # transformers keeps experts apart in files, and joins them where it builds the model
        assert "model.layers.0.mlp.experts.gate_up_proj" in here.by_name
        assert sum(".experts.3." in name for name in there.by_name) == 6
        return
    first = {(p.name, p.shape, p.dtype) for p in here.parameters}  # tied names are not written
    assert first == {(p.name, p.shape, p.dtype) for p in there.parameters}


def test_the_same_as_the_live_model(built):
    spec, model, _ = built
    here = read(spec)
    assert [p.name for p in here.parameters] == [name for name, _ in model.named_parameters()]
    assert [tuple(p.shape) for p in model.parameters()] == [p.shape for p in here.parameters]
    assert outcome(spec, BY_CLASSES) == outcome(model, BY_CLASSES)


def test_code_that_comes_with_a_model_is_not_run(tmp_path):
    pytest.importorskip("transformers")
    (tmp_path / "own.py").write_text("raise SystemExit('run')")
    (tmp_path / "config.json").write_text(
        '{"model_type": "own", "architectures": ["Own"], '
        '"auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Own"}}'
    )
    with pytest.raises(ModelError) as caught:
        read(f"hf:{tmp_path}")
    assert caught.value.finding.code.id == "GR408"
    (tmp_path / "config.json").write_text('{"model_type": "gpt2", "architectures": ["pipeline"]}')
    with pytest.raises(ModelError, match="no class `pipeline`"):
        read(f"hf:{tmp_path}")


@pytest.mark.parametrize("name", ["vit_tiny_patch16_22", "hf-hub:timm/vit", "local-dir:."])
def test_a_model_that_timm_does_not_have(name):
    define_operators()
    pytest.importorskip("timm")
    with pytest.raises(ModelError, match="timm has no model"):
        read(f"timm:{name}")
