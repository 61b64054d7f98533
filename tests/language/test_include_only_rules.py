"""An `include` reads rules and nothing else: reports quote lines of what they read."""

import time

import pytest

import grouper


@pytest.mark.parametrize("name", ["secret.env", "link.rules", "secret"])
def test_no_other_file_is_read(name, tmp_path):
    for secret in ("secret.env", "secret"):
        (tmp_path / secret).write_text("SECRET_TOKEN=hunter2")
    (tmp_path / "link.rules").symlink_to(tmp_path / "secret.env")
    (tmp_path / "own.rules").write_text(f'include "{name}"\n* -> all lr=1\n')
    (finding,) = grouper.load(tmp_path / "own.rules").findings
    assert finding.code.id == "GR020"
    assert "hunter2" not in repr(finding)
    assert "end in `.rules`" in finding.message


@pytest.mark.parametrize("name", ["/proc/self/environ", "/dev/stdin", "/proc/self/fd/0"])
def test_nothing_of_the_process_is_read(name, monkeypatch, tmp_path):
    monkeypatch.setenv("TOKEN", "hunter2")
    (finding,) = grouper.parse(f'include "{name}"\n* -> all lr=1\n').findings
    assert finding.code.id == "GR020"
    assert "hunter2" not in repr(finding)
    (tmp_path / "fd.rules").symlink_to(name)
    (finding,) = grouper.parse(f'include "{tmp_path}/fd.rules"\n* -> all lr=1\n').findings
    assert finding.code.id == "GR020"


def test_files_with_thousands_of_unknown_words_take_seconds():
    text = "\n".join(f"let variable_{i}=1" for i in range(1500))
    text += "\n" + "\n".join(f"a{i} -> b lr=variablx_{i}" for i in range(1500))
    start = time.process_time()
    assert len(grouper.parse(text).findings) >= 1500
    assert time.process_time() - start < 15
