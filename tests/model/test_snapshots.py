"""Snapshots: whatever grouper writes it reads, and what it could not read it does not write."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouper.cli.main import main
from grouper.model.errors import ModelError
from grouper.model.formats import snapshot, snapshot_rows
from grouper.model.inventory import Inventory, Module, Parameter
from grouper.model.marks import Marks
from grouper.model.read import read

NAMES = st.text(min_size=1, max_size=12).filter(lambda name: name.count(".") < 100)
MAYBE = st.sampled_from([None, True, False])


@st.composite
def inventories(draw):
    names = draw(st.lists(NAMES, min_size=1, max_size=8, unique=True))
    parameters = []
    while names:
        own = tuple(names.pop() for _ in range(min(len(names), draw(st.integers(1, 3)))))
        shape = draw(st.none() | st.lists(st.integers(0, 2**40), max_size=5).map(tuple))
        dtype = draw(st.sampled_from([None, "float32", "bfloat16"]))
        stored = draw(st.just(own[0]) | NAMES)
        unsure = draw(st.booleans())
        parameters.append(Parameter(own, shape, dtype, draw(MAYBE), stored, unsure, unsure))
    modules = {
        path: Module(path, draw(NAMES), draw(st.none() | st.just(("a.B", "c.D"))), True)
        for path in draw(st.lists(NAMES | st.just(""), max_size=4, unique=True))
    }
    marked = frozenset(draw(st.sampled_from(parameters)).names)
    marks = Marks({"no_weight_decay": marked, "other": frozenset()}, ("no_",))
    return Inventory(
        tuple(parameters),
        draw(st.none() | st.just(modules)),
        kind=draw(NAMES),
        key=draw(st.none() | NAMES),
        order=draw(st.sampled_from(["module", "sorted"])),
        buffers=tuple(draw(st.lists(NAMES, max_size=3))),
        remarks=tuple(draw(st.lists(NAMES, max_size=2))),
        marks=draw(st.none() | st.just(marks)),
    )


@settings(max_examples=150, deadline=None)
@given(inventory=inventories())
def test_what_is_written_is_read(inventory, tmp_path_factory):
    """As it stands, and as programs that read JSON write it again."""
    written = snapshot.dumps(inventory)
    folder = tmp_path_factory.mktemp("snapshot")
    for name, text in {
        "own": written,
        "crlf": written.replace("\n", "\r\n"),
        "lines": json.dumps(json.loads(written), indent=1),
        "line": json.dumps(json.loads(written)),
    }.items():
        path = folder / name
        path.write_bytes(text.encode())
        again = read(str(path))
        assert replace(again, path=inventory.path) == inventory, name
        assert (again.remarks, again.marks) == (inventory.remarks, inventory.marks), name
        assert snapshot.dumps(again) == written
        assert snapshot.loads(text, inventory.path) == inventory


def large(count):
    names = [f"layers.{i // 8}.part{i % 8}.weight" for i in range(count)]
    parameters = tuple(Parameter((n,), (4, 4), "float32", True, n) for n in names)
    modules = {n[:-7]: Module(n[:-7], "torch.nn.Linear", ("torch.nn.Module",)) for n in names}
    return Inventory(parameters, modules)


@pytest.mark.slow
def test_a_large_model(tmp_path):
    inventory = large(250_000)
    (tmp_path / "large.json").write_text(snapshot.dumps(inventory))
    assert replace(read(str(tmp_path / "large.json")), path=inventory.path) == inventory


@pytest.mark.parametrize(
    "inventory",
    [
        large(501),
        Inventory((Parameter(("a" * 1001,), None, None, None, "a"),)),
        Inventory((Parameter(("a",), None, None, None, "a" * 1001),)),
        Inventory((), {"": Module("", "c" * 1001)}),
        Inventory((), buffers=("b",) * 1001),
    ],
    ids=["rows", "a name", "a stored name", "a class", "buffers"],
)
def test_what_could_not_be_read_is_not_written(inventory, monkeypatch):
    monkeypatch.setattr(snapshot, "MAX_ROWS", 1_000)
    with pytest.raises(ModelError) as caught:
        snapshot.dumps(inventory)
    assert caught.value.finding.code.id == "GR403"


def test_more_rows_than_the_limit_are_not_read(monkeypatch):
    written = snapshot.dumps(large(501))
    monkeypatch.setattr(snapshot_rows, "MAX_ROWS", 1_000)
    with pytest.raises(ModelError) as caught:
        snapshot.loads(written)
    assert caught.value.finding.code.id == "GR403"


@pytest.mark.parametrize("rows", [1, 255, 256, 257, 1000])
def test_blocks_of_rows_are_rows(rows):
    """Some too long for a block among them."""
    inventory = large(rows)
    long = Parameter(("b",) + ("x" * 900,) * 30, (1,), None, None, "b")
    mixed = replace(inventory, parameters=(*inventory.parameters, long, *large(3).parameters))
    assert snapshot.loads(snapshot.dumps(mixed), mixed.path) == mixed


@pytest.mark.slow
def test_a_state_dict_of_a_hundred_thousand_tensors(tmp_path, capsys):
    torch = pytest.importorskip("torch")
    count = 100_000
    one = torch.zeros(1, 1, 1, 1)
    state = {f"layers.{i // 8}.part{i % 8}.weight": one.clone() for i in range(count)}
    saved, kept = tmp_path / "state.pt", tmp_path / "kept.json"
    torch.save(state, saved)
    rules = tmp_path / "all.rules"
    rules.write_text("* -> all lr=0.1\n")
    assert main(["params", str(saved), "--save", str(kept)]) == 0
    for model in (saved, kept):
        assert main(["check", str(model), str(rules)]) == 0
        assert "100,000" in capsys.readouterr().out
