"""The proposal: a plan as a Word document and as a page, each number taken from the result files."""

from __future__ import annotations

from pathlib import Path

from ._figure.curve_sheet import has_curve
from ._figure.week_sheet import has_week
from ._figure.zone_sheet import has_zones
from ._optional import import_optional
from ._page.words import Words, checked_lang
from ._proposal.content import Proposal
from ._proposal.html_page import html_page
from ._proposal.letterhead import letterhead_bytes
from ._proposal.traces import REASONS, SUMMARY, Traces
from ._proposal.word_document import word_document
from .errors import Lang
from .figures import figure_bytes
from .model import Plan
from .whole_files import make_folder, remove_file, write_bytes, write_text
from .writers import PROPOSAL_FILES, explanation_figures, summary


def write_proposal(
    plan: Plan,
    folder: str | Path,
    *,
    letterhead: str | Path | None = None,
    font: str | Path | None = None,
) -> list[Path]:
    """
    Write the proposal of a plan: `proposal.docx`, and the same as `proposal.html`.

    Parameters
    ----------
    plan
        What `suggest` gave; with an explanation the cards tell substitutes, with contacts the annex has the table.
    folder
        Made if missing; files of the same names are replaced.
    letterhead
        A `.docx` of the office: its styles, headers, footers and page stay, its text does not.
    font
        The figures' font file, as of `draw_figure`.

    Returns
    -------
    files
        Both files. The page runs no script and asks no host for anything. An annex tells where each number stands
        in `summary.json` or `explanations.json`. The same plan gives the same bytes, the date is the study's.

    Raises
    ------
    InputError
        If the letterhead is none, or unsafe: macros, links to other files, larger than 100 MB unpacked.
    SolutionError
        If a number would differ from the result files, or a table does not add up; nothing is written then.
    MissingPackageError
        If `python-docx`, `matplotlib` or a font is missing: they come with the extra `report`.
    OutputError
        If a file cannot be written; no proposal of an earlier plan stands beside a new one.
    """
    template = check_letterhead(letterhead)
    lang = plan.study.lang
    words, study = Words(checked_lang(lang)), plan.study
    files = {SUMMARY: summary(plan)}
    if plan.explanation is not None:
        files[REASONS] = explanation_figures(plan.explanation)
    blocks = Proposal(plan, Traces(files), _pictures(plan, lang, font), lang).blocks()
    mark = words("internal") if study.map_rules.watermark else ""
    document = word_document(
        blocks, title=study.name, lang=lang, date=study.date, template=template, watermark=mark
    )
    page = html_page(blocks, title=study.name, lang=lang, watermark=mark)
    target = make_folder(Path(folder))
    word, web = PROPOSAL_FILES
    for name in PROPOSAL_FILES:
        remove_file(target / name)  # no document of another plan stands beside a new page
    return [write_bytes(target / word, document), write_text(target / web, page)]


def check_letterhead(letterhead: str | Path | None) -> bytes | None:
    """
    See that a proposal can be written, before a long search whose plan it tells.

    Returns
    -------
    template
        The letterhead; None where there is none.

    Raises
    ------
    InputError, MissingPackageError
        As `write_proposal`.
    """
    import_optional("docx", extra="report")
    return None if letterhead is None else letterhead_bytes(letterhead)


def _pictures(plan: Plan, lang: Lang, font: str | Path | None) -> dict[str, bytes]:
    """Return the figures that a plan has something for."""
    names = ["before", *(["after"] if len(plan.sites) else [])]
    kinds = {"zones": has_zones(plan) and bool(len(plan.sites)), "week": has_week(plan), "curve": has_curve(plan)}
    names += [name for name, is_there in kinds.items() if is_there]
    return {name: figure_bytes(plan, name, lang=lang, font=font) for name in names}
