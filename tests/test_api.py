"""The HTTP answers: what is sent, what is refused, and what many threads at once get."""

from __future__ import annotations

import dataclasses
import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path

import geopandas as gpd
import pytest
from starlette.testclient import TestClient
from tiny_study import write_tiny_study

import servicecircle as sc
from api.errors import STATUS, ParameterError, status_of
from api.kept import Kept
from api.main import create_app
from api.plans import question_of
from api.settings import PREFIX, Settings
from servicecircle import errors
from servicecircle.trouble import with_trouble
from servicecircle.writers import write_outputs

LAYERS = ("circles", "coverage", "gaps", "suggestions")
PLANNED = ("/map", *(f"/{name}.geojson" for name in LAYERS), "/summary.json")
PAGE = ("/", "/live.json", "/live/today.json")
EVERY = (*PLANNED, *PAGE, "/healthz", "/docs", "/openapi.json")
DOCS = Path(__file__).resolve().parents[1] / "docs" / "how-to"


@pytest.fixture(scope="module")
def client(tiny: sc.Study) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(), study=tiny), follow_redirects=False) as made:
        yield made


def refused(client: TestClient, url: str, *, status: int = 400, method: str = "GET", lang: str = "en") -> dict:
    """The problem that a request is answered with, after checking its shape."""
    answer = client.request(method, url, headers={"Accept-Language": lang})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert list(problem) == ["title", "status", "code", "detail", "parameters"]
    assert problem["status"] == status
    return problem


# ------------------------------------------------------------------------------------------------ what is sent
@pytest.mark.parametrize(
    "minutes", [(5.0, 10.0), *(pytest.param(some, marks=pytest.mark.slow) for some in [(8.0,), (3.0, 7.5)])]
)
def test_what_is_sent_is_byte_for_byte_what_plan_writes(
    client: TestClient, tiny: sc.Study, tmp_path: Path, minutes: tuple[float, ...]
) -> None:
    write_outputs(sc.suggest(tiny, minutes=minutes), tmp_path)
    asked = "" if minutes == tiny.minutes else "?minutes=" + ",".join(f"{m:g}" for m in minutes)
    for name in LAYERS:
        assert client.get(f"/{name}.geojson{asked}").content == (tmp_path / f"{name}.geojson").read_bytes()
    assert client.get(f"/map{asked}").content == (tmp_path / "map.html").read_bytes()
    assert client.get(f"/summary.json{asked}").content == (tmp_path / "summary.json").read_bytes()


def test_the_studys_own_breaks_are_the_default(client: TestClient) -> None:
    assert client.get("/coverage.geojson").content == client.get("/coverage.geojson?minutes=5,10").content


def test_breaks_may_be_written_as_people_write_them(client: TestClient) -> None:
    expected = client.get("/gaps.geojson?minutes=5,10").content
    for text in ("5,%2010", "5，10", "5.0,10", "05,10"):
        assert client.get(f"/gaps.geojson?minutes={text}").content == expected


def test_geopandas_reads_every_layer_and_totals_agree(client: TestClient, tmp_path: Path) -> None:
    frames = {}
    for name in LAYERS:
        answer = client.get(f"/{name}.geojson?minutes=5,10")
        assert answer.headers["content-type"] == "application/geo+json"
        (tmp_path / f"{name}.geojson").write_bytes(answer.content)
        frames[name] = gpd.read_file(tmp_path / f"{name}.geojson")
        assert frames[name].crs == "EPSG:4326"
    totals = client.get("/summary.json?minutes=5,10").json()
    assert frames["coverage"]["riders"].sum() == pytest.approx(120)
    assert frames["coverage"]["covered_10"].sum() == pytest.approx(totals["before"]["covered"]["10"])
    assert frames["gaps"]["riders"].sum() == pytest.approx(totals["gaps"]["riders"])
    assert len(frames["suggestions"]) == len(totals["suggestions"]) == 2


def test_the_map_asks_no_host_for_anything_and_shows_names_literally(client: TestClient) -> None:
    page = client.get("/map")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']?(?:https?:)?//", page.text)
    assert "<b>${x}</b>" not in page.text


