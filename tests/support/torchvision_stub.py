"""Lets torchvision be imported beside a CPU torch that its compiled operators do not fit."""

import torch


def define_operators() -> None:
    """Declare the operators that torchvision expects to be there; call before importing it."""
    global _library
    if not hasattr(torch.ops.torchvision, "nms"):
        _library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            _library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def mend() -> None:
    """And have Ultralytics' own suppression of overlaps, where torchvision's is not to be had."""
    define_operators()
    import torchvision
    from ultralytics.utils.nms import TorchNMS

    if not torchvision.extension._has_ops():
        torchvision.ops.nms = TorchNMS.nms
