"""Trouble on the road on the map: the parts of streets, with the time of each report."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from studies import BLOCK_M, CRS, ORIGIN, write_study

import servicecircle as sc
from servicecircle._page.closures import span_text
from servicecircle._page.words import Words


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> sc.Plan:
    return sc.suggest(sc.load_study(write_study(tmp_path_factory.mktemp("study") / "town")), stations=0, shops=0)


def reports(*blocks: tuple[float, float], **columns: object) -> gpd.GeoDataFrame:
    shapes = shapely.points(np.array(blocks) * BLOCK_M + ORIGIN)
    return gpd.GeoDataFrame(geometry=shapes, crs=CRS).assign(radius_m=30.0, **columns)


def drawn(plan: sc.Plan, given: gpd.GeoDataFrame, lang: str = "zh") -> list[dict]:
    told = dataclasses.replace(plan, trouble=sc.tell_closures(plan, given))
    return sc.draw_map(told, lang=lang)._children["closures"].data  # type: ignore[arg-type]


def test_each_report_is_drawn_on_its_parts_with_its_time(plan: sc.Plan) -> None:
    times = {"from": ["2026-08-01 09:00", None], "until": ["2026-08-01 10:00", None]}
    given = reports((3, 2), (6.5, 3), name=["路口积水", "堆物"], factor=[0.0, 0.5], **times)
    closed, slowed = drawn(plan, given)
    assert (closed["name"], closed["when"], closed["is_closed"]) == ("路口积水", "08-01 09:00–10:00", True)
    assert (slowed["name"], slowed["when"], slowed["is_closed"]) == ("堆物", "", False)
    assert len(closed["lines"]) == 4  # the four arms of the crossing
    assert len(slowed["lines"]) == 1
    origin = np.array(sc.draw_map(plan)._children["panel"].data["origin"])
    metres = 0.0
    for steps in closed["lines"]:
        degrees = np.cumsum(np.reshape(steps, (-1, 2)), axis=0) / 1e6 + origin
        line = gpd.GeoSeries([shapely.LineString(degrees)], crs="EPSG:4326").to_crs(CRS)
        metres += float(line.length.iloc[0])
    assert metres == pytest.approx(4 * 30, abs=1)


def test_no_trouble_and_trouble_beside_the_streets_draw_nothing(plan: sc.Plan) -> None:
    assert sc.draw_map(plan)._children["closures"].data == []
    assert drawn(plan, reports((0.5, 0.5))) == []


@pytest.mark.parametrize(
    ("begin", "end", "zh"),
    [
        ("2026-08-01T09:00:00+08:00", "2026-08-01T10:30:00+08:00", "08-01 09:00–10:30"),
        ("2026-08-01T09:00:00+08:00", "2026-08-02T10:30:00+08:00", "08-01 09:00–08-02 10:30"),
        ("2026-08-01T09:00:00+08:00", None, "08-01 09:00 起"),
        (None, "2026-08-02T10:30:00+08:00", "至 08-02 10:30"),
        (None, None, ""),
    ],
)
def test_a_span_is_told_in_few_characters(begin: str | None, end: str | None, zh: str) -> None:
    assert span_text(begin, end, Words("zh")) == zh


def test_a_hostile_name_cannot_leave_its_data(plan: sc.Plan, tmp_path: Path) -> None:
    told = sc.tell_closures(plan, reports((3, 2), name="</script><img src=x onerror=alert(1)>"))
    sc.draw_map(dataclasses.replace(plan, trouble=told)).save(str(tmp_path / "map.html"))
    assert "</script><img" not in (tmp_path / "map.html").read_text(encoding="utf-8")
