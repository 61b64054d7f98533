"""Transformers' and TRL's own Trainers, by rules: real runs, interrupted, resumed, misused."""

import warnings

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from support.torchvision_stub import define_operators  # noqa: E402

define_operators()
pytest.importorskip("accelerate")

from support.trainer_cases import (  # noqa: E402
    by_name,
    equal,
    moments,
    no_grouping_warning,
    ordered,
    reordered,
    same_moments,
)
from transformers import (  # noqa: E402
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

import grouper  # noqa: E402
from grouper.integrations.transformers import trainer  # noqa: E402

# What a Trainer does by default, with TrainingArguments(learning_rate=5e-4, weight_decay=0.1,
# warmup_steps=5): AdamW, its split by names and classes, a linear warm-up, and linear to 0.
DEFAULT = r"""
optimizer AdamW lr=5e-4 betas=(0.9, 0.999) eps=1e-8 fused=true
warmup steps=5
schedule linear after=warmup
/(?i)bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)/ or in @LayerNorm -> rest
    weight_decay=0
else -> decay weight_decay=0.1
"""
LAYERS = ("*.layer.0.*", "*.layer.1.*")


class Data(torch.utils.data.Dataset):
    def __init__(self, length=37):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(index)
        words = torch.randint(0, 64, (8,), generator=generator)
        return {"input_ids": words, "labels": int(words[0] > 32)}


def bert():
    torch.manual_seed(0)
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=64,
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=16,
        )
    )


class StopAt(TrainerCallback):
    """Saves and stops at a step, as a run that is interrupted there."""

    def __init__(self, step):
        self.step = step

    def on_step_end(self, args, state, control, **_):
        if state.global_step == self.step:
            control.should_save = control.should_training_stop = True


class AtStart(TrainerCallback):
    """The moments with which a run begins."""

    def on_train_begin(self, args, state, control, model=None, optimizer=None, **_):
        self.moments = moments(model, optimizer)
        self.lrs = {g["name"]: g["lr"] for g in optimizer.param_groups if "name" in g}


def run(cls, folder, *callbacks, model=None, resume=None, **options):
    arguments = TrainingArguments(
        **{
            "output_dir": str(folder),
            "per_device_train_batch_size": 4,
            "num_train_epochs": 2,
            "logging_steps": 1,
            "report_to": [],
            "use_cpu": True,
            "save_strategy": "no",
            "disable_tqdm": True,
            **options,
        }
    )
    made = cls(model or bert(), arguments, train_dataset=Data(), callbacks=list(callbacks))
    made.train(resume_from_checkpoint=resume)
    return made


