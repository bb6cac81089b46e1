"""How much memory kept answers hold, against hand counts, a real process, and a server that forgets."""

from __future__ import annotations

import subprocess
import sys
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from starlette.testclient import TestClient

import servicecircle as sc
from api.main import create_app
from api.plans import Question
from api.settings import MEGABYTE, Settings
from api.sizes import RING_BYTES, VERTEX_BYTES, bytes_of

A = np.zeros(1_000)
SQUARE = shapely.box(0, 0, 1, 1)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, 0),
        (3.5, 0),
        (A, 8_000),
        ([A, (A, A)], 8_000),  # each once
        (A[10:12], 8_000),  # a view holds all of it
        (MappingProxyType({1: A, 2: A.copy()}), 16_000),
        (pd.Series(A), 8_000),
        (pd.DataFrame({1: A, 2: A + 1}), 16_000),
        (pd.Series(A, index=np.arange(1_000) * 2), 16_000),
        (pd.Series(A, index=pd.MultiIndex.from_product([np.arange(10), np.arange(100)])), 8_000 + 2_000 + 110 * 8),
        (SQUARE, RING_BYTES + 5 * VERTEX_BYTES),
        (SQUARE.difference(shapely.box(0.2, 0.2, 0.8, 0.8)), 2 * RING_BYTES + 10 * VERTEX_BYTES),
        (gpd.GeoDataFrame(geometry=[SQUARE, None]), 16 + RING_BYTES + 5 * VERTEX_BYTES),
    ],
)
def test_what_is_held_is_counted_once(value: object, told: int) -> None:
    assert bytes_of(value) == told


def test_texts_count_and_what_is_held_anyway_does_not() -> None:
    words = np.array(["a" * 1_000, "b" * 1_000], dtype=object)
    assert 2_000 < bytes_of(words) < 2_300
    assert bytes_of(pd.Series(["a" * 1_000])) > 1_000
    assert bytes_of(b"x" * 1_000) == bytes_of({"k": b"x" * 1_000}) - sys.getsizeof("k")
    assert bytes_of([A, A + 1], besides=[{"a": A[3:]}]) == 8_000


def test_a_plan_is_counted_without_its_study_and_roads(tiny: sc.Study) -> None:
    app = create_app(Settings(), study=tiny)
    with TestClient(app):
        today, roads = app.state.today, app.state.plans.roads
        few, many = today(Question((5.0,))), today(Question((5.0, 8.0, 9.0, 10.0)))
    assert 0 < roads.bytes_beside(few) < roads.bytes_beside(many) < bytes_of(many)
    assert bytes_of(few.circles) > 0
    assert roads.bytes_beside(few.network) == roads.bytes_beside(roads.study) == 0


@pytest.mark.slow
def test_a_server_forgets_what_takes_more_than_it_may_keep(tiny: sc.Study) -> None:
    app = create_app(Settings(kept_plans_mb=1, kept_todays_mb=1, kept_maps_mb=1), study=tiny)
    with TestClient(app) as client:
        for minutes in range(5, 17):
            assert client.get(f"/live/today.json?minutes={minutes}").status_code == 200
            assert client.get(f"/map?minutes={minutes % 4 + 5}").status_code == 200
        plans, today = app.state.plans, app.state.today
        weigh = plans.roads.bytes_beside
        for kept, weight, own in (
            (today._made, weigh, 0),
            (plans._made, weigh, 1),
            (plans._maps, lambda body: body.most_bytes, 1),
        ):
            held = kept.answers()
            assert len(held) == own + 1 or sum(map(weight, held[own:])) <= 1.1 * MEGABYTE  # files are packed later
            assert len(held) < 8


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the memory of the process is looked at")
def test_shapes_are_counted_as_the_process_grows() -> None:
    program = """
import numpy as np, shapely
from pathlib import Path
from api.sizes import bytes_of
def held():
    return int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0]) * 1024
angles = np.linspace(0, 2 * np.pi, 500)
ring = np.column_stack([np.cos(angles), np.sin(angles)])
before = held()
shapes = [shapely.Polygon(ring + k) for k in range(5_000)]
print((held() - before) / bytes_of(shapes))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert 0.6 < float(done.stdout) < 1.5
