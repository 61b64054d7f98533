"""vim, opened without a screen: it takes rules files for ours, and colours them."""

import shutil
import subprocess

import pytest
from editor.corpus import RIGHT, ROOT

pytestmark = pytest.mark.skipif(shutil.which("vim") is None, reason="needs vim")

ASKED = """\
let v:errmsg = ''
redir! > OUT
silent echo 'filetype=' . &filetype . ' syntax=' . get(b:, 'current_syntax', '')
for s:row in range(1, line('$'))
  for s:column in range(1, col([s:row, '$']) - 1)
    silent echo s:row . ' ' . s:column . ' ' . synIDattr(synID(s:row, s:column, 1), 'name')
  endfor
endfor
silent echo 'errors=' . v:errmsg
redir END
qall!
"""


def opened(path, tmp_path):
    """What vim says of a file: its type, and the group of each character."""
    out, script = tmp_path / "out", tmp_path / "script.vim"
    script.write_text(ASKED.replace("OUT", str(out)))
    subprocess.run(
        ["vim", "-N", "-u", "NONE", "-i", "NONE", "-n", "-es", "--not-a-term"]
        + ["--cmd", f"set runtimepath^={ROOT / 'editors' / 'vim'} encoding=utf-8"]
        + ["-c", "filetype plugin indent on", "-c", "syntax on", "-c", f"edit {path}"]
        + ["-c", f"source {script}"],
        timeout=120, check=False, capture_output=True,
    )  # fmt: skip
    first, *rest = out.read_text("utf-8").strip().splitlines()
    rows = [line.split(" ") for line in rest[:-1]]
    assert rest[-1] == "errors="
    return first, {(int(row), int(column)): group for row, column, group in rows}


@pytest.mark.parametrize("name", sorted(RIGHT)[::6])
def test_it_has_our_filetype_and_words(name, tmp_path):
    path = tmp_path / name
    path.write_text(RIGHT[name], "utf-8")
    first, groups = opened(path, tmp_path)
    assert first == "filetype=grouper syntax=grouper"
    assert "grouperComment" in groups.values()


def test_colours(tmp_path):
    lines = [
        "let base = 0.1  # lr",
        'for "model.pt"',
        "optimizer SGD lr=base nesterov=true",
        "split kind {",
        "    in @Detect and ndim >= 2 -> head{i} lr*=max(i) weight_decay=5e-4",
        "    else not /bias/ where i < 2 -> freeze",
        "}",
        'in.weight -> "a label" lr=1',
    ]
    path = tmp_path / "a.rules"
    path.write_text("\n".join(lines) + "\n")
    _, groups = opened(path, tmp_path)

    def group(word, row):
        return groups[row, lines[row - 1].index(word) + 1]

    expected = {
        (1, "let"): "Statement", (1, "base"): "Name", (1, "0.1"): "Number", (1, "# lr"): "Comment",
        (2, "for"): "Statement", (2, '"model'): "String", (3, "optimizer"): "Statement",
        (3, "lr"): "Key", (3, "base"): "Value", (3, "true"): "Constant", (4, "split"): "Statement",
        (5, "in"): "Word", (5, "@Detect"): "Class", (5, "ndim"): "Fact", (5, "->"): "Arrow",
        (5, "head"): "Label", (5, "max"): "Function", (5, "5e-4"): "Number", (6, "else"): "Word",
        (6, "/bias/"): "Regex", (6, "where"): "Word", (6, "freeze"): "Word",
        (8, "in.weight"): "Glob", (8, '"a'): "String",
    }  # fmt: skip
    found = {place: group(place[1], place[0]) for place in expected}
    assert found == {place: f"grouper{name}" for place, name in expected.items()}
