"""The parameters of a model as a table or a tree."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from grouper.match.classes import owner_path
from grouper.model.inventory import Inventory, Module, Parameter
from grouper.reports.output import Output
from grouper.text.printable import visible

HEAD = ("parameter", "shape", "dtype", "class", "")


def render_table(inventory: Inventory, output: Output) -> str | Iterator[str]:
    """A table on a terminal; elsewhere a line for each parameter, with tabs between cells."""
    if not output.terminal:
        return ("\t".join(cells) + "\n" for cells in rows_of(inventory))
    return output.printed(lambda out: print_table(inventory, out))


def render_tree(inventory: Inventory, output: Output) -> str:
    return output.printed(lambda out: print_tree(inventory, out))


def print_table(inventory: Inventory, out: Console) -> None:
    """Prints a line for each parameter: name, shape, dtype, and the class of its module."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in HEAD:
        table.add_column(name, overflow="fold")
    for *cells, frozen in rows_of(inventory):
        table.add_row(*map(Text, cells), Text(frozen, "dim"))
    out.print(table)


def rows_of(inventory: Inventory) -> Iterator[tuple[str, ...]]:
    """Name, shape, dtype, class, and `frozen` or an empty string, for each parameter."""
    for parameter in inventory.parameters:
        yield (
            visible(" = ".join(parameter.names)),
            _shape(parameter),
            visible(parameter.dtype or "?"),
            visible(_class(parameter, inventory)),
            "frozen" if parameter.trainable is False else "",
        )


def print_tree(inventory: Inventory, out: Console) -> None:
    """Prints the modules as a tree with the parameters as leaves."""
    root = Tree(Text(visible(inventory.path), "bold"))
    branches = {"": root}
    for parameter in inventory.parameters:
        *path, leaf = parameter.name.split(".")
        for i in range(len(path)):
            here, above = ".".join(path[: i + 1]), ".".join(path[:i])
            if here not in branches:
                module = (inventory.modules or {}).get(here)
                cls = f" {visible(_short(module))}" if module and module.cls else ""
                text = Text.assemble((visible(path[i]), "bold"), (cls, "cyan"))
                branches[here] = branches[above].add(text)
        facts = f" {_shape(parameter)} {visible(parameter.dtype or '?')}"
        branches[".".join(path)].add(Text.assemble(visible(leaf), (facts, "dim")))
    out.print(root)


def _shape(parameter: Parameter) -> str:
    if parameter.shape is None:
        return "?"
    return "x".join(map(str, parameter.shape)) or "scalar"


def _class(parameter: Parameter, inventory: Inventory) -> str:
    module = (inventory.modules or {}).get(owner_path(parameter.name, inventory.modules))
    return _short(module) if module else ""


def _short(module: Module) -> str:
    name = module.cls.rpartition(".")[2]
    return f"{name} (inferred)" if module.inferred and name else name