def test_the_root_is_the_live_page_also_behind_a_prefix(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.findall(r"(?:src|href)=\"/", page.text)


def test_health_is_told(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize("path", EVERY)
def test_head_has_the_headers_of_get_and_no_body(client: TestClient, path: str) -> None:
    get, head = client.get(path), client.head(path)
    assert head.status_code == get.status_code
    assert head.headers == get.headers
    assert head.content == b""


def test_no_riders_at_all_is_told_as_null_not_as_a_share(tmp_path: Path) -> None:
    study = sc.load_study(write_tiny_study(tmp_path, riders=0))
    with TestClient(create_app(Settings(), study=study)) as client:
        cells = client.get("/coverage.geojson").json()["features"]
        assert {cell["properties"]["share_10"] for cell in cells} == {None}
        assert client.get("/summary.json").json()["before"]["share"] == {"5": None, "10": None}
        assert client.get("/suggestions.geojson").json()["features"] == []
        assert client.get("/map").status_code == 200


@pytest.mark.slow
def test_a_moment_and_services_are_those_of_the_command(tmp_path: Path) -> None:
    folder = write_tiny_study(tmp_path / "town")
    ledger = (folder / "stations.csv").read_text(encoding="utf-8").replace("纬度\n", "纬度,开放时间,服务设施\n")
    (folder / "stations.csv").write_text(ledger.rstrip() + ",9:00-17:00,热水\n", encoding="utf-8")
    study = sc.load_study(folder)
    write_outputs(sc.suggest(study, when="周二 20:30", service=["热水", "充电|热水"]), tmp_path / "out")
    client = TestClient(create_app(Settings(), study=study))
    for name in ("circles", "coverage", "gaps", "suggestions"):
        sent = client.get(f"/{name}.geojson", params={"when": "Tue 20:30", "service": "热水,hot_water|充电"})
        assert sent.content == (tmp_path / "out" / f"{name}.geojson").read_bytes()
    told = client.get("/summary.json?when=周二晚8点半&service=热水").json()
    assert (told["when"], told["service"]) == ("Tue 20:30", ["hot_water"])
    assert set(told["before"]["covered"].values()) == {0}
    assert client.get("/summary.json?when=any&service=any").content == client.get("/summary.json").content


@pytest.mark.slow
def test_trouble_of_the_study_is_told_as_by_the_command(tmp_path: Path) -> None:
    folder = write_tiny_study(tmp_path / "town")
    lon, lat = (folder / "stations.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[-2:]
    (folder / "reports.csv").write_text(f"编号,经度,纬度,半径\nR1,{lon},{lat},400\n", encoding="utf-8")
    with (folder / "study.toml").open("a", encoding="utf-8") as stream:
        stream.write('\n[closures]\nfile = "reports.csv"\n')
    study = sc.load_study(folder)
    write_outputs(with_trouble(sc.suggest(study)), tmp_path / "out")
    client = TestClient(create_app(Settings(), study=study))
    sent = client.get("/summary.json").json()
    written = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert sent["closures"] == written["closures"]
    assert sent["warnings"] == written["warnings"]
    assert sent["closures"][0]["cut_off_10"] > 0
    assert client.get("/map").content == (tmp_path / "out" / "map.html").read_bytes()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("when", text) for text in ("late", "", "9" * 60, "2026-11-24T20:30Z")),
        *(("service", text) for text in ("xyz", "", "热水,", "a" * 500)),
    ],
)
def test_what_is_no_moment_or_service_is_refused(client: TestClient, name: str, text: str) -> None:
    problem = refused(client, f"/gaps.geojson?{name}={text}")
    assert (problem["code"], problem["parameters"]) == ("invalid-value", [name])
    assert len(problem["detail"]) < 400


# --------------------------------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "numbers from 1 to 60"),
        ("abc", "numbers from 1 to 60"),
        ("10,", "numbers from 1 to 60"),
        ("0", "numbers from 1 to 60"),
        ("0.9", "numbers from 1 to 60"),
        ("-5", "numbers from 1 to 60"),
        ("60.1", "numbers from 1 to 60"),
        ("61", "numbers from 1 to 60"),
        ("1e1", "numbers from 1 to 60"),
        ("nan", "numbers from 1 to 60"),
        ("inf", "numbers from 1 to 60"),
        ("8.25", "at most one decimal"),
        ("9" * 5000, "numbers from 1 to 60"),
        ("%00", "numbers from 1 to 60"),
        ("%ff%fe", "numbers from 1 to 60"),
        ("10;DROP TABLE x", "numbers from 1 to 60"),
        ("10,5", "ascend"),
        ("5,5", "ascend"),
        ("1,2,3,4,5", "at most 4"),
    ],
)
@pytest.mark.parametrize("path", ["/coverage.geojson", "/map"])
def test_breaks_that_are_not_allowed_are_refused_with_what_is(
    client: TestClient, path: str, text: str, told: str
) -> None:
    problem = refused(client, f"{path}?minutes={text}")
    assert told in problem["detail"]
    assert (problem["code"], problem["parameters"]) == ("invalid-value", ["minutes"])
    assert len(problem["detail"]) < 300


