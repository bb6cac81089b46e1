"""The proposal: its numbers are those of the result files, its words stay words, a letterhead stays harmless."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import docx
import pandas as pd
import pytest
from studies import TOML, write_study

import servicecircle as sc
from servicecircle import InputError, Plan, SolutionError
from servicecircle._proposal.blocks import Block, Card, Heading, Number, Table, numbers_of, plain, texts_of
from servicecircle._proposal.content import Proposal
from servicecircle._proposal.html_page import html_page
from servicecircle._proposal.letterhead import letterhead_bytes
from servicecircle._proposal.traces import Traces
from servicecircle._proposal.word_document import word_document
from servicecircle.errors import visible
from servicecircle.writers import explanation_figures, summary

HOSTILE = (
    "${alert(1)}",
    "`x`",
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a\u2028b\u202ec\x00\x07d",
    "=1+1",
    "长" * 500,
)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    made = sc.suggest(sc.load_study(write_study(tmp_path_factory.mktemp("town"))))
    return dataclasses.replace(made, explanation=sc.explain_plan(made))


def files_of(plan: Plan) -> dict[str, object]:
    files = {"summary.json": json.loads(json.dumps(summary(plan)))}
    if plan.explanation is not None:
        files["explanations.json"] = explanation_figures(plan.explanation)
    return files


def blocks_of(plan: Plan, **changed: object) -> list[Block]:
    return Proposal(plan, Traces(files_of(plan) | changed), {}, plan.study.lang).blocks()


def words_of(blocks: list[Block]) -> str:
    return "\n".join(plain(text) for block in blocks for text in texts_of(block))


# ------------------------------------------------------------------------------------------------------- numbers
def test_every_number_stands_where_its_source_says(plan: Plan) -> None:
    files, blocks = files_of(plan), blocks_of(plan)
    every = [number for _, number in numbers_of(blocks)]
    assert len(every) > 40
    for number in every:
        name, _, pointer = number.source.partition("#")
        parts = (
            [Traces(files).value(part.strip(" #")) for part in pointer.split("−")] if name == "summary.json" else []
        )
        if len(parts) == 2:
            assert abs(parts[0] - parts[1] - float(number.text.replace("−", "-"))) < 1.5
        elif parts and re.fullmatch(r"\d+", number.text):
            held = len(parts[0]) if isinstance(parts[0], list) else parts[0]
            assert abs(held - int(number.text)) < 1
        elif parts and number.text.endswith("%") and number.text[0].isdigit():
            assert abs(100 * parts[0] - float(number.text[:-1])) < 0.051
        else:
            assert Traces(files).value(pointer, file=name) is not None or number.text == "—"


def test_no_number_of_the_first_five_sections_is_without_its_source(plan: Plan) -> None:
    names = {str(name) for frame in (plan.facilities, plan.sites, plan.candidates) for name in frame["name"]}
    names |= set() if plan.study.zones is None else {str(name) for name in plan.study.zones["name"]}
    under, seen = "", 0
    for block in blocks_of(plan):
        under = block.text if isinstance(block, Heading) else under
        if under[:1] not in set("一二三四五"):
            continue
        for part in (part for text in texts_of(block) for part in text if not isinstance(part, Number)):
            left = part
            for name in sorted(names, key=len, reverse=True):
                left = left.replace(name, "")
            assert not re.search(r"\d", left), part
            seen += 1
    assert seen > 40


def test_a_count_that_differs_from_the_summary_is_refused(plan: Plan) -> None:
    wrong = json.loads(json.dumps(summary(plan)))
    wrong["suggested"]["station"] += 1
    with pytest.raises(SolutionError, match="suggested/station"):
        blocks_of(plan, **{"summary.json": wrong})


def test_the_sentences_of_the_summary_are_five(plan: Plan) -> None:
    blocks = blocks_of(plan)
    start = next(k for k, b in enumerate(blocks) if isinstance(b, Heading) and "摘要" in b.text)
    end = next(k for k, b in enumerate(blocks) if isinstance(b, Heading) and "现状" in b.text)
    assert end - start - 1 == 5


def test_a_number_that_differs_from_the_summary_is_refused(plan: Plan) -> None:
    wrong = json.loads(json.dumps(summary(plan)))
    wrong["after"]["covered"]["10"] += 2
    with pytest.raises(SolutionError, match="after/covered/10"):
        blocks_of(plan, **{"summary.json": wrong})
    wrong = json.loads(json.dumps(summary(plan)))
    wrong["zones"][0]["before_5"] += 0.01
    with pytest.raises(SolutionError, match="add up"):
        blocks_of(plan, **{"summary.json": wrong})


def test_nothing_is_written_where_a_number_differs(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(of: Plan) -> dict[str, object]:
        told = summary(of)
        told["before"]["riders"] += 5
        return told

    monkeypatch.setattr("servicecircle.proposal.summary", wrong)
    monkeypatch.setattr("servicecircle.proposal._pictures", lambda *_: {})
    with pytest.raises(SolutionError):
        sc.write_proposal(plan, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_wording_follows_the_proof(plan: Plan) -> None:
    assert "最优" in words_of(blocks_of(plan))
    bound = plan.solution.objective * 1.1
    unproven = dataclasses.replace(plan.solution, bound=bound, status="feasible", certificate=None, proof="untold")
    told = words_of(blocks_of(dataclasses.replace(plan, solution=unproven)))
    sentences = [line for line in told.split("\n") if "最优" in line and "两者相等" not in line]
    assert not [line for line in sentences if "已证明最优" in line]


@pytest.mark.parametrize(
    ("riders", "told"),
    [
        (("40", "60.5"), "人（期望值）"),
        (("40余名", "60.5"), "台账含概数，按所写数字计，实际不少于此数"),
        (("近40人", "60"), "台账含概数，按所写数字计，实际略少于此数"),
        (("40余名", "约60"), "台账含概数，按所写数字计）"),
    ],
)
def test_riders_of_a_round_count_are_told_with_where_they_come_from(
    tmp_path: Path, riders: tuple[str, str], told: str
) -> None:
    study = write_study(tmp_path)
    depots = pd.read_csv(study / "depots.csv").assign(骑手数=riders)
    depots.to_csv(study / "depots.csv", index=False)
    made = sc.suggest(sc.load_study(study), stations=0, shops=0)
    text = words_of(blocks_of(made))
    assert told in text.partition("今天")[0]
    assert ("台账含概数），" in text) == (riders[0] != "40")  # among the parameters too


def test_every_suggestion_has_a_card(plan: Plan) -> None:
    cards = [block for block in blocks_of(plan) if isinstance(block, Card)]
    assert [str(name) in card.title for name, card in zip(plan.sites["name"], cards, strict=True)] == [True] * len(
        cards
    )
    assert all(any(isinstance(part, Number) for _, text in card.rows for part in text) for card in cards)


# ------------------------------------------------------------------------------------------------- other studies
@pytest.mark.parametrize("without", ["suggest", "zones", "depots"])
def test_a_study_that_lacks_something_has_a_proposal(tmp_path: Path, without: str) -> None:
    toml = TOML
    if without == "suggest":
        toml = TOML.replace("stations = 1\nshops = 2", "stations = 0\nshops = 0")
    else:
        toml = re.sub(rf"\[{without}\]\nfile = [^\n]+\n", "", TOML)
    made = sc.suggest(sc.load_study(write_study(tmp_path, toml)))
    blocks = blocks_of(made)
    page = html_page(blocks, title=made.study.name, lang="zh")
    data = word_document(blocks, title=made.study.name, lang="zh")
    assert "小镇" in page
    assert docx.Document(io.BytesIO(data)).paragraphs[0].text.startswith("小镇")
    assert any(isinstance(block, Table) and block.header[0] == "网格" for block in blocks) == (without != "zones")


# -------------------------------------------------------------------------------------------------- hostile names
@pytest.mark.slow
def test_hostile_names_stay_words(tmp_path: Path) -> None:
    for k, name in enumerate(HOSTILE):
        study = sc.load_study(write_study(tmp_path / str(k)))
        assert study.zones is not None
        zones = study.zones.assign(name=name)
        made = sc.suggest(dataclasses.replace(study, name=name, office=name, zones=zones), stations=0, shops=0)
        blocks = blocks_of(made)
        page = html_page(blocks, title=name, lang="zh", watermark=name)
        assert "<script" not in page
        assert "<img src=x" not in page
        assert not re.search("[\x00-\x08\u2028\u202e]", page)
        document = docx.Document(io.BytesIO(word_document(blocks, title=name, lang="zh", watermark=name)))
        text = "\n".join(paragraph.text for paragraph in document.paragraphs)
        assert visible(name)[:6] in text


def test_a_plan_by_rules_that_is_not_proven_says_its_gap_and_where_it_is_from(plan: Plan) -> None:
    made = sc.suggest(plan.study, rules=sc.SitingRules(fair=0.3), time_limit_s=1e-4)
    assert made.solution.gap > 0
    blocks = blocks_of(made)
    assert "已证明最优" not in words_of(blocks)
    assert "已知最好" in words_of(blocks)
    told = [number.text for _, number in numbers_of(blocks) if number.source == "summary.json#/solution/gap"]
    assert told == [f"{made.solution.gap:.1%}"] * 2  # in the summary, and above what is proposed


# ----------------------------------------------------------------------------------------------------- letterhead
def letterhead(path: Path, **parts: bytes) -> Path:
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "某某街道办事处文件"
    document.add_paragraph("模板里的正文")
    document.save(str(path))
    if parts:
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book:
            for name, data in parts.items():
                book.writestr(name, data)
    return path


def test_a_letterhead_keeps_its_header_and_loses_its_text(plan: Plan, tmp_path: Path) -> None:
    template = letterhead_bytes(letterhead(tmp_path / "letter.docx"))
    made = docx.Document(io.BytesIO(word_document(blocks_of(plan), title="小镇", lang="zh", template=template)))
    assert made.sections[0].header.paragraphs[0].text == "某某街道办事处文件"
    assert all(paragraph.text != "模板里的正文" for paragraph in made.paragraphs)
    assert made.paragraphs[0].style.name == "Title"


EXTERNAL = (
    b'<Relationships><Relationship Id="r" Type="t/attachedTemplate" Target="http://x" TargetMode="External"/>'
    b"</Relationships>"
)


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("word/vbaProject.bin", b"x", "macros"),
        ("word/embeddings/oleObject1.bin", b"x", "macros"),
        ("word/_rels/settings.xml.rels", EXTERNAL, "elsewhere"),
        ("word/bomb.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "entities"),
        ("word/_rels/a.xml.rels", EXTERNAL.replace(b"http://x", b"http://x/hyperlink"), "elsewhere"),
        ("word/_rels/b.xml.rels", EXTERNAL.replace(b"External", b"&#69;xternal"), "elsewhere"),
        ("word/header9.xml", b"<h xmlns='w'><instrText>INCLUDEPICTURE \"http://x\"</instrText></h>", "fetch"),
        ("word/header8.xml", b"<h xmlns='w'><fldSimple instr='DDEAUTO a b'/></h>", "fetch"),
        ("word/header7.dat", b"<h xmlns='w'><fldSimple instr='DDEAUTO a b'/></h>", "fetch"),
        (
            "word/header6.xml",
            b"<h xmlns='w'><instrText>INCLUDEPIC</instrText><instrText>TURE x</instrText></h>",
            "fetch",
        ),
        ("word/header5.xml", b"<h xmlns='v'><imagedata src='http://x/a.png'/></h>", "from elsewhere"),
        ("word/_rels/c.xml.rels", EXTERNAL.replace(b"t/attachedTemplate", b"t/aFChunk"), "another document"),
        ("word/broken.xml", b"<a><b></a>", "broken"),
        ("word/large.bin", bytes(100_000_001), "unpacks"),
    ],
)
def test_a_dangerous_letterhead_is_refused(tmp_path: Path, name: str, data: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        letterhead_bytes(letterhead(tmp_path / "letter.docx", **{name: data}))


def test_a_document_without_a_page_or_of_macros_is_refused(tmp_path: Path) -> None:
    whole = letterhead(tmp_path / "letter.docx").read_bytes()
    for name, old, new in (
        ("word/document.xml", rb"<w:sectPr.*?</w:sectPr>", b""),
        ("[Content_Types].xml", rb"wordprocessingml\.document\.main", b"macroEnabled.main"),
        ("word/styles.xml", rb"</w:styles>", b""),
    ):
        path = tmp_path / "changed.docx"
        with zipfile.ZipFile(io.BytesIO(whole)) as book, zipfile.ZipFile(path, "w") as out:
            for part in book.namelist():
                data = book.read(part)
                out.writestr(part, re.sub(old, new, data, flags=re.DOTALL) if part == name else data)
        with pytest.raises(InputError, match="letterhead"):
            letterhead_bytes(path)


def test_what_is_no_letterhead_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(b"no zip")
    (tmp_path / "a.doc").write_bytes(b"x")
    (tmp_path / "dir.docx").mkdir()
    for name in ("a.docx", "a.doc", "dir.docx", "missing.docx"):
        with pytest.raises(InputError, match="letterhead"):
            letterhead_bytes(tmp_path / name)


# ------------------------------------------------------------------------------------------------------ the files
@pytest.mark.slow
def test_two_runs_give_the_same_bytes_and_no_request(plan: Plan, tmp_path: Path) -> None:
    one, two = (sc.write_proposal(plan, tmp_path / name) for name in "ab")
    assert [a.read_bytes() == b.read_bytes() for a, b in zip(one, two, strict=True)] == [True, True]
    page = one[1].read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils are not installed")
def test_libreoffice_shows_every_page_with_its_headings(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[1]
    made = sc.suggest(sc.load_study(root / "data" / "nanqu"))
    word, _ = sc.write_proposal(made, tmp_path)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(word)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    pdf = tmp_path / "proposal.pdf"
    if not pdf.exists():
        pytest.skip("this LibreOffice opens no Word document")
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], check=True, capture_output=True, text=True).stdout
    pages = [page for page in text.split("\f") if page.strip()]
    assert 5 <= len(pages) <= 15
    headings = (
        "一、摘要",
        "二、现状",
        "三、缺口与原因",
        "四、建议新增",
        "五、实施前后",
        "六、怎样算的",
        "七、数据来源",
    )
    body = [page for page in pages if "summary.json#" not in page]
    assert [sum(heading in page for page in body) for heading in headings] == [1] * 7
    for page in pages:  # no heading stands alone at the foot of a page
        lines = [line.strip() for line in page.splitlines() if line.strip() and not line.strip().isdigit()]
        assert not lines[-1].startswith(headings) or "summary.json#" in lines[-1]  # a row of the annex is none
    covered = f"{summary(made)['before']['share']['15']:.1%}"
    assert covered in pages[0]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_a_letterhead_that_writer_saved_keeps_its_header_and_its_headings(plan: Plan, tmp_path: Path) -> None:
    source = docx.Document()
    source.sections[0].header.paragraphs[0].text = "某某街道办事处文件"
    for level in (0, 1, 2):
        source.add_heading("标题", level)
    (tmp_path / "word").mkdir()
    source.save(str(tmp_path / "word" / "letter.docx"))
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", "docx:Office Open XML Text"]
    subprocess.run(
        [*command, "--outdir", str(tmp_path), str(tmp_path / "word" / "letter.docx")],
        check=True,
        capture_output=True,
    )
    with zipfile.ZipFile(tmp_path / "letter.docx") as book:
        assert b'"Heading 1"' in book.read("word/styles.xml")  # Word writes "heading 1"
    template = letterhead_bytes(tmp_path / "letter.docx")
    document = word_document(blocks_of(plan), title="小镇", lang="zh", template=template)
    with zipfile.ZipFile(io.BytesIO(document)) as book:
        assert len(set(book.namelist())) == len(book.namelist())
    made = docx.Document(io.BytesIO(document))
    assert (made.core_properties.title, made.core_properties.author) == ("小镇", "")
    assert made.sections[0].header.paragraphs[0].text == "某某街道办事处文件"
    names = [paragraph.style.name for paragraph in made.paragraphs]
    assert names[0] == "Title"
    assert {"Heading 1", "Heading 2"} <= set(names)
    assert all(paragraph.text != "标题" for paragraph in made.paragraphs)
