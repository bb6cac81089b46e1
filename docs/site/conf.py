"""
The documentation as a site: the pages of `docs/` as they are, notebooks, a gallery, the reference from docstrings.

Build it from the repository's root with `python -m sphinx -W -c docs/site . build/site`; `build/site/index.html`
is the first page.

Notebooks are stored without output. 01, 04 and 06 of the planner's path are run here, so that their pages show
tables and maps; a cell that fails ends the build. `tests/test_notebooks.py` runs all of them, twice.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "src")]
# the kernels that run notebooks are processes of their own
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))

import made_pages  # noqa: E402
import mathml  # noqa: E402
from chinese_search import SearchBoth  # noqa: E402
from no_requests import refuse_requests  # noqa: E402
from sphinx.application import Sphinx  # noqa: E402
from sphinx.search import languages  # noqa: E402

languages["en"] = SearchBoth

project = "servicecircle"
copyright = "servicecircle maintainers"  # noqa: A001
language = "en"
root_doc = "docs/site/index"
default_role = "code"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
include_patterns = [
    "docs/**.md",
    "docs/site/**.rst",
    "notebooks/*.ipynb",
    "data/README.md",
    "benchmarks/README.md",
    "CHANGELOG.md",
]
exclude_patterns = ["**/.*", "build", "out", ".venv"]

nb_execution_mode = "force"
nb_execution_excludepatterns = ["notebooks/[!0]*.ipynb", "notebooks/0[!146]*.ipynb"]  # the others: a minute more
nb_execution_timeout = 120
nb_execution_raise_on_error = True
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]  # a study.toml with `...` in it

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # units and shapes stand in the docstring
autodoc_class_signature = "mixed"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_param = False

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "servicecircle"
html_static_path = ["_static"]
html_css_files = ["site.css"]
templates_path = ["_templates"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options: dict[str, Any] = {
    "navbar_align": "left",
    "navbar_end": ["twin", "theme-switcher"],
    "navbar_persistent": ["search-button"],
    "secondary_sidebar_items": ["page-toc"],
    "logo": {"text": "servicecircle"},
    "header_links_before_dropdown": 7,
    "show_toc_level": 2,
    "footer_start": [],
    "footer_end": [],
    "search_bar_text": "Search / 搜索",
}


def setup(app: Sphinx) -> None:
    """Add what the build makes by itself."""
    mathml.add_to(app)
    app.connect("builder-inited", made_pages.make)
    app.connect("source-read", made_pages.add_toctree)
    app.connect("html-page-context", made_pages.tell_language)
    app.connect("build-finished", made_pages.write_front_door)
    app.connect("build-finished", refuse_requests)