@pytest.mark.parametrize("text", ["1", "60", "1,20,40,60"])
def test_breaks_at_the_limits_are_allowed(client: TestClient, text: str) -> None:
    assert client.get(f"/summary.json?minutes={text}").status_code == 200


@pytest.mark.parametrize("path", EVERY)
def test_an_unknown_parameter_is_named(client: TestClient, path: str) -> None:
    problem = refused(client, f"{path}?minuts=10")
    assert (problem["code"], problem["parameters"]) == ("unknown-parameter", ["minuts"])
    takes = "`minutes`" if path in {*PLANNED, "/live/today.json"} else "`lang`" if path in PAGE else "none"
    assert f"takes {takes}" in problem["detail"]


def test_all_unknown_parameters_are_told_at_once_and_cut_short(client: TestClient) -> None:
    problem = refused(client, f"/gaps.geojson?k=1&minutes=8&{'x' * 500}=2&k=3")
    assert problem["parameters"] == ["k", "x" * 40]


def test_of_thousands_of_unknown_parameters_a_few_are_told(client: TestClient) -> None:
    problem = refused(client, "/gaps.geojson?" + "&".join(f"p{i}=1" for i in range(2000)))
    assert problem["parameters"] == ["p0", "p1", "p2", "p3", "p4"]
    assert len(problem["detail"]) < 300


def test_a_parameter_that_stands_twice_is_refused(client: TestClient) -> None:
    problem = refused(client, "/gaps.geojson?minutes=5&minutes=10")
    assert problem["parameters"] == ["minutes"]
    assert "more than once" in problem["detail"]


def test_minutes_that_the_standard_does_not_define_are_refused(tmp_path: Path) -> None:
    study = sc.load_study(write_tiny_study(tmp_path, profile="gb50180"))
    client = TestClient(create_app(Settings(), study=study))
    assert "knows 5, 10, 15" in refused(client, "/circles.geojson?minutes=8")["detail"]
    assert client.get("/circles.geojson?minutes=15").status_code == 200


@pytest.mark.parametrize("path", EVERY)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
def test_another_method_is_refused_with_those_that_are_taken(client: TestClient, path: str, method: str) -> None:
    assert refused(client, path, status=405, method=method)["code"] == "method-not-allowed"
    assert client.request(method, path).headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("path", "taken"),
    [("/closures", "GET, HEAD, POST"), ("/ogc/jobs/0", "DELETE, GET, HEAD"), ("/what-if", "POST")],
)
def test_of_several_routes_to_an_address_all_methods_are_told(client: TestClient, path: str, taken: str) -> None:
    answer = client.request("PUT", path)
    assert (answer.status_code, answer.headers["allow"]) == (405, taken)
    assert taken in answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["/nowhere", "/coverage.geojson/", "/map.html", "/..%2f..%2fetc/passwd", "/%2e%2e/x", "/%00"]
)
def test_an_unknown_address_is_told_without_repeating_it(client: TestClient, path: str) -> None:
    problem = refused(client, path, status=404)
    assert problem["code"] == "not-found"
    assert path.strip("/") not in problem["detail"]


def test_a_value_that_fastapi_refuses_has_the_same_shape(tiny: sc.Study) -> None:
    app = create_app(Settings(), study=tiny)

    @app.get("/typed")
    def typed(cell_m: int) -> int:
        return cell_m

    problem = refused(TestClient(app), "/typed?cell_m=abc")
    assert (problem["code"], problem["parameters"]) == ("invalid-value", ["cell_m"])
    assert refused(TestClient(app), "/typed", lang="zh")["detail"] == "参数不正确：cell_m。"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (None, "zh"),  # the study's language
        ("", "zh"),
        ("fr", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9,zh;q=0.5", "en"),
        ("EN;q=0.1, zh-Hans-CN;q=0.7", "zh"),
        ("en;q=0, fr", "zh"),
        ("en;q=abc,zh;q=;", "zh"),
    ],
)
def test_messages_speak_the_language_asked_for_else_the_studys(
    client: TestClient, asked: str | None, told: str
) -> None:
    headers = {} if asked is None else {"Accept-Language": asked}
    answer = client.get("/gaps.geojson?minutes=0", headers=headers)
    assert answer.headers["content-language"] == told
    assert answer.headers["vary"] == "Accept-Language"
    assert answer.json()["detail"].startswith("minutes 应为" if told == "zh" else "`minutes` must hold")


