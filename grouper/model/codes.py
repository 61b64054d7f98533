"""The findings of reading model files: notes, and errors that end it, with exit status 2."""

from __future__ import annotations

from grouper.text.findings import Code, Severity

NOT_A_MODEL = Code(
    "GR401",
    "not-a-model",
    Severity.ERROR,
    """grouper does not read this kind of file, or it holds no model.

grouper recognises files by their content: what `torch.save`, `torch.jit.save` and
`torch.export.save` write, safetensors, folders of Hugging Face's libraries, of
`torch.distributed.checkpoint` and of DeepSpeed, and snapshots that
`grouper params MODEL --save FILE.json` wrote.
""",
)
BROKEN = Code(
    "GR402",
    "broken-file",
    Severity.ERROR,
    """The file begins like a model file and then is not one: it is cut short, or damaged.

Download or copy it again. grouper reads the directory and the description of the tensors, never the
tensors: it does not vouch for the rest of a file that it reads.
""",
)
OVER_LIMIT = Code(
    "GR403",
    "over-a-limit",
    Severity.ERROR,
    """Reading the file would take more time or memory than any real model needs.

Files are read as strangers' input: nesting, counts and sizes have limits, far above those of
real checkpoints, so that no file can use up the machine.
""",
)
UNSUPPORTED = Code(
    "GR404",
    "unsupported-format",
    Severity.ERROR,
    """The file is of a kind that is recognised and not read; the message says what to do.""",
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

grouper asks for the parts of a file that describe the model, never for the whole file.
""",
)
NOT_BUILT = Code(
    "GR408",
    "not-built",
    Severity.ERROR,
    """A model was to be built by code, and that code does not exist, fails, or gives no model.

    grouper check my_project.models:build my.rules

imports `my_project.models` and calls `build()` without arguments, on torch's meta device, where
tensors have no content. It must give an `nn.Module`. Unlike reading a file, this runs code.
""",
)

SEVERAL_MODELS = Code(
    "GR409",
    "several-models",
    Severity.NOTE,
    """The checkpoint holds several models that differ, and `--key` does not say which is meant.

Training programs save a model beside its running average, or a generator beside its discriminator.
Where all have parameters of the same names and shapes, nothing is said. Where they differ, the one
nearest the top is taken, `ema` first as Ultralytics takes it; the note lists the others.

    grouper check last.pt my.rules             # takes `netG`, and says that there is `netD`
    grouper check last.pt my.rules --key netD
""",
)

NO_OPTIMIZER = Code(
    "GR410",
    "no-optimizer",
    Severity.ERROR,
    """The checkpoint has no optimizer's state to audit.

YOLOv5 and Ultralytics save the optimizer while a run goes on, and put None in its place when it has
ended. transformers and Accelerate save it in a file beside the model: give their folder.

    grouper audit runs/train/exp/weights/best.pt      # bad: the run has ended
    grouper audit runs/train/exp/weights/epoch40.pt   # good
    grouper audit out/checkpoint-500                  # good: a folder
""",
)

FLATTENED = Code(
    "GR502",
    "flattened-parameters",
    Severity.ERROR,
    """FullyShardedDataParallel has made one flat parameter of many, which no rule can tell apart.

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
    """A module's method that `has` asks for names of parameters fails.

`has no_weight_decay` calls the method `no_weight_decay()` of each module that has one, once and
without arguments, and takes the names that it gives.

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

Its path is relative to the rules file. A snapshot is small enough to lie beside it:

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
