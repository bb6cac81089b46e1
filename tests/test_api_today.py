"""Today by question: how the study stands without suggestions, and its roads under each profile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

import servicecircle as sc
from api.errors import StoppingError
from api.main import create_app
from api.plans import Question, question_of
from api.roads import StudyRoads
from api.settings import Settings
from api.today import Today
from servicecircle.coverage import totals
from servicecircle.errors import InputError


@pytest.fixture(scope="module")
def roads(tiny: sc.Study) -> StudyRoads:
    return StudyRoads(tiny)


def never_stops(_stage: str) -> None:
    """A server that goes on."""


def test_today_is_what_a_plan_says_of_before_and_suggests_nothing(tiny: sc.Study, roads: StudyRoads) -> None:
    plan = Today(roads, most=2, go_on=never_stops)(question_of(tiny))
    expected = sc.suggest(tiny)
    assert totals(plan.before) == totals(expected.before)
    assert plan.sites.empty
    assert not expected.sites.empty


def test_another_profile_has_its_own_roads_read_once(tiny: sc.Study, roads: StudyRoads) -> None:
    assert roads.under("walk") is roads.under("")
    by_bike = roads.under("ebike")
    assert by_bike is roads.under("ebike")
    assert by_bike.roads.network.profile.name == by_bike.study.profile.name == "ebike"
    plan = Today(roads, most=2, go_on=never_stops)(Question((5.0,), profile="ebike"))
    assert totals(plan.before) == totals(sc.suggest(tiny, profile="ebike", minutes=[5.0]).before)
    with pytest.raises(InputError, match="must be one of walk"):
        roads.under("horse")


def test_a_standard_has_breaks_of_its_own(roads: StudyRoads) -> None:
    assert roads.under("gb50180").study.minutes == (5.0, 10.0, 15.0)


def test_many_who_ask_at_once_get_one_plan_and_the_oldest_goes(tiny: sc.Study, roads: StudyRoads) -> None:
    begun: list[str] = []
    today = Today(roads, most=1, go_on=begun.append)
    own = question_of(tiny)
    with ThreadPoolExecutor(4) as pool:
        plans = list(pool.map(today, [own] * 4))
    assert all(plan is plans[0] for plan in plans)
    assert begun.count("today") == 1
    today(own._replace(breaks=(5.0,)))
    assert today(own) is not plans[0]


def test_a_server_that_is_stopped_begins_nothing_and_ends_what_it_does(tiny: sc.Study) -> None:
    app = create_app(Settings(), study=tiny)
    app.state.plans.stop()
    with pytest.raises(StoppingError):
        app.state.today(question_of(tiny))
    ended = threading.Event()

    def stop_at_times(stage: str) -> None:
        if stage == "times":
            ended.set()
            raise StoppingError

    with pytest.raises(StoppingError):
        Today(StudyRoads(tiny), most=1, go_on=stop_at_times)(question_of(tiny))
    assert ended.is_set()


@pytest.mark.slow
def test_the_map_files_take_a_profile(tiny: sc.Study) -> None:
    client = TestClient(create_app(Settings(), study=tiny))
    told = client.get("/summary.json?profile=ebike&minutes=4").json()
    assert (told["profile"], told["minutes"]) == ("ebike", [4])
    assert told["before"] == totals(sc.suggest(tiny, profile="ebike", minutes=[4.0]).before)
    assert client.get("/summary.json?profile=walk").content == client.get("/summary.json").content
    for query, names in (
        ("profile=horse", ["profile"]),
        ("profile=", ["profile"]),
        ("profile=gb50180&minutes=8", ["minutes"]),
    ):
        answer = client.get(f"/summary.json?{query}", headers={"Accept-Language": "en"})
        assert (answer.status_code, answer.json()["parameters"]) == (400, names)