def test_an_english_study_speaks_english_unless_asked_otherwise(tiny: sc.Study) -> None:
    client = TestClient(create_app(Settings(), study=dataclasses.replace(tiny, lang="en")))
    assert "takes none" in client.get("/healthz?x=1").json()["detail"]
    assert "未知参数" in client.get("/healthz?x=1", headers={"Accept-Language": "zh"}).json()["detail"]


# ----------------------------------------------------------------------------------------- the table of errors
OWN_ERRORS = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.ServiceCircleError)]


@pytest.mark.parametrize("error", OWN_ERRORS, ids=lambda c: c.__name__)
def test_every_error_class_has_its_status(error: type[errors.ServiceCircleError]) -> None:
    assert 400 <= STATUS[error] <= 599
    assert STATUS[error] != 422


def test_an_error_outside_the_table_has_the_status_of_its_parent() -> None:
    assert status_of(ParameterError(["minutes"], "wrong", zh="错误")) == 400


SECRET = "/srv/office/roads.osm.pbf"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NetworkError(f"No road in {SECRET}."), 500),
        (errors.StudyError([errors.Fault("is not there.", "不存在。", file=SECRET)]), 500),
        (errors.DownloadError(f"{SECRET}: no answer"), 503),
        (errors.OutputError(f"{SECRET}: disk full"), 507),
        (ZeroDivisionError(SECRET), 500),
        (OSError(2, "No such file", SECRET), 500),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_fault_of_the_server_tells_nothing_of_its_inside(tiny: sc.Study, error: Exception, status: int) -> None:
    app = create_app(Settings(), study=tiny)

    @app.get("/failing")
    def failing() -> None:
        raise error

    client = TestClient(app, raise_server_exceptions=False)
    for lang in ("en", "zh"):
        problem = refused(client, "/failing", status=status, lang=lang)
        assert SECRET not in str(problem)
        assert "Traceback" not in str(problem)
    assert client.get("/healthz").status_code == 200


