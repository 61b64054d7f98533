"""Inventories and rule sets for tests, and strategies to generate them."""

from __future__ import annotations

from hypothesis import strategies as st
from support.passes import assign

from grouper.group.form_groups import form_groups as group
from grouper.language.resolve.resolve import resolve
from grouper.model.inventory import Inventory, Module, Parameter
from grouper.model.marks import Marks
from grouper.text.source import Source

NN = "torch.nn.modules"
BASE = f"{NN}.module.Module"
CONV = Module("", f"{NN}.conv.Conv2d", (f"{NN}.conv._ConvNd", BASE))
NORM = Module("", f"{NN}.batchnorm.BatchNorm2d", (f"{NN}.batchnorm._NormBase", BASE))
LINEAR = Module("", f"{NN}.linear.Linear", (BASE,))
DETECT = Module("", "models.yolo.Detect", (BASE,))
PLAIN = Module("", f"{NN}.container.Sequential", (BASE,))
UNKNOWN = Module("", "my.model.Block", None)


def parameter(name, shape=(4, 3), **facts):
    names = (name,) if isinstance(name, str) else tuple(name)
    given = {"dtype": "float32", "trainable": True, "stored": names[0], **facts}
    return Parameter(names, shape, **given)


def inventory(*parameters, classes=None, **facts):
    """An inventory of parameters (or names), whose modules have the classes given by path."""
    made = tuple(p if isinstance(p, Parameter) else parameter(p) for p in parameters)
    paths = {""}
    for one in made:
        for name in one.names:
            parts = name.split(".")[:-1]
            paths |= {".".join(parts[: i + 1]) for i in range(len(parts))}
    known = classes or {}
    modules = {
        path: Module(path, known.get(path, PLAIN).cls, known.get(path, PLAIN).bases)
        for path in sorted(paths)
    }
    return Inventory(made, modules, **facts)


def small_yolo():
    """A YOLO in miniature: one body block, and a head that is a `Detect`."""
    return inventory(
        parameter("model.0.conv.weight", (8, 3, 3, 3)),
        parameter("model.0.bn.weight", (8,)),
        parameter("model.0.bn.bias", (8,)),
        parameter("model.24.m.0.weight", (255, 8, 1, 1)),
        parameter("model.24.m.0.bias", (255,)),
        classes={
            "model.0.conv": CONV,
            "model.0.bn": NORM,
            "model.24": DETECT,
            "model.24.m.0": CONV,
        },
        path="small.pt",
        kind="pickled model",
    )


def rules(text, **variables):
    """A rule set without errors."""
    made = resolve(Source(text, "test.rules"), variables)
    assert not made.findings, [finding.message for finding in made.findings]
    return made


def grouped(text, model, **variables):
    """The grouping, as {group name: [parameter names]}, and the assignment."""
    assignment, findings = assign(rules(text, **variables), model)
    assert not findings, [finding.message for finding in findings]
    grouping = group(assignment)
    return {g.name: [p.name for p in g.parameters] for g in grouping.groups}, assignment


SEGMENTS = st.sampled_from(
    ["model", "layers", "conv", "conv1", "bn", "0", "1", "2", "10", "weight", "bias", "a1", "b"]
)
NAMES = st.lists(SEGMENTS, min_size=1, max_size=4).map(".".join)


@st.composite
def models(draw):
    """Models of a few parameters, some tied, some frozen, with classes."""
    names = draw(st.lists(NAMES, min_size=1, max_size=8, unique=True))
    tie = draw(st.booleans()) and len(names) > 2
    shapes = st.sampled_from([(4,), (4, 3), (8, 4, 3, 3), ()])
    made = []
    groups = [tuple(names[:2]), *[(n,) for n in names[2:]]] if tie else [(n,) for n in names]
    for group_names in groups:
        facts = {"trainable": draw(st.sampled_from([True, True, True, False]))}
        made.append(parameter(group_names, draw(shapes), **facts))
    paths = {n.rpartition(".")[0] for n in names}
    classes = {p: draw(st.sampled_from([CONV, NORM, LINEAR, PLAIN])) for p in sorted(paths)}
    marked = frozenset(draw(st.sets(st.sampled_from(names), max_size=2)))
    return inventory(*made, classes=classes, marks=Marks({"plain": marked}))


GLOBS = st.lists(
    st.sampled_from(
        ["*", "?", ".", "model", "conv", "weight", "bias", "0", "{0..9}", "{a,b}", "{conv,bn}"]
        + ["[a-c]", "[!0]", "{1..2}", "{weight,bias}", "{a*,bn.?}", "1", "layers"]
    ),
    min_size=1,
    max_size=5,
).map("".join)
ATOMS = st.one_of(
    GLOBS,
    st.sampled_from(
        ["@Conv2d", "@*Norm*", "@torch.nn.Linear", "in model", "in @*Norm*", "in model.0", "tied"]
        + ["in *.{i}", "layers.{i}.*", "has plain", "*{i:0..5}*"]
        + ["ndim == 1", "ndim >= 2", "numel > 10", "shape[0] == 8", "trainable", "dtype == float32"]
        + ["/weight$/", '"model.weight"', "/\\.\\d+\\./"]
    ),
)
SELECTORS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map(lambda s: f"not ({s})"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]}) and ({p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]}) or ({p[1]})"),
    ),
    max_leaves=4,
)
OPTIONS = st.sampled_from(
    ["lr=0.1", "lr=0.2", "lr*=0.5", "lr*=3", "weight_decay=0", "weight_decay=0.01", "freeze"]
    + ["warmup_start=0.1", "momentum=0.9", "lr=0.1 weight_decay=0", "lr*=0.1 warmup_start=0.2"]
)
LABELS = st.sampled_from(["", "head", "body", "norm"])
RULES = st.builds(lambda s, label, o: f"{s} -> {label} {o}", SELECTORS, LABELS, OPTIONS)
