"""A batch in words: a line a town as it is done, the whole at the end, and every town that has no plan."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError, Lang
from ..usage import usual_lang
from .joint import Joint
from .many import Batch
from .records import Record
from .towns import Town, city_of, find_towns, lang_of

#: towns of which the most riders are uncovered that are printed; all are in the tables
N_TOLD = 10
_RIDERS: dict[Lang, str] = {
    "zh": "{rank}. {town}：未覆盖 {uncovered:,.0f} 名骑手（共 {riders:,.0f} 名，覆盖 {share}）",
    "en": "{rank}. {town}: {uncovered:,.0f} of {riders:,.0f} riders uncovered ({share} covered)",
}


def lang_of_towns(folder: Path) -> Lang:
    """Return the language of a batch; the usual one where it cannot be told."""
    try:
        city = city_of(folder)
        return lang_of(find_towns(folder) if city is None else (Town("", city),))
    except InputError:
        return usual_lang()


def town_line(record: Record, lang: Lang) -> str:
    """Return what became of a town, in a line."""
    words = {
        "zh": {"planned": "已规划", "infeasible": "无可行方案", "failed": "失败", "kept": "无变动，沿用"},
        "en": {
            "planned": "planned",
            "infeasible": "no plan keeps the rules",
            "failed": "failed",
            "kept": "as it was",
        },
    }[lang]
    said = words["kept"] if record.is_kept and record.status == "planned" else words[record.status]
    return f"{record.town}：{said}" if lang == "zh" else f"{record.town}: {said}"


def batch_lines(batch: Batch, lang: Lang) -> Iterator[str]:
    """Yield the figures of a batch, the towns with the most riders uncovered, and those without a plan with why."""
    n_kept = sum(record.is_kept for record in batch.records)
    n, n_failed = len(batch.records), len(batch.failed)
    if lang == "zh":
        yield f"{n} 个街镇：{n - n_failed} 个有方案（其中沿用 {n_kept} 个），{n_failed} 个没有。"
    else:
        yield f"{n} towns: {n - n_failed} with a plan ({n_kept} as they were), {n_failed} without."
    for row in batch.summary.head(N_TOLD).to_dict("records"):
        if row["status"] == "failed":
            continue
        share = row["share_covered"]
        told = {"share": "-" if math.isnan(share) else f"{share:.0%}", "uncovered": row["riders_uncovered"]}
        figures = {"rank": row["rank"], "town": row["town"], "riders": row["riders"], **told}
        yield _RIDERS[lang].format(**figures)
    if batch.joint is not None:
        yield _joint_line(batch.joint, lang)
    for fault in batch.warnings:
        yield fault.told(lang)
    for record in batch.failed:
        why = " ".join(fault.told(lang) for fault in record.reasons)
        yield f"{town_line(record, lang)}{'：' if lang == 'zh' else ': '}{why}"


def _joint_line(joint: Joint, lang: Lang) -> str:
    """Return what a joint plan gives, and how good that is."""
    kinds = joint.sites["kind"].tolist()
    n_stations, n_shops, gained = kinds.count("station"), kinds.count("shop"), joint.objective - joint.covered
    if lang == "zh":
        how = "已证明最优" if not joint.gap else f"与最优相差不超过 {joint.gap:.2%}"
        how += "（求解被中断）" if joint.is_interrupted else ""
        return f"统筹方案：新增驿站 {n_stations} 个、商铺 {n_shops} 家，多覆盖 {gained:,.0f} 名骑手；{how}。"
    how = "proven the best" if not joint.gap else f"within {joint.gap:.2%} of the best"
    how += " (interrupted)" if joint.is_interrupted else ""
    return f"Joint plan: {n_stations} stations and {n_shops} shops cover {gained:,.0f} riders more; {how}."
