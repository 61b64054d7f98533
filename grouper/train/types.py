"""torch's types, for the signatures of rooms that do not import torch."""

from torch.nn import Module as Module
from torch.optim import Optimizer as Optimizer
from torch.optim.lr_scheduler import LRScheduler as LRScheduler
