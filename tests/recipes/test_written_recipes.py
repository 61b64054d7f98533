"""47 recipes that people train with, as they are written: each is checked, and planned where it has
a plan, on a small model of its kind."""

from pathlib import Path

import pytest
from support import recipe_models as kinds

import grouper
from grouper.model.formats import snapshot
from grouper.text.findings import Severity

RECIPES = Path(__file__).parents[1] / "language" / "recipes"
OPTIMIZER = "optimizer AdamW lr=1e-3 weight_decay=0.05\n"  # where a recipe is a part of a file
EPOCHS = {"steps_per_epoch": 100, "epochs": 300}
GOES_ON = {12: "schedule cosine every=step\n"}  # what it leaves to the rest of its file

# {number: (model, its groups, what the checks remark)}; a run of its own where it needs one
KINDS = {
    1: (kinds.told(kinds.VIT, marked=("no_weight_decay", ["cls_token", "pos_embed"])), 13, ""),
    2: (kinds.told(kinds.SWIN), 7, ""),
    3: (kinds.told(kinds.CONVNEXT), 8, ""),
    4: (kinds.told(kinds.RESNET), 10, ""),
    5: (kinds.told(kinds.EFFICIENTNET), 9, ""),
    6: (kinds.told(kinds.BERT), 6, ""),
    7: (kinds.told(kinds.ULMFIT), 5, ""),
    8: (kinds.told(kinds.DINO), 3, ""),
    9: (kinds.told(kinds.DINOV3), 6, ""),
    10: (kinds.told(kinds.NANOCHAT), 4, ""),
    11: (kinds.told(kinds.LLAMA), 2, ""),
    12: (kinds.told(kinds.SAM2), 12, ""),
    13: (kinds.told(kinds.LLAMA), 2, ""),
    14: (kinds.told(kinds.LORA), 3, ""),
    15: (kinds.told(kinds.DEEPSEEK), 2, ""),
    16: (kinds.told(kinds.LLAMA), 3, ""),
    17: (kinds.told(kinds.LLAVA), 1, ""),
    18: (kinds.told(kinds.LLAVA), 6, ""),
    19: (kinds.told(kinds.MIXTRAL), 2, ""),
    20: (kinds.told(kinds.SPLATS), 6, ""),
    21: (kinds.told(kinds.RESNET), 1, ""),
    22: (kinds.told(kinds.DETR), 2, ""),
    23: (kinds.told(kinds.DEFORMABLE), 3, ""),
    24: (kinds.told(kinds.RCNN), 3, ""),
    25: (kinds.told(kinds.KOHYA), 14, ""),
    26: (kinds.told(kinds.KOHYA), 1, ""),
    27: (kinds.told(kinds.WAV2VEC), 2, ""),
    28: (kinds.told(kinds.LLAMA), 1, ""),
    29: (kinds.told(kinds.LLAMA), 1, ""),
    30: (kinds.told(kinds.LLAMA), 1, ""),
    31: (kinds.told(kinds.RESNET), 1, "GR321"),
    32: (kinds.told(kinds.VIT), 1, ""),
    33: (kinds.told(kinds.LLAMA), 1, ""),
    34: (kinds.told(kinds.LLAMA), 2, ""),
    35: (kinds.told(kinds.PLAIN), 1, ""),
    36: (kinds.told(kinds.LLAMA), 1, ""),
    37: (kinds.told(kinds.LLAMA), 2, ""),
    38: (kinds.told(kinds.DEEPSEEK), 8, "GR319"),
    39: (kinds.told(kinds.LLAMA), 7, "GR319"),
    40: (kinds.told(kinds.TEACHER), 1, "GR116"),
    41: (kinds.told(kinds.YOLO), 3, "GR316"),
    42: (kinds.told(kinds.PROBE), 2, "GR316"),
    43: (kinds.told(kinds.T5, shared=("shared.weight", "lm_head.weight")), 3, ""),
    44: (kinds.told(kinds.ALBERT), 2, ""),
    45: (kinds.told(kinds.MAMBA, marked=("_no_weight_decay", ["A_log", ".D"])), 2, ""),
    46: (kinds.told(kinds.STAGES), 3, ""),
    47: (kinds.told(kinds.CLIP), 3, ""),
}


def text_of(number):
    (path,) = RECIPES.glob(f"{number:02}-*.rules")
    return path.read_text("utf-8")


def test_every_recipe_has_a_model_of_its_kind():
    assert {int(path.name[:2]) for path in RECIPES.glob("*.rules")} == KINDS.keys()


@pytest.mark.parametrize("number", KINDS)
def test_a_recipe(number, tmp_path, recwarn):
    model, groups, remarks = KINDS[number]
    text = text_of(number)
    text = text if "\noptimizer" in text else f"{OPTIMIZER}{GOES_ON.get(number, '')}{text}"
    small = kinds.told(kinds.LLAMA.replace("8x8", "4x4").replace("x8", "x4"))
    (tmp_path / "small.json").write_text(snapshot.dumps(small), "utf-8")
    (tmp_path / "recipe.rules").write_text(text, "utf-8")
    report = grouper.check(model, grouper.load(tmp_path / "recipe.rules"))
    found = sorted({finding.code.id for finding in report.findings})
    assert " ".join(found) == remarks, [f"{f.code.id} {f.message}" for f in report.findings]
    assert report.ok
    assert len(report.grouping.groups) == groups, [g.name for g in report.grouping.groups]
    trained = sum(len(group.parameters) for group in report.grouping.groups)
    assert trained + len(report.grouping.frozen) == len(model.parameters)
    plan = grouper.plan(model, report, **EPOCHS)
    assert not [f for f in plan.findings if f.severity is Severity.ERROR]
    curves = plan.over(range(0, plan.steps, 97))
    assert all(value >= 0 for curve in curves.values() for line in curve.values() for value in line)
