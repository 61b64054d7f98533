"""Many processes against one: models, groups, errors, training and checkpoints."""

import json
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import resume  # noqa: E402
import small_model as small  # noqa: E402
from support.torchrun import launch  # noqa: E402

import grouper  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("ranks")
    launch(HERE / "two_ranks.py", 2, made)
    return made


@pytest.fixture(scope="module")
def found(folder):
    """What each of the two ranks found."""
    return [json.loads((folder / f"rank{rank}.json").read_text()) for rank in (0, 1)]


@pytest.fixture(scope="module")
def by_four(folder):
    launch(HERE / "resume.py", 4, folder)
    return json.loads((folder / "resumed.json").read_text())


def test_one_report_whatever_is_wrapped_around_a_model(found):
    alone = found[0]["reports"]["bare"]
    assert len(found[0]["reports"]) == 20
    for rank in found:
        for kind, report in rank["reports"].items():
            assert report == alone, kind
    model = small.net()
    report = grouper.check(model, grouper.parse(small.RULES))
    assert report.grouping.digest == alone[4]
    assert [[g.name, *(p.name for p in g.parameters)] for g in report.grouping.groups] == alone[3]


def test_sharded_modules_have_their_own_classes(found):
    both = ["body.weight", "body.bias", "head.weight", "head.bias"]
    assert found[0]["classes"] == {
        "@Linear": both,
        "@FSDP*": both[2:],
        "@FSDPHead": both[2:],
        "@torch.nn.Linear": both,
        "in @ModuleDict": both,
    }


DIFFERENCES = {
    "comment": "fine",
    "lr": "`lr` of the optimizer `AdamW` is 0.03 on rank 1 and 0.02 on rank 0",
    "groups alone": "`lr` of the optimizer `AdamW` is 0.03 on rank 1 and 0.02 on rank 0",
    "group": "`weight_decay` of the group `block` is 0.2 on rank 1 and 0.1 on rank 0",
    "plan": "`warmup_start` of the group `small` is 0.04 on rank 1 and 0.05 on rank 0",
    "warm-up": "`steps` of `warmup` is 4 on rank 1 and 3 on rank 0",
    "schedule": "`final` of `schedule` is 0.2 on rank 1 and 0.1 on rank 0",
    "optimizer": "the optimizer that the rules name is `Adam` on rank 1 and `AdamW` on rank 0",
    "member": "`blocks.1.linear.bias` is in the group `tail` on rank 1"
    " and in the group `small` on rank 0",
    "frozen": "`embed.weight` is frozen on rank 1 and in the group `rest` on rank 0",
    "findings": "rank 1 builds no groups: GR101 unmatched-parameter: 1 tensor is matched by no"
    " rule",
    "syntax": "rank 1 builds no groups: GR001 syntax-error: a rule has no `->`",
    "no class": "rank 1 builds no groups: ValueError: the optimizer `nowhere:Class` cannot be",
    "no file": "rank 1 builds no groups: FileNotFoundError: there is no rules file `nowhere.rules`",
}
OWN_ERROR = {"findings", "syntax", "no class", "no file"}  # rank 1 raises what is wrong there


@pytest.mark.parametrize("case", DIFFERENCES)
def test_a_difference_is_an_error_on_every_rank_at_once(found, case):
    said = [rank["disagreements"][case] for rank in found]
    due = DIFFERENCES[case]
    assert said[0][0].removeprefix("GroupingError: ").startswith(due)
    if case in OWN_ERROR:
        assert said[1][0] != "fine"
        assert "on rank" not in said[1][0]
    else:
        assert said[1][0] == said[0][0]
    assert [trainable for _, trainable, _ in said] == [9, 9]  # nothing was left frozen
    assert all(seconds < 10 for _, _, seconds in said)


def test_ranks_with_different_models_say_with_whom_they_agree(found):
    said = "`0.weight` is not in the model on rank 1 and in the group `all` on rank 0"
    for rank in found:
        assert rank["stages"] == {"all": said, "own": "fine", "not mine": "fine", "none": "fine"}


def one_process(data, clip=None):
    torch.set_num_threads(1)  # as the ranks have; sums differ by how they are cut
    model, rules = small.net(), grouper.parse(small.RULES)
    optimizer = grouper.build_optimizer(model, rules)
    plan = grouper.plan(model, rules, steps_per_epoch=3, epochs=4)
    rates, norms = small.train(model, optimizer, plan.scheduler(optimizer), data, clip)
    return rates, norms, {n: p.tolist() for n, p in model.state_dict().items()}


def close(left, right):
    assert left.keys() == right.keys()
    for name, value in left.items():
        torch.testing.assert_close(torch.tensor(value), torch.tensor(right[name]))


@pytest.mark.parametrize("kind", ["ddp", "fsdp2", "compiled fsdp2"])
def test_two_ranks_train_as_one_process_does(found, kind):
    rates, norms, weights = one_process(small.batches(), clip=0.05)
    for rank in found:
        its_rates, its_norms, its_weights = rank["training"]["half"][kind]
        assert its_rates == rates
        assert its_norms == pytest.approx(norms, rel=1e-5)
        close(its_weights, weights)


