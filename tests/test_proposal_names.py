"""Ten thousand hostile names in the proposal: as a page in a browser, and as a Word document."""

from __future__ import annotations

import dataclasses
import io
import random
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.text.paragraph import Paragraph as WordParagraph
from hostile import HOSTILE, random_names
from studies import write_study
from test_maps_browser import CHROMIUM, named

import servicecircle as sc
from servicecircle import Plan
from servicecircle._proposal.blocks import (
    Annex,
    Block,
    Card,
    Heading,
    Number,
    Paragraph,
    Picture,
    Table,
    plain,
    texts_of,
)
from servicecircle._proposal.content import Proposal
from servicecircle._proposal.html_page import html_page
from servicecircle._proposal.traces import Traces
from servicecircle._proposal.word_document import word_document
from servicecircle.errors import visible
from servicecircle.explanations import explain_plan
from servicecircle.figures import figure_bytes
from servicecircle.writers import explanation_figures, summary

#: texts of a page as they stand in it, what ran, and what it would fetch or run
SEEN = """() => ({
  texts: [...document.querySelectorAll("h1, h2, h3, p, li, caption, th, td, figcaption, .mark")]
    .map((e) => e.textContent),
  title: document.title,
  ran: window.ran,
  live: document.querySelectorAll("script, iframe, object, embed, svg, form, link, base").length
    + document.querySelectorAll("img:not([src^='data:'])").length,
  handlers: [...document.querySelectorAll("*")].flatMap((e) => [...e.attributes])
    .filter((a) => a.name.startsWith("on")).length,
})"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    made = sc.suggest(sc.load_study(write_study(tmp_path_factory.mktemp("town"))))
    return dataclasses.replace(made, explanation=explain_plan(made))


def hostile_blocks(plan: Plan, names: list[str]) -> list[Block]:
    """The proposal of a plan with these names in each of its fields, and blocks of each kind with all of them."""
    crowd = named(plan, names)
    study = dataclasses.replace(crowd.study, date="2026-11-22")
    crowd = dataclasses.replace(crowd, study=study, sites=plan.sites.assign(name=names[7]), gaps=plan.gaps)
    files = {"summary.json": summary(crowd), "explanations.json": explanation_figures(plan.explanation)}
    told = Proposal(crowd, Traces(files), {}, "zh").blocks()
    left = iter(names)

    def some(n: int) -> list[str]:
        return [name for _, name in zip(range(n), left, strict=False)]

    for level in (0, 1, 2):
        told += [Heading(name, level) for name in some(3)]
    png = figure_bytes(plan, "zones")
    told += [Picture(png, name) for name in some(3)]
    told += [Annex(some(1)[0])]
    kinds = ("plain", "note", "item", "under_title")
    told += [Paragraph((name, Number(name, name)), kind) for kind in kinds for name in some(5)]
    told += [Card(some(1)[0], tuple((a, (b,)) for a, b in zip(some(9), some(9), strict=True))) for _ in range(20)]
    while len(rows := some(640)) > 16:
        grid = [rows[k : k + 8] for k in range(0, len(rows) - 7, 8)]
        body = tuple(tuple((cell,) for cell in row) for row in grid[1:])
        told += [Table(rows[0], tuple(grid[0]), body, (0.125,) * 8, ("left",) * 8)]
    told += [Paragraph((name,)) for name in (*rows, *names[-16:])]
    return told


def told_texts(blocks: list[Block]) -> set[str]:
    """Every text of the blocks, as a reader should see it."""
    texts: list[str] = [plain(text) for block in blocks for text in texts_of(block)]
    for block in blocks:
        texts += [block.text] if isinstance(block, Heading | Annex) else []
        texts += [block.caption] if isinstance(block, Picture | Table) else []
        texts += block.header if isinstance(block, Table) else ()
        texts += [block.title, *(term for term, _ in block.rows)] if isinstance(block, Card) else []
    return {visible(text) for text in texts}


def missing(told: Iterable[str], seen: Iterable[str]) -> list[str]:
    """Texts that are not seen as they are, but for the dot before an item."""
    there = {text.removeprefix("· ") for text in seen}
    return [text for text in told if text and text not in there]


def open_page(html: str, file: Path) -> dict[str, Any]:
    """What a browser shows of a page, without a network and without its policy: escaping alone must hold."""
    from playwright.sync_api import sync_playwright

    begin = html.index('<meta http-equiv="Content-Security-Policy"')
    file.write_text(html[:begin] + html[html.index(">", begin) + 1 :], encoding="utf-8", newline="")
    trouble: list[str] = []
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(offline=True).new_page()
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("console", lambda said: trouble.append(f"console: {said.text}"))
        page.on("dialog", lambda dialog: (trouble.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: trouble.append(request.url))
        page.goto(file.as_uri())
        seen: dict[str, Any] = page.evaluate(SEEN)
        browser.close()
    own = (file.as_uri(), "data:")
    return {**seen, "trouble": [told for told in trouble if not told.startswith(own)]}


@pytest.mark.slow
@pytest.mark.fault(48, 49)
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install one, or name it in SERVICECIRCLE_CHROMIUM")
def test_ten_thousand_hostile_names_are_literal_in_the_page_of_the_proposal(plan: Plan, tmp_path: Path) -> None:
    names = HOSTILE + random_names(random.Random(11), 10_000)
    blocks = hostile_blocks(plan, names)
    title = names[len(HOSTILE)]
    seen = open_page(html_page(blocks, title=title, lang="zh", watermark=names[2]), tmp_path / "proposal.html")
    told = told_texts(blocks)
    assert len(told) > 10_000
    assert missing(told, seen["texts"]) == []
    assert visible(names[2]) in seen["texts"]
    assert seen["title"].split() == visible(title).split()
    assert seen["ran"] is None
    assert (seen["live"], seen["handlers"], seen["trouble"]) == (0, 0, [])


@pytest.mark.slow
@pytest.mark.fault(48, 49)
def test_ten_thousand_hostile_names_are_literal_in_the_word_document(plan: Plan) -> None:
    names = HOSTILE + random_names(random.Random(12), 10_000)
    blocks = hostile_blocks(plan, names)
    data = word_document(blocks, title=names[20], lang="zh", watermark=names[3])
    made = docx.Document(io.BytesIO(data))
    seen = [WordParagraph(element, made).text for element in made.element.body.iter(_w("p"))]
    told = told_texts(blocks)
    assert len(told) > 10_000
    assert missing(told, seen) == []
    assert made.core_properties.title == visible(names[20])[:255]
    assert visible(names[3]) in [one.text for one in made.sections[0].header.paragraphs]
    fields = [
        "".join(e.itertext()) for e in made.element.body.iter(_w("instrText"), _w("fldSimple"), _w("hyperlink"))
    ]
    assert fields == []
    outside = [one.target_ref for one in made.part.rels.values() if one.is_external]
    assert outside == []


def _w(name: str) -> str:
    return f"{{http://schemas.openxmlformats.org/wordprocessingml/2006/main}}{name}"


@pytest.mark.slow
@pytest.mark.fault(49)
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils are not installed")
def test_libreoffice_prints_hostile_names_as_they_are(tmp_path: Path) -> None:
    rng = random.Random(13)
    names = [*HOSTILE, *(name for name in random_names(rng, 300) if not set(name) & set("\t\n🛵"))]
    blocks: list[Block] = [Paragraph((f"〔{name}〕",)) for name in names]
    (tmp_path / "names.docx").write_bytes(word_document(blocks, title=names[0], lang="zh"))
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path)]
    subprocess.run([*command, str(tmp_path / "names.docx")], check=True, capture_output=True, timeout=180)
    if not (tmp_path / "names.pdf").exists():
        pytest.skip("this LibreOffice opens no Word document")
    pdf = ["pdftotext", "-raw", str(tmp_path / "names.pdf"), "-"]
    printed = "".join(subprocess.run(pdf, check=True, capture_output=True, text=True).stdout.split())
    assert [name for name in names if "".join(f"〔{visible(name)}〕".split()) not in printed] == []
