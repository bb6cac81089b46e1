"""Service areas: the share of places that lie on their right side, as the benchmarks count it."""

from __future__ import annotations

import pytest

from benchmarks.area_cases import prepare, share_right
from benchmarks.areas import areas, ours
from benchmarks.cities import superblock_city


@pytest.mark.slow
@pytest.mark.parametrize(("detail", "least"), [("fine", 0.999), ("fast", 0.995)])
def test_places_lie_on_their_right_side(detail: str, least: float) -> None:
    case = prepare("city", superblock_city(3000, profile="walk", on_foot=True), stations=8, minutes=(10, 15))
    drawn = ours(case, detail)
    assert share_right(drawn, case.truth) >= least
    turned = [row[::-1] for row in drawn]  # the areas of 15 minutes for those of 10: the count is not blind
    assert share_right(turned, case.truth) < 0.9


@pytest.mark.slow
def test_the_benchmark_of_areas_runs_beside_its_peers() -> None:
    case = prepare("city", superblock_city(500, profile="walk", on_foot=True), stations=2, minutes=(5,))
    rows = areas(case, rounds=1, budget_s=1.0, with_peers=("osmnx", "hulls"))
    assert [row.name for row in rows if row.name.startswith("OSMnx")] == ["OSMnx recipe", "OSMnx notebook"]
    assert all("% right" in row.note for row in rows)