# ------------------------------------------------------------------------------------------ the document, the page
def test_the_document_names_every_address_and_no_422(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    others = ("/ogc", "/v2/", "/what-if", "/closures")
    plain = {path: by for path, by in document["paths"].items() if not path.startswith(others)}
    assert set(plain) == {*PLANNED, *PAGE, "/coverage-map.png", "/healthz", "/readyz", "/metrics"}
    for path, by in plain.items():
        (operation,) = by.values()
        assert set(operation["responses"]) == {"200", "4XX", "5XX"}, path
        (problem,) = operation["responses"]["4XX"]["content"]
        assert problem == "application/problem+json"
    (kind,) = document["paths"]["/gaps.geojson"]["get"]["responses"]["200"]["content"]
    assert kind == "application/geo+json"


def test_the_pattern_in_the_document_lets_through_what_the_server_takes(client: TestClient) -> None:
    asked = client.get("/openapi.json").json()["paths"]["/map"]["get"]["parameters"]
    assert [one["name"] for one in asked] == ["minutes", "profile", "when", "service"]
    minutes = asked[0]
    assert minutes["schema"]["type"] == "string"
    for text, fits in {"8": True, "5,10": True, "7.5": True, "8.25": False, "": False, "a": False}.items():
        assert bool(re.search(minutes["schema"]["pattern"], text)) is fits


@pytest.mark.slow
def test_the_reference_page_needs_no_network_and_lists_every_address(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "//" not in re.sub(r"<!DOCTYPE[^>]*>", "", page)
    assert "<script" not in page
    for path in (*PLANNED, "/healthz"):
        assert f"GET {path}</code>" in page
    for link in re.findall(r'href="((?!coverage-map)[^"]+)"', page):  # pictures take their time
        assert client.get(f"/{link}").status_code == 200, link


@pytest.mark.slow
def test_every_address_that_takes_a_body_has_an_example_that_works(tmp_path: Path) -> None:
    key = "a-key-of-the-examples"
    nanqu = sc.load_study(Path(__file__).parents[1] / "data" / "nanqu")
    with TestClient(create_app(Settings(api_key=key, store=str(tmp_path / "store.sqlite")), study=nanqu)) as client:
        page = client.get("/docs").text
        n_sent = 0
        for path, by_method in client.get("/openapi.json").json()["paths"].items():
            for media_type, said in by_method.get("post", {}).get("requestBody", {}).get("content", {}).items():
                if media_type == "application/zip":
                    continue
                for one in said["examples"].values():
                    text = json.dumps(one["value"], ensure_ascii=False, indent=1)
                    assert f"<pre>{escape(text)}</pre>" in page, path
                    to = path.replace("{profile}", "foot-walking").replace("{process_id}", "suggest")
                    sent = client.post(to, content=text, headers={"Content-Type": media_type, "X-API-Key": key})
                    assert sent.status_code in (200, 201), (path, sent.text)
                    n_sent += 1
    assert n_sent >= 7


# --------------------------------------------------------------------------------------------- many at once
@pytest.mark.slow
def test_eight_threads_with_other_minutes_each_get_their_own(client: TestClient, tiny: sc.Study) -> None:
    asked = [4, 6, 8, 9, 11, 12, 13, 14]
    begin = threading.Barrier(len(asked))

    def read(minutes: int) -> bytes:
        begin.wait()
        return client.get(f"/coverage.geojson?minutes={minutes}").content

    with ThreadPoolExecutor(len(asked)) as pool:
        answers = dict(zip(asked, pool.map(read, asked), strict=True))
    alone = TestClient(create_app(Settings(), study=tiny))
    for minutes in asked:
        assert answers[minutes] == alone.get(f"/coverage.geojson?minutes={minutes}").content
        assert f'"covered_{minutes}"'.encode() in answers[minutes]


@pytest.mark.slow
@pytest.mark.fault(54)
def test_health_is_answered_while_more_wait_than_there_are_threads(tiny: sc.Study) -> None:
    app = create_app(Settings(plans_waiting=60), study=tiny)
    with TestClient(app) as client, ThreadPoolExecutor(64) as pool:
        with app.state.plans._working:  # as if a plan were being computed all the while
            slow = [pool.submit(client.get, f"/coverage.geojson?minutes={20 + i % 3}") for i in range(60)]
            assert pool.submit(client.get, "/healthz").result(timeout=60).status_code == 200
            assert pool.submit(client.get, "/nowhere").result(timeout=60).status_code == 404
            assert not any(answer.done() for answer in slow)
        assert {answer.result(timeout=120).status_code for answer in slow} == {200}


def test_what_several_ask_for_at_once_is_made_once() -> None:
    made: list[int] = []
    go = threading.Event()

    def make(key: int) -> int:
        made.append(key)
        go.wait(timeout=60)
        return 2 * key

    kept = Kept(make, most=3)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(kept, key) for key in (1, 1, 1, 2, 2, 1)]
        go.set()
        assert [answer.result(timeout=60) for answer in answers] == [2, 2, 2, 4, 4, 2]
    assert sorted(made) == [1, 2]


def test_the_oldest_is_forgotten_but_what_stays_stays() -> None:
    made: list[int] = []
    kept = Kept(lambda key: made.append(key) or key, most=2, stays=lambda key: key == 0)
    for key in (0, 1, 2, 1, 3, 0):  # 3 puts out 2, which was used before 1
        kept(key)
    assert made == [0, 1, 2, 3]
    kept(1), kept(0)
    assert made == [0, 1, 2, 3]
    kept(2)
    assert made == [0, 1, 2, 3, 2]


def test_a_failure_is_told_to_all_who_wait_and_not_kept() -> None:
    outcome: list[Exception | str] = [errors.NetworkError("no roads"), "roads"]

    def make(_key: str) -> str:
        came = outcome.pop(0)
        if isinstance(came, Exception):
            raise came
        return came

    kept = Kept(make, most=1)
    with pytest.raises(errors.NetworkError, match="no roads"):
        kept("study")
    assert kept("study") == "roads"


@pytest.mark.slow
def test_nothing_is_computed_twice_for_one_visitor(tiny: sc.Study) -> None:
    app = create_app(Settings(kept_plans_mb=1), study=tiny)
    with TestClient(app) as client:
        first = app.state.plans.plan(question_of(tiny))
        for path in PLANNED:
            client.get(path)
        for minutes in range(20, 24):  # more than are kept
            client.get(f"/summary.json?minutes={minutes}")
        assert app.state.plans.plan(question_of(tiny)) is first


def test_who_waits_when_the_server_is_stopped_is_told_and_what_is_made_is_still_sent(tiny: sc.Study) -> None:
    app = create_app(Settings(), study=tiny)
    with TestClient(app) as client, ThreadPoolExecutor(8) as pool:
        with app.state.plans._working:
            waiting = [pool.submit(refused, client, f"/gaps.geojson?minutes={m}", status=503) for m in (3, 4, 4)]
            app.state.plans.stop()
        assert {problem.result(timeout=60)["code"] for problem in waiting} == {"service-unavailable"}
        assert client.get("/gaps.geojson").status_code == 200


# ------------------------------------------------------------------------------------- the application, settings
def test_an_application_answers_without_its_lifespan_too(tiny: sc.Study) -> None:
    assert TestClient(create_app(study=tiny)).get("/gaps.geojson").status_code == 200


@pytest.mark.slow
def test_the_study_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiny_study(tmp_path, lang="en")
    monkeypatch.setenv(PREFIX + "STUDY", str(tmp_path))
    app = create_app()
    monkeypatch.delenv(PREFIX + "STUDY")  # was read when the application was made
    with TestClient(app) as client:
        assert client.get("/summary.json").json()["study"] == "小镇"
        assert "takes none" in client.get("/healthz?x=1").json()["detail"]


def test_settings_come_from_their_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "STUDY": " town ",
        "MAX_MINUTES": " 30 ",
        "MAX_BREAKS": "2",
        "KEPT_PLANS_MB": "1",
        "KEY_FOR_READS": "true",
    }
    for name, text in said.items():
        monkeypatch.setenv(PREFIX + name, text)
    told = Settings(study=Path("town"), max_minutes=30, max_breaks=2, kept_plans_mb=1, key_for_reads=True)
    assert Settings() == told
    assert Settings(max_minutes=5).max_minutes == 5  # what is given goes first
    for name in said:
        monkeypatch.setenv(PREFIX + name, "")
    assert Settings().max_minutes == 60


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5"])
@pytest.mark.parametrize("name", ["MAX_MINUTES", "MAX_BREAKS", "KEPT_PLANS_MB"])
def test_a_setting_that_is_not_allowed_is_named(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + name, text)
    told = f"`SERVICECIRCLE_{name}` must be a whole number, at least 1, got '{text}'."
    with pytest.raises(errors.InputError, match=re.escape(told)) as refusal:
        Settings()
    assert f"环境变量 SERVICECIRCLE_{name} 应为不小于 1 的整数" in refusal.value.zh


