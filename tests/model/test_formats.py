"""To add a model format is to add a file to `grouper/model/formats` and to put it into a table."""

from pathlib import Path

import grouper.model.formats
from grouper.model import read
from grouper.model.formats import json_file, torch_zip

TABLES = (
    tuple(read.files()),
    tuple(read.folders()),
    tuple(torch_zip.archives()),
    json_file.VALUES,
)
# Files that are not a format, and what uses them.
PARTS = {
    "hugging_face": "read.py, for the folders that no format recognises",
    "torch_export_modules": "torch_export",
    "snapshot_lines": "snapshot",
    "snapshot_rows": "snapshot",
    "torch_saved": "deepspeed, sharded_index",
    "unsupported": "every format",
}


def test_every_format_is_in_a_table():
    files = {path.stem for path in Path(grouper.model.formats.__path__[0]).glob("*.py")}
    in_tables = {form.__name__.rpartition(".")[2] for table in TABLES for form in table}
    assert files - {"__init__"} == in_tables | PARTS.keys()
    assert not in_tables & PARTS.keys()


def test_every_format_recognises_and_reads():
    for table in TABLES:
        for form in table:
            assert callable(form.recognises), form.__name__
            assert callable(form.read), form.__name__
