"""In which datum each file of points was read, what says so, and what the map says of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._validate import some, some_zh
from .datum import DATUMS, TITLES, Datum, in_china
from .datum_detection import MIN_NAMES, NEAR_NAME_M, DatumFit, detect_datum, is_mixed
from .errors import Fault
from .model import InputFile, Network, Study
from .placement import input_of

#: ledgers of points, in the order in which they are told
ROLES = ("stations", "shops", "gates", "depots", "posts", "pickups", "candidates", "population")


@dataclass(frozen=True, eq=False)
class DatumCheck:
    """A file of points beside the map: the datum that it was read in, and how it fits in each."""

    used: InputFile
    fit: DatumFit
    is_in_china: bool  # whether any of its points lies where the datums differ
    is_looked_up: bool = False  # whether an address service gave every point: its datum is known

    @property
    def is_told_by_nobody(self) -> bool:
        """Whether neither the study nor the map says in which datum the file is, and it matters."""
        is_known = self.used.is_datum_stated or self.is_looked_up
        return self.is_in_china and not is_known and self.fit.verdict == "cannot tell"


def check_datums(study: Study, network: Network, places: gpd.GeoDataFrame | None) -> list[DatumCheck]:
    """
    Lay each file of points of a study on the map in every datum.

    Parameters
    ----------
    places
        Named places of the map; None where there are none.

    Returns
    -------
    checks
        One a file that holds points and was read in one datum; nothing is ever moved here.
    """
    found = []
    for role in ROLES:
        frame, used = getattr(study, role), input_of(study, role)
        if frame is None or used is None or (used.datum or "") not in TITLES or not _holds_points(frame):
            continue
        fit = detect_datum(frame, network, places=places, datum=str(used.datum))
        found.append(DatumCheck(used, fit, _is_in_china(frame), _is_looked_up(frame)))
    return found


def told_of_datums(checks: Sequence[DatumCheck]) -> list[Fault]:
    """
    Tell of files that fit the map in another datum than they were read in, or whose datum nobody knows.

    An error where a file fits another datum and nobody states its own; else warnings. The files that neither the
    study nor the map says anything of are told in one warning.
    """
    return [*_told_by_the_map(checks), *_told_by_nobody(checks)]


def _told_by_the_map(checks: Sequence[DatumCheck]) -> Iterator[Fault]:
    for used, fit in ((one.used, one.fit) for one in checks):
        if fit.verdict not in {"cannot tell", used.datum}:
            yield _other_datum(used, fit)
        elif fit.by != "streets" and is_mixed(fit):
            yield _mixed_datums(used, fit)


def _told_by_nobody(checks: Sequence[DatumCheck]) -> Iterator[Fault]:
    unknown = [one.used for one in checks if one.is_told_by_nobody]
    if not unknown:
        return
    files = list(dict.fromkeys(used.file for used in unknown))
    tables = list(dict.fromkeys(f"[{used.role}]" for used in unknown))
    is_one = len(files) == 1
    en = f"Nobody says in which datum {some(files)} {'is' if is_one else 'are'}, and the map cannot tell "
    en += f"(it takes {MIN_NAMES} names that stand on it too, or points close to streets): read as WGS 84. "
    en += "Coordinates picked on Amap, Tencent or Baidu maps would lie 300 to 1,500 m off. Write under "
    en += f"{some(tables)} in study.toml where they come "
    en += 'from: datum = "wgs84" (GPS, Tianditu, CGCS2000), "gcj02" (Amap, Tencent) or "bd09" (Baidu).'
    zh = f"{some_zh(files)} 没有写明坐标系，与地图对照也无法判断（需有 {MIN_NAMES} 个以上地图上也有的名称，"
    zh += "或紧靠道路的点位），已按 WGS-84 读取。坐标若取自高德、腾讯或百度地图，会偏 300 至 1500 米。"
    zh += f"请在 study.toml 的 {some_zh(tables)} 下写明来源：GPS、天地图、国家 2000 写 "
    zh += 'datum = "wgs84"，高德、腾讯写 datum = "gcj02"，百度写 datum = "bd09"。'
    yield Fault(en, zh, level="warning")


def datum_frame(checks: Sequence[DatumCheck]) -> pd.DataFrame:
    """
    Return what is known of the datum of each file, a row a file.

    Returns
    -------
    datums
        `role, file, sheet, datum` (read in), `stated` (by the study, headers or rows, or
        the answers of an address service), `verdict` (of the map),
        `by` (`names`, `streets` or ""), `n_points`, `n_names`; for each datum D `near_D` (names within 80 m),
        `names_m_D` (median metres to the place of the same name) and `streets_m_D` (mean metres to a street).
    """
    rows = []
    for one in checks:
        used, fit = one.used, one.fit
        row: dict[str, object] = {"role": used.role, "file": used.file, "sheet": used.sheet, "datum": used.datum}
        row |= {"stated": used.is_datum_stated or one.is_looked_up, "verdict": fit.verdict, "by": fit.by}
        row |= {"n_points": fit.n_points, "n_names": fit.n_names}
        row |= {f"near_{d}": fit.near_names[d] for d in DATUMS}
        row |= {f"names_m_{d}": fit.names_m[d] for d in DATUMS}
        row |= {f"streets_m_{d}": fit.streets_m[d] for d in DATUMS}
        rows.append(row)
    names = [*(f"{what}_{d}" for what in ("near", "names_m", "streets_m") for d in DATUMS)]
    columns = ["role", "file", "sheet", "datum", "stated", "verdict", "by", "n_points", "n_names", *names]
    return pd.DataFrame(rows, columns=columns)


def _is_looked_up(frame: gpd.GeoDataFrame) -> bool:
    return "geocode_quality" in frame.columns and bool((frame["geocode_quality"].fillna("") != "").all())


def _is_in_china(frame: gpd.GeoDataFrame) -> bool:
    shapes = np.asarray(frame.geometry.to_crs("EPSG:4326").array, dtype=object)
    return bool(in_china(shapely.get_x(shapes), shapely.get_y(shapes)).any())


def _holds_points(frame: gpd.GeoDataFrame) -> bool:
    shapes = np.asarray(frame.geometry.array, dtype=object)
    return bool((shapely.get_type_id(shapes) == shapely.GeometryType.POINT).all())


def _other_datum(used: InputFile, fit: DatumFit) -> Fault:
    read, best = cast("Datum", used.datum), cast("Datum", fit.verdict)
    if fit.by == "names":
        n, m = fit.n_names, (fit.near_names[best], fit.near_names[read])
        far = fit.names_m[best], fit.names_m[read]
        en = f"of {n} names that stand on the map {m[0]} are within {NEAR_NAME_M:g} m as {TITLES[best]}, {m[1]} as "
        en += f"{TITLES[read]} (median {far[0]:.0f} m and {far[1]:.0f} m)"
        zh = f"地图上也有的 {n} 个名称中，按 {TITLES[best]} 有 {m[0]} 个相距不超过 {NEAR_NAME_M:g} 米，"
        zh += f"按 {TITLES[read]} 有 {m[1]} 个（中位数分别为 {far[0]:.0f} 米和 {far[1]:.0f} 米）"
    else:
        far = fit.streets_m[best], fit.streets_m[read]
        en = f"the nearest street is {far[0]:.0f} m away on average as {TITLES[best]}, {far[1]:.0f} m as "
        en += TITLES[read]
        zh = f"到最近道路的平均距离，按 {TITLES[best]} 为 {far[0]:.0f} 米，按 {TITLES[read]} 为 {far[1]:.0f} 米"
    if used.is_datum_stated:
        en = f"is stated to be in {TITLES[read]}, and fits the map in {TITLES[best]}: {en}. Check the statement."
        zh = f"写明为 {TITLES[read]}，但与地图相符的是 {TITLES[best]}：{zh}。请核对。"
        return Fault(en, zh, file=used.file, sheet=used.sheet, level="warning")
    fix = f'`datum = "{best}"`', f'`datum = "{read}"`'
    en = f"seems to be in {TITLES[best]}, not {TITLES[read]}: {en}. Write {fix[0]} under [{used.role}] in "
    en += f"study.toml; or {fix[1]}, if it is right as it is."
    zh = f"坐标似乎是 {TITLES[best]}，而不是 {TITLES[read]}：{zh}。请在 study.toml 的 [{used.role}] 下写 "
    zh += f"{fix[0].strip('`')}；若坐标无误，请写 {fix[1].strip('`')}。"
    return Fault(en, zh, file=used.file, sheet=used.sheet)


def _mixed_datums(used: InputFile, fit: DatumFit) -> Fault:
    parts = [(TITLES[d], n) for d, n in fit.n_near_only.items() if n]
    en = "rows seem to be in several datums: by names on the map " + ", ".join(f"{n} in {d}" for d, n in parts)
    zh = "各行坐标系似乎不一致：按地图上的名称，" + "，".join(f"{d} {n} 行" for d, n in parts)
    en += ". Add a column `datum` that says which row is in which."
    return Fault(en, zh + "。请增加“坐标系”一列，逐行写明。", file=used.file, sheet=used.sheet, level="warning")
