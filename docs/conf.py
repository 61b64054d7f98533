"""The documentation as a site: `sphinx-build -W --keep-going docs site`.

The pages are those of docs/. Generated are the reference of the public functions, from their
docstrings, and a page of all findings, from the docstrings of the checks.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from grouper.version import __version__  # noqa: E402

project, author, release = "grouper", "the authors of grouper", __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "site_pages",
]
suppress_warnings = ["misc.highlighting_failure"]  # console blocks contain any output
html_theme = "furo"
html_favicon = "icon.svg"
html_title = "grouper"
html_static_path: list[str] = []
html_show_sphinx = False
html_copy_source = False
exclude_patterns = ["conf.py", "site_pages.py", "screenshot.py", "playground"]
highlight_language = "grouper"  # in docs/, a fence without a language contains rules
myst_heading_anchors = 3
myst_enable_extensions = ["attrs_inline"]
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autosummary_generate = False
