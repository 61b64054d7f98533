"""Selectors for kinds of torch's modules, by class as `isinstance` sees them."""

from __future__ import annotations

from grouper.language.syntax import tree
from grouper.model.inventory import Inventory, Module


def classes(*names: str, package: str = "torch.nn") -> tree.ClassName:
    """`@torch.nn.{LayerNorm,GroupNorm}`: these classes, and those that derive from them."""
    first = tree.Text(f"{package}." if package else "")
    if len(names) == 1:
        return tree.ClassName(tree.Glob((tree.Text(f"{first.text}{names[0]}"),)))
    options = tuple(tree.Glob((tree.Text(name),)) for name in names)
    inside: tuple[tree.Piece, ...] = (tree.Alternatives(options),)
    return tree.ClassName(tree.Glob((first, *inside) if first.text else inside))


def both(*selectors: tree.Selector) -> tree.Selector:
    """`A and B and C`."""
    return selectors[0] if len(selectors) == 1 else tree.And(selectors)


NORM = classes("_BatchNorm", "_InstanceNorm", "GroupNorm", "LayerNorm")
CONV_2D = classes("Conv2d")
DEFORMABLE = classes("DeformConv2d", "ModulatedDeformConv2d", package="")
VECTOR = tree.Comparison(tree.Word("ndim"), "==", tree.Number(1))


def is_a(module: Module, *names: str) -> bool:
    """Whether a module has one of these classes, or derives from it."""
    return any(cls.rpartition(".")[2] in names for cls in (module.cls, *(module.bases or ())))


def exact_class(name: str, inventory: Inventory | None) -> tuple[tree.Selector, bool]:
    """`@torch.nn.LayerNorm` without what derives from it, and whether there is such a thing: where
    no model is known, there may be."""
    text = name.replace("torch.nn.modules.", "torch.nn.") if name.startswith("torch.nn.") else name
    package, _, last = text.rpartition(".")
    if package.startswith("torch.nn."):
        text = f"torch.nn.{last}"
    selector = tree.ClassName(tree.Glob((tree.Text(text),)))
    if inventory is None:
        return selector, True
    own = (name, text, f"torch.nn.modules.{last}")
    derived: dict[str, None] = {}
    for module in (inventory.modules or {}).values():
        public = f"torch.nn.{last}" if module.cls.startswith("torch.nn.modules.") else module.cls
        same = module.cls.rpartition(".")[2] == last and public in own
        if not same and any(base.rpartition(".")[2] == last for base in module.bases or ()):
            derived[module.cls] = None
    without = (tree.Not(tree.ClassName(tree.Glob((tree.Text(cls),)))) for cls in derived)
    return (both(selector, *without), True) if derived else (selector, False)
