"""How Sphinx builds the documentation: `make docs`."""

import os

import hashindex

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # for the example that trains: before PyTorch is loaded

project = "hashindex"
author = "the hashindex authors"
copyright = "2026, the hashindex authors"  # noqa: A001
version = release = hashindex.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.doctest", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # included results begin with headings of their own

autodoc_mock_imports = ["langchain_core"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings give shapes and dtypes
napoleon_google_docstring = False
napoleon_use_rtype = False

doctest_test_doctest_blocks = ""  # docstrings are tested by `make test`
doctest_global_setup = """
import os as _os, tempfile as _tempfile
_os.environ["HASHINDEX_CACHE"] = _tempfile.mkdtemp()  # what prepare() measures is nobody's to keep
"""

html_theme = "furo"
html_title = "hashindex"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False


def setup(app):
    """Keep the bars of |h|, which reST takes for substitutions."""

    def keep_bars(app, what, name, obj, options, lines):  # noqa: ARG001
        lines[:] = [line if line.lstrip().startswith(">>>") else line.replace("|", "\\|") for line in lines]

    app.connect("autodoc-process-docstring", keep_bars, priority=900)
