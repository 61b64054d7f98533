"""grouper: parameter groups for PyTorch optimizers, from rules that can be read and checked."""

__version__ = "0.1.0"
