"""The findings of reading model files: notes, and errors that end it, with exit status 2."""

from __future__ import annotations

from grouper.text.findings import Code, Severity

NOT_A_MODEL = Code(
    "GR401",
    "not-a-model",
    Severity.ERROR,
    """The file is not of a format that grouper reads, or holds no model.

grouper recognises files by their content: files of `torch.save`, `torch.jit.save` and
`torch.export.save`, safetensors, folders of Hugging Face's libraries, of
`torch.distributed.checkpoint` and of DeepSpeed, and snapshots of
`grouper params MODEL --save FILE.json`.
""",
)
BROKEN = Code(
    "GR402",
    "broken-file",
    Severity.ERROR,
    """The file begins like a model file, but is cut short or damaged.

Download or copy it again. grouper reads the directory and the description of the tensors, never the
tensors themselves: the rest of a file that it reads may still be damaged.
""",
)
OVER_LIMIT = Code(
    "GR403",
    "over-a-limit",
    Severity.ERROR,
    """Reading the file would take more time or memory than any real model needs.

Files are untrusted input: nesting, counts and sizes have limits, far above those of real
checkpoints, so that no file can exhaust the machine.
""",
)
UNSUPPORTED = Code(
    "GR404",
    "unsupported-format",
    Severity.ERROR,
    """The file's format is recognised but not supported; the message says what to do.""",
)
NO_SUCH_KEY = Code(
    "GR405",
    "no-such-key",
    Severity.ERROR,
    """`--key` names a part of the checkpoint that does not exist or holds no model.

    grouper check last.pt my.rules --key ema
""",
)

NOT_INSTALLED = Code(
    "GR406",
    "not-installed",
    Severity.ERROR,
    """Reading the model needs a package that is not installed; the message says which.

Model files are read with nothing but grouper. Remote files (`https://`, `s3://`, `hf://`) need
fsspec and the package of their protocol; models that are built (`timm:NAME`, `pkg.module:factory`)
need torch and the library that builds them.
""",
)
UNREACHABLE = Code(
    "GR407",
    "unreachable",
    Severity.ERROR,
    """A remote file does not exist, may not be read, or its server does not answer.

grouper fetches the parts of a file that describe the model, never the whole file.
""",
)
NOT_BUILT = Code(
    "GR408",
    "not-built",
    Severity.ERROR,
    """The code that should build the model does not exist, fails, or does not return a model.

    grouper check my_project.models:build my.rules

imports `my_project.models` and calls `build()` without arguments, on torch's meta device, where
tensors have no data. It must return an `nn.Module`. Unlike reading a file, this runs code.
""",
)

SEVERAL_MODELS = Code(
    "GR409",
    "several-models",
    Severity.NOTE,
    """The checkpoint holds several models that differ, and `--key` does not choose one.

Training programs save a model beside its running average, or a generator beside its discriminator.
There is no note if all have parameters of the same names and shapes. If they differ, grouper uses
the one nearest the top, `ema` first like Ultralytics; the note lists the others.

    grouper check last.pt my.rules             # uses `netG`, and the note lists `netD`
    grouper check last.pt my.rules --key netD
""",
)

NO_OPTIMIZER = Code(
    "GR410",
    "no-optimizer",
    Severity.ERROR,
    """The checkpoint has no optimizer state to audit.

YOLOv5 and Ultralytics save the optimizer during a run, and replace it with None at the end.
transformers and Accelerate save it in a file beside the model: give their folder.

    grouper audit runs/train/exp/weights/best.pt      # bad: the run has ended
    grouper audit runs/train/exp/weights/epoch40.pt   # good
    grouper audit out/checkpoint-500                  # good: a folder
""",
)

FLATTENED = Code(
    "GR502",
    "flattened-parameters",
    Severity.ERROR,
    """FullyShardedDataParallel flattened many parameters into one, so rules cannot select them.

torch's older way to shard a model joins the parameters of a module into one, without their names
and shapes. Its successor keeps them:

    from torch.distributed.fsdp import fully_shard
    fully_shard(model)

`FullyShardedDataParallel(model, use_orig_params=True)` keeps them, too.
""",
)

FAILED_LIST = Code(
    "GR411",
    "failed-list",
    Severity.ERROR,
    """A module's method that `has` calls for names of parameters raises an exception.

`has no_weight_decay` calls the method `no_weight_decay()` of each module that has one, once and
without arguments, and uses the names that it returns.

    class Encoder(nn.Module):
        def no_weight_decay(self):          # good: names below this module
            return {"pos_embed", "cls_token"}
""",
)

BASE_MODEL = Code(
    "GR412",
    "no-base-model",
    Severity.ERROR,
    """The file of a `base_model` statement does not exist or holds no model.

Its path is relative to the rules file. A snapshot is small enough to be kept beside it:

    grouper params small.pt --save small.json

    base_model "small.json"
    ndim == 2 -> hidden lr*=base_model.fan_in / fan_in
""",
)

ALL = (
    BASE_MODEL,
    FAILED_LIST,
    NOT_A_MODEL,
    BROKEN,
    OVER_LIMIT,
    UNSUPPORTED,
    NO_SUCH_KEY,
    NOT_INSTALLED,
    UNREACHABLE,
    NOT_BUILT,
    NO_OPTIMIZER,
    SEVERAL_MODELS,
    FLATTENED,
)