OWN = {"learning_rate": 5e-4, "weight_decay": 0.1, "warmup_steps": 5}


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("half", [False, True])
def test_a_run_is_the_trainers_own_to_the_bit(tmp_path, accumulate, half):
    options = {"gradient_accumulation_steps": accumulate, "bf16": half}
    own = run(Trainer, tmp_path, **OWN, **options)
    with no_grouping_warning():
        ours = run(trainer(grouper.parse(DEFAULT)), tmp_path, **options)
    assert equal(own.model, ours.model)
    assert not equal(own.model, bert())
    per_epoch = -(-10 // accumulate)
    assert (ours.plan.steps_per_epoch, ours.plan.epochs) == (per_epoch, 2)
    assert own.state.max_steps == ours.plan.steps
    logs = [[h for h in made.state.log_history if "learning_rate" in h] for made in (own, ours)]
    for one, other in zip(*logs, strict=True):
        assert other["learning_rate"] == pytest.approx(one["learning_rate"], rel=1e-14)
        assert other["lr/rest"] == other["lr/decay"] == other["learning_rate"]
        assert other["loss"] == one["loss"]


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.slow
def test_interrupted_and_resumed_it_is_the_trainers_own_run(tmp_path, accumulate):
    options = {"gradient_accumulation_steps": accumulate}
    stop = 13 if accumulate == 1 else 3
    whole = run(Trainer, tmp_path / "own", **OWN, **options)
    cls = trainer(grouper.parse(DEFAULT))
    first = run(cls, tmp_path, StopAt(stop), **options)
    assert first.state.global_step == stop
    with no_grouping_warning():
        second = run(cls, tmp_path, resume=True, **options)
    assert equal(whole.model, second.model)
    assert not equal(first.model, second.model)


@pytest.mark.slow
def test_after_changed_rules_every_moment_is_with_its_parameter(tmp_path):
    before, after = (grouper.parse(f(*LAYERS)) for f in (ordered, reordered))
    run(trainer(before), tmp_path, StopAt(7))
    saved = by_name(torch.load(tmp_path / "checkpoint-7" / "optimizer.pt"))
    start = AtStart()
    with no_grouping_warning():
        resumed = run(trainer(after), tmp_path, start, resume=True)
    assert [g.name for g in resumed.report.grouping.groups] == ["second", "first", "rest"]
    assert same_moments(start.moments, saved)
    plan = resumed.plan.at(7)
    assert start.lrs == {name: plan[name]["lr"] for name in plan}
    whole = run(trainer(before), tmp_path / "whole")
    assert equal(whole.model, resumed.model)


class Stays(torch.optim.lr_scheduler.ConstantLR):
    def load_state_dict(self, state_dict):
        """The state of a plan, which this has not."""


class ByPosition(Trainer):
    """A control: the same groups under an optimizer that torch loads by position."""

    rules = grouper.parse(reordered(*LAYERS))

    def create_optimizer(self, model=None):
        self.optimizer = torch.optim.AdamW(grouper.param_groups(self.model, self.rules))
        return self.optimizer

    def create_scheduler(self, num_training_steps, optimizer=None):
        self.lr_scheduler = Stays(self.optimizer, factor=1.0)


def test_a_control_by_position_gives_moments_to_others(tmp_path):
    run(trainer(grouper.parse(ordered(*LAYERS))), tmp_path, StopAt(7))
    saved = by_name(torch.load(tmp_path / "checkpoint-7" / "optimizer.pt"))
    start = AtStart()
    run(ByPosition, tmp_path, start, resume=True)
    assert start.moments.keys() == saved.keys()
    assert not same_moments(start.moments, saved)


@pytest.mark.slow
def test_what_is_new_and_dropped_after_a_resume_is_said(tmp_path):
    run(trainer(grouper.parse(ordered(*LAYERS))), tmp_path, StopAt(7))
    text = ordered(*LAYERS) + "bert.pooler.* -> freeze\n"
    with pytest.warns(grouper.GroupingWarning, match=r"2 dropped(.|\n)*bert.pooler"):
        run(trainer(grouper.parse(text)), tmp_path, resume=True)
    run(trainer(grouper.parse(text)), tmp_path / "b", StopAt(7))
    with pytest.warns(grouper.GroupingWarning, match=r"2 new(.|\n)*bert.pooler"):
        run(trainer(grouper.parse(ordered(*LAYERS))), tmp_path / "b", resume=True)


def test_peft_trains_its_adapters_at_rates_of_their_own(tmp_path):
    peft = pytest.importorskip("peft")
    config = peft.LoraConfig(target_modules=["query", "value"], task_type="SEQ_CLS")
    model = peft.get_peft_model(bert(), config)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    text = (
        "optimizer AdamW lr=1e-3; schedule cosine\n"
        "*lora_A* -> a; *lora_B* -> b lr*=16; else -> head lr*=0.1"
    )
    made = run(trainer(grouper.parse(text)), tmp_path, StopAt(5), model=model)
    assert [g["name"] for g in made.optimizer.param_groups] == ["a", "b", "head"]
    assert made.optimizer.param_groups[1]["initial_lr"] == 16e-3
    moved = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    assert moved == {n for n, p in model.named_parameters() if p.requires_grad}
    with no_grouping_warning():
        run(trainer(grouper.parse(text)), tmp_path, model=model, resume=True)


def llama():
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=16,
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=16,
            pad_token_id=0,
        )
    )


def tokenizer():
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import PreTrainedTokenizerFast

    words = ["<pad>", "<eos>", "<unk>", *"abcdefghijklm"]
    made = Tokenizer(WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    made.pre_tokenizer = Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )


@pytest.mark.slow
def test_sft_of_trl(tmp_path):
    trl = pytest.importorskip("trl")
    datasets = pytest.importorskip("datasets")
    data = datasets.Dataset.from_dict({"text": ["a b c d e f", "g h i j k l m a b"] * 6})
    text = DEFAULT.replace("5e-4", "1e-3").replace("steps=5", "steps=2")

    def sft(cls, **options):
        arguments = trl.SFTConfig(
            str(tmp_path),
            per_device_train_batch_size=2,
            num_train_epochs=2,
            report_to=[],
            use_cpu=True,
            bf16=False,
            save_strategy="no",
            disable_tqdm=True,
            logging_steps=1,
            **options,
        )
        made = cls(llama(), arguments, train_dataset=data, processing_class=tokenizer())
        made.train()
        return made

    own = sft(trl.SFTTrainer, learning_rate=1e-3, weight_decay=0.1, warmup_steps=2)
    with no_grouping_warning():
        ours = sft(trainer(grouper.parse(text), trl.SFTTrainer))
    assert isinstance(ours, trl.SFTTrainer)
    assert type(ours).__name__ == "RulesSFTTrainer"
    assert equal(own.model, ours.model)
    assert any("lr/decay" in entry for entry in ours.state.log_history)


# --- Wrong uses


