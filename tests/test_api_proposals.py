"""Jobs about what is tried: places that the plan proposes, trouble on the road, and the proposal as a document."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from starlette.testclient import TestClient
from test_api_jobs import KEY, WITH_KEY, refused, waited_for
from test_api_uploads import folder_as_zip
from tiny_study import crossing, write_tiny_study

import servicecircle as sc
from api.jobs.questions import Question
from api.main import create_app
from api.settings import Settings
from api.stored_closures import read_closures, together, written_closures
from servicecircle.closures import Closures


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> sc.Study:
    return sc.load_study(write_tiny_study(tmp_path_factory.mktemp("proposals") / "town"))


@pytest.fixture(scope="module")
def client(tiny: sc.Study) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(api_key=KEY), study=tiny), headers=WITH_KEY) as made:
        yield made


def place(column: float, row: float, kind: str = "station", **more: Any) -> dict[str, Any]:
    lon, lat = crossing(column, row)
    return {"kind": kind, "lon": lon, "lat": lat, **more}


def flood(column: float, row: float, **properties: Any) -> dict[str, Any]:
    """A report of trouble at a crossing."""
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": list(crossing(column, row))},
        "properties": {"radius_m": 60, "name": "路口积水", **properties},
    }


def ended(client: TestClient, process: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """A job that has ended well."""
    answer = client.post(f"/ogc/processes/{process}/execution", json={"inputs": inputs})
    assert answer.status_code == 201, answer.text
    told = waited_for(lambda: client.get(answer.headers["location"]).json(), "successful", "failed")
    assert told["status"] == "successful", told
    return told


# ---------------------------------------------------------------------------------------- places that are proposed
@pytest.mark.parametrize(
    ("inputs", "counts", "sources"),
    [
        ({}, (1, 1), ("study",)),
        ({"shops": 2}, (1, 3), ("study", "places")),
        ({"stations": 1}, (2, 1), ("study", "corners")),
    ],
)
def test_what_is_proposed_must_be_in_the_plan_beside_what_counts_ask_for(
    tiny: sc.Study, inputs: dict[str, Any], counts: tuple[int, int], sources: tuple[str, ...]
) -> None:
    new = [place(4, 1, name="东门驿站"), place(5, 2, "shop")]
    asked = Question.model_validate({"propose": new, **inputs}).asked_of(tiny)
    assert (asked.suggest.stations, asked.suggest.shops) == counts
    assert asked.siting.must == ("proposed-1", "proposed-2")
    assert asked.candidate_sources == sources
    assert asked.candidates.loc[["proposed-1", "proposed-2"], "name"].tolist() == ["东门驿站", "proposed 2"]
    assert tiny.siting.must == (), "the study is as it was"


@pytest.mark.slow
def test_a_plan_proposes_what_is_tried_and_nothing_else(tiny: sc.Study) -> None:
    new = [place(4, 1, name="东门驿站"), place(5, 2, "shop", name="面馆")]
    plan = sc.suggest(Question.model_validate({"propose": new}).asked_of(tiny))
    assert sorted(plan.sites["name"]) == ["东门驿站", "面馆"]
    assert plan.solution.proof == "optimal" or plan.solution.gap == 0
    frame = gpd.GeoDataFrame(
        {"kind": [one["kind"] for one in new]},
        index=["a", "b"],
        geometry=gpd.points_from_xy([one["lon"] for one in new], [one["lat"] for one in new]),
        crs=4326,
    )
    tried = sc.what_if(sc.suggest(tiny, stations=0, shops=0), add=frame)
    assert sum(plan.sites["riders_gained"]) == pytest.approx(tried.gained["10"])


# ------------------------------------------------------------------------------------------------- trouble of jobs
def test_closures_are_the_same_after_they_were_written() -> None:
    features = [flood(3, 1, **{"factor": 0.5, "source": "交警", "modes": "walk"}), flood(4, 1)]
    frame = gpd.GeoDataFrame.from_features(features, crs=4326)
    frame["from"] = ["2026-11-24 09:00", None]
    frame.index = ["a", "b"]
    one = Closures(frame)
    again = read_closures(json.loads(json.dumps(written_closures(one))))
    assert again is not None
    assert again.frame.drop(columns="geometry").equals(one.frame.drop(columns="geometry"))
    assert again.frame.geometry.equals(one.frame.geometry)
    assert read_closures([]) is None
    assert together(one.rows(np.array([1])), one).frame.index.tolist() == ["b", "a"]


@pytest.mark.slow
def test_a_job_counts_the_report_that_holds_as_the_map_does_and_says_so(client: TestClient) -> None:
    usual = ended(client, "suggest", {})
    assert "closures" not in usual
    kept = client.post("/closures", json=flood(3, 2)).json()
    later = client.post("/closures", json=flood(2, 2, **{"from": "2090-01-01"})).json()
    told = ended(client, "suggest", {})
    result = client.get(f"/ogc/jobs/{told['jobID']}/results").json()
    shown = client.get("/summary.json").json()
    for name in ("before", "after", "suggestions", "closures"):
        assert result["summary"]["value"][name] == shown[name], name
    assert result["suggestions"]["value"] == client.get("/suggestions.geojson").json()
    assert told["closures"] == [kept["id"]]
    before = client.get(f"/ogc/jobs/{usual['jobID']}/results").json()["summary"]["value"]["before"]
    assert before["covered"]["10"] > shown["before"]["covered"]["10"]
    for one in (kept, later):
        assert client.delete(f"/closures/{one['id']}").status_code == 204
    assert ended(client, "suggest", {})["status"] == "successful"


@pytest.mark.slow
def test_the_proposal_tells_what_was_tried_and_the_street_that_is_closed(client: TestClient) -> None:
    docx = pytest.importorskip("docx")
    inputs = {
        "propose": [place(4, 1, name="东门驿站")],
        "closures": {"type": "FeatureCollection", "features": [{**flood(3, 2), "id": "tried"}]},
        "minutes": [8],
        "proposal": True,
    }
    told = ended(client, "plan", inputs)
    assert told["inputs"] == inputs
    assert told["closures"] == ["tried"]
    result = client.get(f"/ogc/jobs/{told['jobID']}/results").json()
    answer = client.get(result["proposal"]["href"])
    assert answer.headers["content-type"].endswith("wordprocessingml.document")
    file = Path(client.app.state.plans.study.folder) / "read.docx"
    file.write_bytes(answer.content)
    document = docx.Document(str(file))
    file.unlink()
    text = "\n".join(
        [paragraph.text for paragraph in document.paragraphs]
        + [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    )
    assert "东门驿站" in text
    assert "8 分钟" in text
    assert "按路况期间计算：路口积水" in text
    assert result["summary"]["value"]["closures"][0]["closures"] == ["tried"]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"closures": {"type": "FeatureCollection", "features": [flood(3, 2, radius_m=None)]}}, "radius_m"),
        ({"closures": {"type": "FeatureCollection"}}, "closures.features"),
        ({"propose": [place(3, 2, "depot")]}, "propose.0.kind"),
        ({"proposal": True}, "proposal"),
    ],
)
def test_what_cannot_be_tried_is_refused_before_there_is_a_job(
    client: TestClient, inputs: dict[str, Any], words: str
) -> None:
    answer = client.post("/ogc/processes/suggest/execution", json={"inputs": inputs})
    code = "unknown-parameter" if words == "proposal" else "invalid-value"
    assert words in refused(answer, 400, code)


def test_trouble_on_the_served_roads_is_not_of_a_study_that_comes_packed(
    client: TestClient, tiny: sc.Study
) -> None:
    body = {
        "study": base64.b64encode(folder_as_zip(Path(tiny.folder))).decode(),
        "closures": {"type": "FeatureCollection", "features": []},
    }
    answer = client.post("/ogc/processes/plan/execution", json={"inputs": body})
    assert "`closures`" in refused(answer, 400, "invalid-value")
