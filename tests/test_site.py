"""The docs as a site: its sidebar, and the words of its theme in Chinese."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="the group `docs` is not installed")
pytest.importorskip("pydata_sphinx_theme", reason="the group `docs` is not installed")

DOCS = Path(__file__).resolve().parents[1] / "docs"
sys.path.insert(0, str(DOCS / "site"))
import made_pages  # noqa: E402
import no_requests  # noqa: E402

sys.path.remove(str(DOCS / "site"))
INDEXES = [(DOCS / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md")]


def test_the_sidebar_has_the_groups_of_the_index_and_every_page_once_in_both_languages() -> None:
    english, chinese = map(made_pages.groups_of, INDEXES)
    pages = [page for group in english.values() for page in group]
    assert len(english) == len(chinese) == 4
    assert list(english) == ["", "how to", "reference", "concepts: formula, assumption, limit"]
    assert len(set(pages)) == len(pages)
    written = {str(file.relative_to(DOCS)) for file in DOCS.rglob("*.md") if not file.name.startswith("README")}
    assert set(pages) == {page for page in written if not page.endswith(".zh.md")}
    for one, two in zip(english.values(), chinese.values(), strict=True):
        twins = {page.replace(".md", ".zh.md") for page in one}
        assert {page for page in two if page.endswith(".zh.md")} == twins & written


@pytest.mark.parametrize(
    "word", ["Search", "On this page", "Skip to main content", "Table of Contents", *made_pages.OWN_WORDS]
)
def test_words_of_the_theme_are_chinese_on_a_chinese_page(word: str) -> None:
    told = made_pages.chinese_words()(word)
    assert re.search("[一-鿿]", told)
    assert not re.search("[A-Za-z]", told)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<script src="https://a.b/x.js"></script><img src="own.png">', ["https://a.b/x.js"]),
        ('<img srcset="own.png 1x, //a.b/two.png 2x">', ["//a.b/two.png"]),
        ('<p style="background: url(http://a.b/c.png)">', ["http://a.b/c.png"]),
        ("<style>@import 'https://a.b/c.css'; p { background: url(own.png) }</style>", ["https://a.b/c.css"]),
        ('<iframe srcdoc="&lt;img src=&quot;https://a.b/i.png&quot;&gt;"></iframe>', ["https://a.b/i.png"]),
        ('<a href="https://a.b">read</a><link rel="canonical" href="https://a.b"><p>url(https://a.b)</p>', []),
    ],
)
def test_what_a_page_would_ask_of_other_machines_is_found(text: str, found: list[str], tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    assert no_requests.requests_of(tmp_path / "page.html") == found


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_its_sidebar_has_groups(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E", "-c", "docs/site"]
    subprocess.run([*command, "-d", tmp_path / "trees", ".", tmp_path / "site"], cwd=DOCS.parent, check=True)
    pages = tmp_path / "site" / "docs" / "concepts"
    english, chinese = (pages.joinpath(name).read_text(encoding="utf-8") for name in ("gap.html", "gap.zh.html"))
    assert re.findall(r'caption-text">([^<]+)', english)[-1] == "Concepts: formula, assumption, limit"
    assert re.findall(r'caption-text">([^<]+)', chinese)[-1] == "概念：公式、假设、局限"
    assert "On this page" in english
    assert "On this page" not in chinese
    api = (tmp_path / "site" / "docs" / "site" / "_made" / "api-in-the-study.html").read_text(encoding="utf-8")
    assert 'id="servicecircle.Study"' in api or 'id="servicecircle.Network"' in api
