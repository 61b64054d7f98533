"""Laws of patterns and files, on what nobody would write."""

import json
import re
from contextlib import suppress
from fnmatch import fnmatchcase

import pytest

pytest.importorskip("torch")
pytest.importorskip("yaml")
pytest.importorskip("transformers")

from generate.convert.oracles import fairseq2, llmfoundry, models, olmo
from generate.convert.oracles.compare import assert_same, converted, trained
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.builders import inventory

from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.kohya import _undotted
from grouper.generate.convert.patterns import containing, regex, shell
from grouper.generate.convert.systems import SYSTEMS
from grouper.match.compile_selector import compile_selector

NAMES = st.text("ab01._-[]", min_size=1, max_size=8)
PIECES = st.sampled_from(
    ["a", "b", "0", ".", r"\.", ".*", "[ab]", "[^a]", "a|b", "(a|b)", "^", "$", r"\d", "?", "+",
     "_", r"\W", "[a.]", "[+-9]", "(?:a)?", "-", r"\-", ".*?", "{1,2}", "(?i)", "[^.]", "/"]
)  # fmt: skip
REGEXES = st.lists(PIECES, max_size=5).map("".join)
SHELLS = st.lists(
    st.sampled_from(
        ["a", "b", "*", "?", ".", "[ab]", "[!a]", "[", "]", "0", "{", "-", "[^a]", "\\"]
    ),
    max_size=5,
).map("".join)
LOOSE = settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)


def matches(selector, name):
    model = inventory(name)
    return bool(compile_selector(selector, model, {})(model.parameters[0]).truth)


@given(pattern=REGEXES, name=NAMES, how=st.sampled_from(["search", "match", "fullmatch"]))
@LOOSE
def test_regexes_find_what_python_finds(pattern, name, how):
    with suppress(ConvertError):  # refused: `re` does not take it, or grouper will not search it
        selector = regex(pattern, how, "").selector
        assert matches(selector, name) == bool(getattr(re, how)(pattern, name)), selector


@given(pattern=SHELLS, name=NAMES)
@LOOSE
def test_shell_globs_match_what_fnmatch_matches(pattern, name):
    with suppress(ConvertError):
        assert matches(shell(pattern).selector, name) == fnmatchcase(name, pattern)


@given(text=NAMES, name=NAMES)
@LOOSE
def test_substrings(text, name):
    assert matches(containing(text).selector, name) == (text in name)


@given(pattern=REGEXES, module=st.text("ab01_", min_size=1, max_size=8), rest=NAMES)
@LOOSE
def test_kohyas_regexes_stay_in_the_name_of_the_module(pattern, module, rest):
    try:
        wanted = bool(re.search(pattern, module))
    except re.error:
        return
    with suppress(re.error):
        bounded = f"^[^.]*(?:{_undotted(pattern)})"
        assert bool(re.search(bounded, f"{module}.{rest}")) == wanted, bounded


WORDS = st.sampled_from(
    ["bert", "cls", "embed", "decoder", r"layer\.[01]", "LayerNorm", ".*bias", "weight$",
     "query|key", "bert.encoder.layer.1", "", "nothing", "^cls.*", "norm", "backbone",
     "in_proj", "head"]
)  # fmt: skip
RATES = st.sampled_from([1e-5, 1e-4, 0.0, 1])


@given(
    groups=st.lists(
        st.tuples(st.lists(WORDS, min_size=1, max_size=3), RATES), min_size=1, max_size=5
    ),
    small=st.booleans(),
)
@settings(LOOSE, max_examples=60)
def test_any_groups_of_fairseq2_and_llm_foundry(groups, small, tmp_path):
    network = models.small() if small else models.bert()
    path = tmp_path / "config.json"
    entries = [{"params": words, "lr": rate} for words, rate in groups]
    config = {"lr": 0.5, "weight_decay": 0.1, "groups": entries}
    path.write_text(json.dumps({"optimizer": {"name": "adamw", "config": config}}))
    expected = trained(network, fairseq2.groups(network, config))
    assert_same(network, converted(path, network).text, expected)
    entries = [{"param_str_match": words[0], "lr": rate} for words, rate in groups]
    config = {"name": "adamw", "lr": 0.5, "param_groups": entries}
    path.write_text(json.dumps({"optimizer": config}))
    expected, _ = llmfoundry.groups(network, config)
    assert_same(network, converted(path, network).text, expected)


