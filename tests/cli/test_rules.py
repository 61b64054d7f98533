"""`grouper rules`: what is shipped, found by name."""

from pathlib import Path

from grouper.cli.main import main

RULES = Path(__file__).parents[2] / "rules"


def test_it_lists_prints_and_suggests(capsys):
    assert main(["rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines} == {p.stem for p in RULES.glob("*.rules")}
    assert main(["rules", "muon"]) == 0
    assert capsys.readouterr().out == (RULES / "muon.rules").read_text("utf-8")
    assert main(["rules", "vit-layer-deca"]) == 2
    assert "did you mean `vit-layer-decay`" in capsys.readouterr().err