@pytest.mark.parametrize("kind", ["ddp", "fsdp2"])
def test_two_ranks_of_the_same_batch_are_one_process_to_the_last_bit(found, kind):
    """The mean of two equal gradients is that gradient, so the sums have nothing to round."""
    rates, _, weights = one_process([batch[:4] for batch in small.batches()])
    for rank in found:
        its_rates, _, its_weights = rank["training"]["same"][kind]
        assert its_rates == rates
        assert its_weights == weights


def test_moments_move_between_whole_and_sharded(found):
    moves = found[0]["moves"]
    assert moves.pop("in parts")
    others = {"SGD momentum=0.9", "RMSprop", "Adagrad", "NAdam"}
    assert set(moves) == {"ddp to fsdp2", "fsdp2 to ddp", "whole"} | others
    assert all(move == ["optimizer state by name: 9 kept", True] for move in moves.values())


def test_several_optimizers_in_one_are_saved_and_loaded(found):
    said, by_torch, by_name, members = found[0]["several"]
    assert said == "optimizer state by name: 9 kept"
    assert by_torch
    assert by_name
    assert members == ["SGD", "AdamW"]


def test_torchs_own_loading_leaves_the_plan_alone(found):
    assert found[0]["torchs_functions"] == [True, True]


SAVED = ["fsdp2", "ddp", "fsdp2-flat"]


def uninterrupted():
    return one_process(small.batches(small.STEPS + 2))


@pytest.mark.parametrize("saved", SAVED)
@pytest.mark.parametrize("into", ["fsdp2", "ddp"])
@pytest.mark.slow
def test_a_checkpoint_of_two_goes_on_on_four(by_four, saved, into):
    rates, _, weights = uninterrupted()
    its = by_four[f"{saved} into {into}"]
    assert its.pop("said") == "optimizer state by name: 9 kept"
    assert its.pop("same")
    assert its.pop("new") == []
    assert its.pop("rates") == rates[small.STEPS :]
    close(its, weights)


@pytest.mark.parametrize("saved", SAVED)
def test_a_checkpoint_of_two_goes_on_on_one(folder, saved):
    its = resume.resumed(folder, saved, "bare", small.RULES)
    rates, _, weights = uninterrupted()
    assert its.pop("said") == "optimizer state by name: 9 kept"
    assert its.pop("same")
    assert its.pop("new") == ()
    assert its.pop("rates") == rates[small.STEPS :]
    close(its, weights)


@pytest.mark.slow
def test_rules_changed_between_two_and_four_or_one(folder, by_four):
    for its in (by_four["changed"], resume.resumed(folder, "fsdp2", "bare", small.OTHERWISE)):
        assert its["said"] == "optimizer state by name: 9 kept"
        assert its["same"]
        assert len(its["rates"][0]) == 3


@pytest.mark.slow
def test_a_model_that_grew_between_two_and_four_or_one(folder, by_four):
    alone = resume.resumed(folder, "fsdp2", "bare", small.OTHERWISE, blocks=3)
    for its in (by_four["grown"], alone):
        assert its["said"].startswith("optimizer state by name: 9 kept, 4 new")
        assert its["same"]
        assert all(name.startswith("blocks.2.") for name in its["new"])
    close(
        {n: v for n, v in alone.items() if "." in n},
        {n: v for n, v in by_four["grown"].items() if "." in n},
    )


def test_what_is_no_checkpoint_of_an_optimizer_is_refused_in_words(folder, tmp_path):
    from torch.distributed import checkpoint as dcp

    model = small.net()
    optimizer = grouper.build_optimizer(model, grouper.parse(small.RULES))
    small.train(model, optimizer, torch.optim.lr_scheduler.ConstantLR(optimizer), small.batches(1))
    with pytest.raises(FileNotFoundError, match=r"is not a checkpoint of torch\.distributed"):
        grouper.load_optimizer_state(optimizer, tmp_path)
    dcp.save({"model": model.state_dict()}, checkpoint_id=tmp_path / "model")
    with pytest.raises(ValueError, match="does not hold an optimizer's state by names"):
        grouper.load_optimizer_state(optimizer, tmp_path / "model")
    state = optimizer.state_dict()
    dcp.save({"optimizer": state}, checkpoint_id=tmp_path / "numbers")
    with pytest.raises(ValueError, match="goes by numbers, which change with the groups"):
        grouper.load_optimizer_state(optimizer, tmp_path / "numbers")
    stateless = torch.optim.SGD(model.parameters()).state_dict()
    dcp.save({"optimizer": stateless}, checkpoint_id=tmp_path / "stateless")
    restored = grouper.load_optimizer_state(optimizer, tmp_path / "stateless")
    assert len(restored.new) == 9
    named = {"state": {"embed.weight": {"exp_avg": torch.ones(7, 5)}}, "param_groups": []}
    dcp.save({"one": named, "two": named}, checkpoint_id=tmp_path / "several")
    with pytest.raises(ValueError, match="several states: pass one of `one`, `two` as `key=`"):
        grouper.load_optimizer_state(optimizer, tmp_path / "several")
    with pytest.raises(ValueError, match="not hold an optimizer's state under `three`"):
        grouper.load_optimizer_state(optimizer, tmp_path / "several", key="three")
