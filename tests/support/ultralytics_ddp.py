"""Runs the file that Ultralytics writes for each process of a multi-GPU run, on CPUs.

Ultralytics launches processes for GPUs alone. All that is changed here is that: the processes talk
by gloo, and nothing is put on a device. What each process came to is left in a folder.

    python -m torch.distributed.run --nproc_per_node 2 ultralytics_on_gloo.py FILE FOLDER
"""

import importlib
import os
import runpy
import sys
from pathlib import Path

import torch
from support.torchvision_stub import mend
from torch import distributed

os.environ["YOLO_OFFLINE"] = "true"
mend()
engine = importlib.import_module("ultralytics.engine.trainer")
FILE, FOLDER = sys.argv[1:]
RATES = []
start, step = engine.BaseTrainer.__init__, engine.BaseTrainer.optimizer_step
parallel = torch.nn.parallel.DistributedDataParallel
wrap = parallel.__init__


def start_as_one_of_two(self, *arguments, **named):
    start(self, *arguments, **named)
    self.world_size = int(os.environ["WORLD_SIZE"])


def without_devices(self, model, device_ids, **named):
    wrap(self, model, **named)


def step_and_record(self):
    RATES.append([group["lr"] for group in self.optimizer.param_groups])
    step(self)


def leave_results(self):
    weights = {n: t.detach().clone() for n, t in self.model.module.state_dict().items()}
    groups = [group.get("name") for group in self.optimizer.param_groups]
    made = {"weights": weights, "rates": RATES, "groups": groups, "trainer": type(self).__name__}
    torch.save(made, Path(FOLDER) / f"{os.environ['RANK']}.pt")


engine.BaseTrainer.__init__ = start_as_one_of_two
engine.BaseTrainer.optimizer_step = step_and_record
engine.BaseTrainer.final_eval = leave_results
engine.BaseTrainer._setup_ddp = lambda self: distributed.init_process_group("gloo")
parallel.__init__ = without_devices
try:
    runpy.run_path(FILE, run_name="__main__")
finally:
    if distributed.is_initialized():
        distributed.destroy_process_group()