def test_settings_that_are_none_are_told_together() -> None:
    with pytest.raises(
        errors.InputError, match=r"`SERVICECIRCLE_MAX_MINUTES` .+ `SERVICECIRCLE_KEPT` is no setting"
    ):
        Settings(max_minutes="x", kept=1)


def test_limits_are_those_of_the_settings(tiny: sc.Study) -> None:
    client = TestClient(create_app(Settings(max_minutes=8, max_breaks=1), study=tiny))
    assert "from 1 to 8" in refused(client, "/map?minutes=9")["detail"]
    assert "at most 1" in refused(client, "/map?minutes=5,8")["detail"]
    assert client.get("/gaps.geojson").status_code == 200  # the study's own breaks are always allowed


def test_no_study_at_all_is_told() -> None:
    with pytest.raises(errors.InputError, match="SERVICECIRCLE_STUDY"):
        create_app(Settings())


@pytest.mark.parametrize("end", [".md", ".zh.md"])
def test_the_docs_name_every_setting_and_every_address(end: str, tiny: sc.Study) -> None:
    text = "".join((DOCS / f"{page}{end}").read_text(encoding="utf-8") for page in ("serve", "open-in-gis", "jobs"))
    for name in Settings.model_fields:
        assert PREFIX + name.upper() in text
    for path in [*create_app(study=tiny).openapi()["paths"], "/docs", "/openapi.json"]:
        told = re.sub("^/ogc/collections/[a-z]+", "/ogc/collections/{collection}", path)
        assert f"`{told}`" in text, path
    for name in ("title", "status", "code", "detail", "parameters"):
        assert f'"{name}"' in text
