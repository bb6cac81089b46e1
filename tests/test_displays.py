"""What a study, a plan and their parts look like in a notebook: tables with the plan's numbers, and a picture."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import pytest
import shapely
from studies import write_study

import servicecircle as sc
from servicecircle.study_sketch import study_sketch

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> sc.Plan:
    return sc.suggest(sc.load_study(write_study(tmp_path_factory.mktemp("town"))))


def cells_of(html: str) -> list[str]:
    return re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", html)


def test_a_plan_shows_the_numbers_of_its_summary_and_a_map(plan: sc.Plan) -> None:
    html = plan._repr_html_()
    riders = float(plan.before.weight.sum())
    shares = [f"{plan.before.weight[within].sum() / riders:.1%}" for within in plan.before.covered.T]
    assert set(shares) <= set(cells_of(html))
    assert all(name in cells_of(html) for name in plan.sites["name"])
    assert html.count("<iframe") == 1


def test_a_coverage_and_a_network_show_their_figures(plan: sc.Plan) -> None:
    assert cells_of(plan.before._repr_html_())[4] == f"{plan.before.minutes[0]:g}"
    assert f"{plan.network.n_street:,}" in cells_of(plan.network._repr_html_())


def test_a_study_lists_its_files_and_draws_each_place_once(plan: sc.Plan) -> None:
    study = plan.study
    html = study._repr_html_()
    assert [used.file in cells_of(html) for used in study.inputs] == [True] * len(study.inputs)
    root = ElementTree.fromstring(study_sketch(study, "zh"))
    drawn = {tag: len(list(root.iter(f"{{http://www.w3.org/2000/svg}}{tag}"))) for tag in ("circle", "rect")}
    assert study.stations is not None and study.shops is not None
    assert study.candidates is not None and study.depots is not None
    n_disks = len(study.stations) + len(study.shops) + len(study.candidates)
    assert drawn == {"circle": n_disks + 3, "rect": len(study.depots) + 1}  # and one of each in the legend


def test_places_stand_north_up_and_to_scale(plan: sc.Plan) -> None:
    corners = [(113.36, 22.48), (113.36, 22.49), (113.37, 22.48)]
    frame = gpd.GeoDataFrame({"name": list("abc")}, geometry=[shapely.Point(at) for at in corners], crs="EPSG:4326")
    study = dataclasses.replace(
        plan.study, stations=frame, shops=None, depots=None, candidates=None, zones=None, area=None
    )
    text = study_sketch(study, "en")
    assert text == study_sketch(study, "en")
    places = [(float(x), float(y)) for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)" r="5.5"', text)][:3]
    (x0, y0), (x1, y1), (x2, y2) = sorted(places, key=lambda at: (at[0], -at[1]))
    assert (x0, y2) == (x1, y0)
    assert y1 < y0 and x2 > x0
    assert (x2 - x0) / (y0 - y1) == pytest.approx(0.924, abs=0.01)  # the cosine of 22.5 degrees


def test_a_study_without_places_draws_nothing(plan: sc.Plan) -> None:
    bare = dict.fromkeys(("stations", "shops", "depots", "candidates", "zones", "area"))
    assert study_sketch(dataclasses.replace(plan.study, **bare), "zh") == ""  # type: ignore[arg-type]


def test_hostile_names_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    study = sc.load_study(write_study(tmp_path, names=[HOSTILE, HOSTILE]))
    hostile = dataclasses.replace(study, name=HOSTILE, office=HOSTILE)
    for thing in (hostile, sc.suggest(hostile, stations=0, shops=0)):
        html = thing._repr_html_()
        assert "<script>alert" not in html
        assert "<img src=x" not in html
    assert sc.html_of(HOSTILE).startswith("<pre>")
    assert "<script>" not in sc.html_of(HOSTILE)


def test_a_terminal_shows_a_name_and_no_array(plan: sc.Plan) -> None:
    things = (plan, plan.study, plan.before, plan.network)
    assert [repr(thing) for thing in things] == ["<Plan '小镇'>", "<Study '小镇'>", "<Coverage>", "<Network>"]
