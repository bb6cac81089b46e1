"""What a study, a plan, a network and a coverage look like at the end of a notebook's cell: a table and a map."""

from __future__ import annotations

from html import escape

from ._page import numbers
from ._page.shown_riders import shown_riders
from ._page.summary import proof, whole_gains
from ._page.words import Words
from .coverage import totals
from .datum import TITLES
from .errors import Lang, visible
from .html_tables import html_table
from .maps import draw_map
from .model import Coverage, Network, Plan, Study
from .rich_display import shown_html
from .role_words import role_word
from .study_sketch import study_sketch


def html_of(thing: object) -> str:
    """
    Return a study, a plan, a coverage or a network as HTML, as a notebook shows it at the end of a cell.

    Parameters
    ----------
    thing
        One of these; of anything else its `repr`, escaped.

    Returns
    -------
    html
        Tables, for a study a picture of its places, for a plan its map. Every text of the data is escaped.
    """
    return shown_html(thing)


@shown_html.register
def study_html(study: Study) -> str:
    """
    Return a study as HTML: its parameters, its files, and its places as a picture.

    Every text of the study is escaped. Nothing is read: the roads are not opened.
    """
    lang = study.lang
    zh = lang == "zh"
    breaks = ("、" if zh else ", ").join(f"{m:g}" for m in study.minutes)
    told = [
        study.office,
        numbers.printed_date(study.date, lang) if study.date else "",
        f"{_travel_word(study)} · {breaks} {'分钟' if zh else 'min'}",
    ]
    rows = [
        [role_word(used.role, lang), used.file, "" if used.rows is None else str(used.rows), _datum(used.datum)]
        for used in study.inputs
    ]
    header = ("内容", "文件", "行数", "坐标系") if zh else ("What", "File", "Rows", "Datum")
    n = len(study.warnings)
    notes = (f"{n} 处提醒，见 study.warnings" if zh else f"{n} warnings: study.warnings") if n else ""
    return "".join(
        (
            _title(study.name),
            _line(" · ".join(text for text in told if text)),
            html_table(header, rows, right=(2,)) if rows else "",
            _line(notes),
            study_sketch(study, lang),
        )
    )


@shown_html.register
def plan_html(plan: Plan) -> str:
    """Return a plan as HTML: riders covered, the suggestions with their proof, and the map of `draw_map`."""
    words = Words(plan.study.lang)
    zh = words.lang == "zh"
    sites = [
        [
            str(site["rank"]),
            words(f"kind.{site['kind']}"),
            str(site["name"]),
            numbers.gain(rounded, site["riders_gained"]),
        ]
        for (_, site), rounded in zip(plan.sites.iterrows(), whole_gains(plan), strict=True)
    ]
    header = ("序号", "类型", "名称", "增加骑手") if zh else ("Rank", "Kind", "Name", "Riders gained")
    return "".join(
        (
            _title(plan.study.name),
            _covered(plan.before, plan.after if len(plan.sites) else None, words.lang),
            html_table(header, sites, right=(0, 3)) if sites else "",
            _line(proof(plan, words)),
            draw_map(plan)._repr_html_(),
        )
    )


@shown_html.register
def coverage_html(coverage: Coverage) -> str:
    """Return a coverage as HTML: riders within each break, in both languages, for it has no study."""
    return _covered(coverage, None, None)


@shown_html.register
def network_html(network: Network) -> str:
    """Return a network as HTML: what it was read from, how large it is, and its warnings."""
    km = float(network.length_m[network.street_first].sum()) / 1000
    rows = [
        ["来源 · source", network.report.source],
        ["方式 · profile", network.profile.name],
        ["节点 · nodes", f"{network.n_node:,}"],
        ["街道 · streets", f"{network.n_street:,}"],
        ["里程 · kilometres", f"{km:,.1f}"],
        ["坐标参考系 · CRS", str(network.crs.to_string())],
        ["提醒 · warnings", str(len(network.report.warnings))],
    ]
    return html_table(("", ""), rows)


# --------------------------------------------------------------------------------------------------------- parts
def _covered(before: Coverage, after: Coverage | None, lang: Lang | None) -> str:
    """Return riders within each break, today and with the suggestions, as whole numbers that add up."""
    header = {
        "zh": ("分钟内", "骑手", "现状", "覆盖率", "建议后", "覆盖率"),
        "en": ("Within (min)", "Riders", "Today", "Share", "With the proposal", "Share"),
        None: ("分钟内 · min", "骑手 · riders", "覆盖 · covered", "覆盖率 · share"),
    }[lang]
    every = [one for one in (before, after) if one is not None]
    shown, exact = [shown_riders(one) for one in every], [totals(one) for one in every]
    rows = [
        [
            f"{minutes:g}",
            numbers.whole(shown[0].riders),
            *(
                cell
                for whole, told in zip(shown, exact, strict=True)
                for cell in (
                    numbers.whole(whole.within[k]),
                    _share(told["covered"][f"{minutes:g}"], told["riders"]),
                )
            ),
        ]
        for k, minutes in enumerate(before.minutes)
    ]
    return html_table(header[: 2 + 2 * len(shown)], rows, right=range(6))


def _share(part: float, total: float) -> str:
    return numbers.share(part, total) if total > 0 else ""


def _travel_word(study: Study) -> str:
    """Return how riders travel in words; the name of a profile that has none."""
    words = Words(study.lang)
    key = f"travel.{study.profile.roads}"
    return words(key) if study.profile.name in {"walk", "ebike", "drive"} else study.profile.name


def _datum(datum: str | None) -> str:
    return TITLES.get(datum or "", datum or "")


def _title(text: str) -> str:
    return f'<p style="font-weight:600;margin:0.3em 0">{escape(visible(text))}</p>' if text else ""


def _line(text: str) -> str:
    return f'<p style="margin:0.3em 0">{escape(visible(text))}</p>' if text else ""