def test_arguments_that_say_otherwise_are_named_in_one_warning(tmp_path):
    def warned(**options):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            trainer(grouper.parse(DEFAULT))(
                bert(), TrainingArguments(str(tmp_path), use_cpu=True, report_to=[], **options)
            )
        return [str(w.message) for w in caught if w.category is grouper.GroupingWarning]

    assert warned() == warned(learning_rate=5e-4) == []
    (said,) = warned(
        learning_rate=1e-3,
        weight_decay=0.2,
        warmup_steps=9,
        lr_scheduler_type="cosine",
        optim="adafactor",
        adam_beta2=0.95,
    )
    assert said == (
        "the rules decide in the place of these TrainingArguments: `learning_rate`,"
        " `weight_decay`, `adam_beta2`, `optim`, `warmup_steps`, `lr_scheduler_type`"
    )


def test_two_owners_of_the_lr_are_refused(tmp_path):
    model = bert()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    arguments = TrainingArguments(str(tmp_path), use_cpu=True, report_to=[])
    with pytest.raises(ValueError, match="`optimizers` and the rules both set the lr"):
        trainer(grouper.parse(DEFAULT))(model, arguments, optimizers=(optimizer, None))
    with pytest.raises(ValueError, match="`optimizer_cls_and_kwargs` and the rules both set"):
        trainer(grouper.parse(DEFAULT))(
            model, arguments, optimizer_cls_and_kwargs=(torch.optim.SGD, {"lr": 1})
        )


class Meddles(TrainerCallback):
    def on_step_end(self, args, state, control, optimizer=None, **_):
        optimizer.param_groups[0]["lr"] = 1.0


def test_a_callback_that_sets_the_lr_is_refused_at_the_next_step(tmp_path):
    with pytest.raises(ValueError, match="something else changed the lr of the group `rest`"):
        run(trainer(grouper.parse(DEFAULT)), tmp_path, Meddles())


def test_rules_for_another_model_are_refused_before_the_first_batch(tmp_path):
    rules = grouper.parse("optimizer SGD lr=1\nbackbone.* -> backbone\nelse -> rest")
    with pytest.raises(grouper.GroupingError, match=r"`backbone\.\*` matches no parameter"):
        run(trainer(rules), tmp_path)


def test_rules_with_errors_are_refused_at_once_and_bad_arguments_in_words(tmp_path):
    with pytest.raises(grouper.GroupingError, match="syntax-error"):
        trainer(grouper.parse("optimizer"))
    with pytest.raises(FileNotFoundError):
        trainer(tmp_path / "none.rules")
    with pytest.raises(TypeError, match="second argument must be a class of Transformers' Trainer"):
        trainer(grouper.parse(DEFAULT), torch.nn.Linear)
    with pytest.raises(TypeError, match="has its variables already"):
        trainer(grouper.parse(DEFAULT), base_lr=1)


def test_the_state_of_another_kind_of_scheduler_is_refused(tmp_path):
    run(Trainer, tmp_path, StopAt(5), **OWN)
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        run(trainer(grouper.parse(DEFAULT)), tmp_path, resume=True)
    *head, rest, _, _ = DEFAULT.strip().splitlines()
    rules = "\n".join([*head, f"not ({rest.removesuffix(' -> rest')}) -> decay", "else -> rest"])
    with pytest.raises(ValueError, match="not the state of a plan's scheduler"):
        run(trainer(grouper.parse(rules)), tmp_path, resume=True)


@pytest.mark.slow
def test_a_run_that_is_not_of_whole_epochs_counts_steps(tmp_path):
    made = run(trainer(grouper.parse(DEFAULT)), tmp_path, max_steps=7)
    assert (made.plan.steps, made.plan.in_steps) == (7, True)
    made = run(trainer(grouper.parse(DEFAULT)), tmp_path, num_train_epochs=0.5)
    assert (made.plan.steps, made.plan.in_steps) == (5, True)
    rules = grouper.parse("optimizer SGD lr=0.1; warmup epochs=1; * -> all")
    assert run(trainer(rules), tmp_path).plan.warmup_steps == 10
    with pytest.raises(ValueError, match=r"count them in `warmup epochs`(.|\n)*`max_steps`"):
        run(trainer(rules), tmp_path, max_steps=7)


def test_variables_and_files(tmp_path):
    path = tmp_path / "my.rules"
    path.write_text("let base = 0.1\noptimizer SGD lr=base\n* -> all\n")
    made = run(trainer(path, base=0.01), tmp_path, max_steps=1)
    assert made.optimizer.param_groups[0]["lr"] == 0.01


def test_training_twice_goes_on_with_the_optimizer_and_a_new_plan(tmp_path):
    made = run(trainer(grouper.parse(DEFAULT)), tmp_path, max_steps=3)
    made.train()
    assert made.lr_scheduler.last_epoch == 3
