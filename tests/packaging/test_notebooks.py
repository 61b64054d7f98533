"""The page on notebooks, executed as one."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "notebooks.md").read_text("utf-8")
NEEDED = ("nbclient", "nbformat", "ipykernel", "matplotlib")
MISSING = [name for name in NEEDED if find_spec(name) is None]


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """The outputs of the page's code, cell by cell, in a kernel of its own."""
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)}")
    import nbformat
    from nbclient import NotebookClient

    folder = tmp_path_factory.mktemp("notebook")
    for name in ("examples", "rules"):
        (folder / name).symlink_to(ROOT / name)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    path = f"import sys; sys.path.insert(0, {str(ROOT)!r})"
    code = [path, *blocks, "report.grouping", "rules", "print(report)", "[report, plan]"]
    code.append("print(grouper.GroupingError(faulty))")
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, code)))
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}})
    client.execute()
    nbformat.validate(notebook)
    nbformat.write(notebook, folder / "executed.ipynb")
    assert (folder / "plan.svg").read_text("utf-8").startswith("<?xml")
    return [cell.outputs for cell in notebook.cells[1:]]


def data(outputs):
    (output,) = outputs
    return output["data"]


def test_values_are_shown_by_a_kernel(cells):
    report, plan, picture, finding, grouping, rules, printed, listed, error = cells
    assert "<td" in data(report)["text/html"]
    assert "ok: 5 groups" in data(report)["text/html"]
    assert data(report)["text/plain"].startswith("<Report rules/yolo-finetune.rules on ")
    assert "data:image/svg+xml;base64," in data(plan)["text/html"]
    assert data(plan)["text/plain"] == "<Plan 5 groups, 1500 steps (30 epochs of 50)>"
    assert "<svg" in data(picture)["image/svg+xml"]
    assert "unmatched-parameter" in data(finding)["text/html"]
    assert "head/bias" in data(grouping)["text/html"]
    assert "split part" in data(rules)["text/html"]
    assert printed[0]["text"].endswith("ok: 5 groups\n")  # and no display beside it, as rich does
    assert error[0]["text"].startswith("examples/yolov5s.pt (pickled model")
    assert len(printed) == len(error) == 1
    assert len(data(listed)["text/plain"].splitlines()) == 2


def test_the_lines_of_the_page_are_true():
    import grouper

    report = grouper.check("examples/yolov5s.pt", "yolo-finetune", key="model")
    plan = grouper.plan("examples/yolov5s.pt", report, steps_per_epoch=50, epochs=30)
    for value in (report, plan, report.inventory):
        shown = repr(value).replace(report.rules.path, "my.rules")
        assert shown.replace("examples/yolov5s.pt", "model.pt") in PAGE