GLOBS = st.sampled_from(
    ["*bias", "*.LayerNorm.*", "cls.*", "bert.embeddings.*", "*decoder.weight", "*layer.?.*", "*",
     "*.[0-1].*", "nothing", "bias", "cls_token", "backbone.*", "head.weight"]
)  # fmt: skip


@given(
    groups=st.lists(
        st.tuples(st.lists(GLOBS, min_size=1, max_size=2), RATES), min_size=1, max_size=4
    ),
    small=st.booleans(),
)
@settings(LOOSE, max_examples=60)
def test_any_overrides_of_olmo(groups, small, tmp_path):
    network = models.small() if small else models.bert()
    overrides = [(params, {"lr": rate}) for params, rate in groups]
    path = tmp_path / "config.json"
    entries = [{"params": params, "opts": opts} for params, opts in overrides]
    path.write_text(json.dumps({"optim": {"lr": 0.5, "group_overrides": entries}}))
    conversion = converted(path, network)
    try:
        expected = olmo.groups(network, {"lr": 0.5}, overrides)
    except ValueError:
        said = " ".join((*conversion.lost, conversion.text))
        assert "olmo stops at" in said
        return
    assert_same(network, conversion.text, expected)


KEYS = st.sampled_from(
    ["optim_wrapper", "optimizer", "paramwise_cfg", "custom_keys", "type", "lr", "weight_decay",
     "parameter_groups", "groups", "params", "param_groups", "param_str_match", "optimizer_name",
     "optimizer_kwargs", "pattern", "group_overrides", "opts", "lr_mults", "wd_mults", "schedule",
     "wd", "options", "scheduler", "_target_", "value", "param_names", "module_cls_names",
     "lr_groups", "name", "modules", "learning_rate", "embedding_lr", "unfrozen_parameters",
     "disable_grad", "SOLVER", "BASE_LR", "WEIGHT_DECAY_NORM", "overrides", "network_args",
     "network_reg_lrs", "unet_lr", "constructor", "param_group_modifiers", "layer_decay_value",
     "apply_to", "config", "optax", "model", "backbone", "a b", "freeze", "schedule", "", "no_grad",
     "optimizers", "norm_decay_mult", "bias_lr_mult", "num_layers", "decay_rate", "arch"]
)  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.floats(), st.integers(-2, 10**400), st.text(max_size=4),
    st.sampled_from(
        ["SGD", "AdamW", "torch.optim.AdamW", "a.*", "(", "(a+)+", "x=1", "network_reg_lrs=a=1",
         "network_reg_lrs=(=1", "layer_decay_param_modifier", "x.CosineParamScheduler", "multi",
         "LearningRateDecayOptimWrapperConstructor", "LearningRateDecayOptimizerConstructor",
         "get_default_optimizer_params", "ConstantParamScheduler", "a\nb", "SwinTransformer",
         "\ud800"]
    ),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=25,
)


@given(config=st.dictionaries(KEYS, VALUES, max_size=6), system=st.sampled_from([None, *SYSTEMS]))
@example(config={"optim_wrapper": "\n"}, system=None)
@settings(LOOSE, max_examples=600)
def test_whatever_the_file_holds_there_are_rules_or_one_sentence(config, system, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config), "utf-8")
    for model in (None, models.small()):
        try:
            converted(path, model, system)
            sentence = ""
        except ConvertError as error:
            sentence = str(error)
        assert "\n" not in sentence
