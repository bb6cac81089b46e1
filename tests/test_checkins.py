"""Check-ins: a log becomes counts, whose they were is nowhere; beside the plan's riders; as demand."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from studies import TOML, write_study

import servicecircle as sc
from servicecircle.checkins import checkins_of
from servicecircle.observed_demand import _by_week, _known_days, _told_hours, _told_weeks
from servicecircle.report import plan_lines

IDS = ["RAW-7f3a91c2", "13800138000", "oGZ8-openid-55", "张三丰收"]
PLACES = ["S1", "S2", "P1"]


def log_rows(n: int = 400, seed: int = 1) -> list[tuple[str, str, str]]:
    """Rows of a log: who, when, where; most at S1."""
    rng = np.random.default_rng(seed)
    begin = dt.datetime(2026, 9, 28)  # a Monday
    minutes = np.sort(rng.integers(0, 5 * 7 * 1440, n))
    where = rng.choice(PLACES, n, p=[0.7, 0.25, 0.05])
    who = rng.choice(IDS, n)
    return [
        (str(i), (begin + dt.timedelta(minutes=int(m))).strftime("%Y-%m-%d %H:%M"), str(p))
        for i, m, p in zip(who, minutes, where, strict=True)
    ]


def log_text(rows: list[tuple[str, str, str]], header: str = "openid,打卡时间,打卡点") -> str:
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


def study_with(folder: Path, text: str, more: str = "", *, top: str = "", name: str = "log.csv") -> Path:
    write_study(folder, top + TOML + f'\n[checkins]\nfile = "{name}"\n{more}\n')
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def counts_of(study: sc.Study) -> dict[tuple[str, str, int], float]:
    assert study.checkins is not None
    rows = study.checkins.counts
    return {
        (p, b.date().isoformat(), h): n
        for p, b, h, n in zip(rows["place_id"], rows["begin"], rows["hour"], rows["n"], strict=True)
    }


# ------------------------------------------------------------------------------------------------------- reading
def test_a_log_is_counted_by_place_day_and_hour(tmp_path: Path) -> None:
    rows = log_rows()
    study = sc.load_study(study_with(tmp_path, log_text(rows)))
    expected = Counter((place, time[:10], int(time[11:13])) for _, time, place in rows)
    assert counts_of(study) == expected
    weeks: dict[str, set[str]] = {}
    for who, time, _ in rows:
        day = dt.date.fromisoformat(time[:10])
        weeks.setdefault((day - dt.timedelta(days=day.weekday())).isoformat(), set()).add(who)
    persons = study.checkins.persons
    assert dict(zip(persons["week"].dt.date.astype(str), persons["persons"], strict=True)) == {
        week: len(who) for week, who in weeks.items()
    }


def test_times_and_places_are_read_as_people_write_them(tmp_path: Path) -> None:
    rows = [
        "2026/10/1 9:03,桥头驿站",
        "2026年10月1日 9:59,S1",
        "2026-10-01T09:00:00+08:00,s1",
        "2026-10-01,东街驿站",
    ]
    study = sc.load_study(study_with(tmp_path, "\n".join(["时间,驿站名称", *rows])))
    assert counts_of(study) == {("S1", "2026-10-01", 9): 3, ("S2", "2026-10-01", -1): 1}


def test_the_total_of_a_month_and_of_a_span(tmp_path: Path) -> None:
    text = "月份,瓶数\n2026-10,731\n"
    study = sc.load_study(study_with(tmp_path / "a", text, 'place = "S1"\nstock = 30'))
    rates = sc.daily_rates(study.checkins)
    assert rates.to_dict() == {"S1": pytest.approx(731 / 31)}
    text = "打卡点,开始日期,结束日期,次数\nS1,2026-10-01,2026-10-30,731\nS2,2026-10-01,2026-10-10,20\n"
    study = sc.load_study(study_with(tmp_path / "b", text))
    assert sc.daily_rates(study.checkins).to_dict() == {"S1": pytest.approx(731 / 30), "S2": 2.0}


def test_rows_that_cannot_be_counted_are_told_without_what_stands_in_them(tmp_path: Path) -> None:
    rows = [*log_rows(30), (IDS[0], "yesterday", "S1"), (IDS[1], "2026-10-01 09:00", IDS[2]), (IDS[3], "", "S1")]
    study = sc.load_study(study_with(tmp_path, log_text(rows)))
    told = [fault for fault in study.warnings if fault.file == "log.csv"]
    assert [f.en for f in told] == [
        "2 of 33 rows have no time or count that is understood and are left out: rows 32, 34.",
        "1 of 33 rows have no station or shop of the study as their place and are left out: rows 33.",
    ]
    assert len(study.checkins) == 30


def test_neither_the_order_of_rows_nor_the_salt_of_a_run_changes_anything(tmp_path: Path) -> None:
    rows = log_rows(80)
    study = sc.load_study(study_with(tmp_path / "a", log_text(rows)))
    other = sc.load_study(study_with(tmp_path / "b", log_text(rows[::-1])))
    pd.testing.assert_frame_equal(study.checkins.counts, other.checkins.counts)
    pd.testing.assert_frame_equal(study.checkins.persons, other.checkins.persons)


def test_a_log_of_excel_is_that_of_csv(tmp_path: Path) -> None:
    rows = log_rows(40)
    plain = sc.load_study(study_with(tmp_path / "a", log_text(rows)))
    folder = study_with(tmp_path / "b", "", name="log.xlsx")
    frame = pd.DataFrame(rows, columns=["openid", "打卡时间", "打卡点"])
    frame.assign(打卡时间=pd.to_datetime(frame["打卡时间"])).to_excel(folder / "log.xlsx", index=False)
    pd.testing.assert_frame_equal(sc.load_study(folder).checkins.counts, plain.checkins.counts)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n", "no column for a time"),
        ("时间,备注\n2026-10-01,x\n", "no column for a place"),
        ("时间,打卡点\n昨天,S1\n", "no check-in that can be counted"),
    ],
)
def test_a_log_that_says_nothing_is_an_error(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(sc.StudyError, match=told):
        sc.load_study(study_with(tmp_path, text))


def test_an_id_column_is_of_people_where_it_repeats(tmp_path: Path) -> None:
    rows = log_rows(50)
    repeated = sc.load_study(study_with(tmp_path / "a", log_text(rows, "id,时间,地点")))
    assert len(repeated.checkins.persons) > 0
    numbered = [(str(k), time, place) for k, (_, time, place) in enumerate(rows)]
    single = sc.load_study(study_with(tmp_path / "b", log_text(numbered, "id,时间,地点")))
    assert single.checkins.persons.empty


# ------------------------------------------------------------------------------------------------------- privacy
def every_byte(folder: Path) -> str:
    """All that stands in the files of a folder, packed ones unpacked."""
    texts = []
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            data = file.read_bytes()
            texts.append(data.decode("utf-8", errors="replace"))
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as packed:
                    texts += [packed.read(name).decode("utf-8", errors="replace") for name in packed.namelist()]
    return "\n".join(texts)


@pytest.mark.slow
@pytest.mark.parametrize("header", ["openid,打卡时间,打卡点", f"{IDS[0]},2026-10-01 09:00,S1"])
@pytest.mark.parametrize("publish", [False, True])
def test_no_output_holds_whose_a_check_in_was(tmp_path: Path, header: str, publish: bool) -> None:
    rows = [*log_rows(120), (IDS[1], "昨天", "S1"), (IDS[2], "2026-10-01 09:00", IDS[0]), (IDS[0], IDS[3], "S1")]
    top = "publish = true\n" if publish else ""
    folder = study_with(tmp_path / "study", log_text(rows, header), top=top)
    out = tmp_path / "out"
    checked = sc.check_study(folder)
    sc.write_check(checked, out / "check.xlsx")
    said = [repr(checked), checked._repr_html_(), *map(str, checked)]
    if checked.is_right:
        study = sc.load_study(folder)
        plan = sc.suggest(study)
        sc.write_outputs(plan, out)
        said += [*plan_lines(plan), repr(vars(study)), study.checkins.counts.to_csv(), repr(plan.checkins)]
    else:
        assert header.startswith(IDS[0])
    text = every_byte(out) + "\n".join(said)
    for one in IDS:
        assert one not in text


@given(st.lists(st.integers(0, 9), min_size=24, max_size=24))
@settings(max_examples=60, deadline=None)
def test_what_is_published_of_hours_cannot_be_found_by_subtraction(counts: list[int]) -> None:
    hours = pd.DataFrame({"place_id": "S1", "hour": range(24), "n": counts, "per_day": [c / 7 for c in counts]})
    told = _told_hours(hours, {"S1": float(sum(counts))}, hide=True)
    hidden = [isinstance(one, str) for one in told["n"]]
    assert all(is_hidden for is_hidden, count in zip(hidden, counts, strict=True) if count < 5)
    assert sum(hidden) != 1  # one alone would be the total less the others
    assert all(rate is None for rate, is_hidden in zip(told["per_day"], hidden, strict=True) if is_hidden)


def test_the_hours_of_a_place_that_is_hidden_are_hidden() -> None:
    hours = pd.DataFrame({"place_id": "S1", "hour": [8, 9], "n": [6.0, 0.0], "per_day": [1.0, 0.0]})
    assert _told_hours(hours, {"S1": "≥5"}, hide=True)["n"].tolist() == ["≥5", "<5"]


def test_a_change_to_or_from_a_hidden_week_is_hidden() -> None:
    weeks = pd.DataFrame(
        {
            "week": ["a", "b", "c", "d"],
            "n": [40.0, 3.0, 2.0, 50.0],
            "per_day": [1.0] * 4,
            "change": [np.nan, 0.1, 0.2, 0.3],
            "persons": [9.0, 2.0, 2.0, 3.0],
        }
    )
    told = _told_weeks(weeks, hide=True)
    assert told["n"].tolist() == [40.0, "<5", "<5", 50.0]
    assert told["change"].tolist()[1:] == [None, None, None]
    assert told["persons"].tolist() == [9.0, None, None, "<5"]


@pytest.mark.slow
def test_a_published_study_tells_no_small_count(tmp_path: Path) -> None:
    folder = study_with(tmp_path / "s", log_text(log_rows(60)), "stock = 3", top="publish = true\n")
    sc.write_outputs(sc.suggest(sc.load_study(folder)), tmp_path / "out")
    for name in ("place", "hour", "week"):
        text = (tmp_path / "out" / f"checkins_by_{name}.csv").read_text(encoding="utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text)))
        assert rows
        for row in rows:
            assert row["n"] in {"<5", "≥5"} or float(row["n"]) >= 5
            assert not row["n"].startswith(("<", "≥")) or row["per_day"] == ""
            assert row.get("place_id", "") == "" or name != "week"
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert all(isinstance(p["n"], str) or p["n"] >= 5 for p in summary["checkins"]["places"])


# ------------------------------------------------------------------------------------------------------- figures
def test_figures_are_those_counted_by_hand(tmp_path: Path) -> None:
    rows = log_rows(600)
    plan = sc.suggest(sc.load_study(study_with(tmp_path, log_text(rows), "stock = 12")))
    seen = plan.checkins
    assert (seen.n, seen.days) == (600, 35)
    by_place = Counter(place for *_, place in rows)
    own = seen.places.set_index("place_id")
    assert own["n"].to_dict() == by_place
    assert own["per_day"].to_dict() == {p: pytest.approx(n / 35) for p, n in by_place.items()}
    assert own["share"].sum() == pytest.approx(1)
    days = pd.Series([time[:10] for _, time, place in rows if place == "S1"]).value_counts()
    s1 = np.append(days.to_numpy(), np.zeros(35 - len(days)))
    assert own.loc["S1", "dispersion"] == pytest.approx(s1.var(ddof=1) / s1.mean())
    spread = max(1.0, own.loc["S1", "dispersion"])
    assert own.loc["S1", "stock_out"] == sc.stock_out(by_place["S1"] / 35, 12, dispersion=spread).probability
    covered = plan.before.covered[:, -1]
    nearest = plan.before.times.facility_ids[plan.before.times.nearest_facility]
    for place in PLACES:
        is_own = covered & (nearest == place)
        assert own.loc[place, "riders"] == pytest.approx(plan.before.weight[is_own].sum())
    assert seen.likeness == pytest.approx(spearmanr(own["per_day"], own["riders"]).statistic)
    hours = seen.hours.set_index(["place_id", "hour"])["n"]
    assert hours["S1", 9] == sum(place == "S1" and time[11:13] == "09" for _, time, place in rows)
    whole = seen.weeks[seen.weeks["place_id"] == ""]
    assert whole["n"].sum() == 600
    assert whole["days"].tolist() == [7] * 5
    assert seen.trend == pytest.approx(np.polyfit(range(5), whole["n"] / 7, 1)[0])
    assert whole["change"].iloc[1] == pytest.approx(whole["n"].iloc[1] / whole["n"].iloc[0] - 1)


@pytest.mark.slow
def test_a_week_that_falls_below_half_of_four_is_a_drop(tmp_path: Path) -> None:
    begin = dt.date(2026, 8, 31)
    days = [begin + dt.timedelta(days=d) for d in range(42)]
    rows = [f"{day},S1,{4 if d >= 35 else 10}" for d, day in enumerate(days)]
    plan = sc.suggest(sc.load_study(study_with(tmp_path, "\n".join(["日期,打卡点,次数", *rows]))))
    whole = plan.checkins.weeks[plan.checkins.weeks["place_id"] == ""]
    assert whole["is_drop"].tolist() == [False] * 5 + [True]


# -------------------------------------------------------------------------------------------------------- demand
@pytest.mark.slow
def test_check_ins_are_demand_around_their_places(tmp_path: Path) -> None:
    rows = log_rows(300)
    toml = TOML + '\n[checkins]\nfile = "log.csv"\n[demand]\nsource = "checkins"\n'
    write_study(tmp_path, toml)
    (tmp_path / "log.csv").write_text(log_text(rows), encoding="utf-8")
    study = sc.load_study(tmp_path)
    plan = sc.suggest(study, stations=0, shops=0)
    n_days = study.checkins.n_days
    assert plan.demand["weight"].sum() == pytest.approx(300 / n_days)
    assert plan.checkins.places["riders"].isna().all()  # they are not held against themselves
    assert any("only around places" in fault.en for fault in plan.warnings)
    at_nine = sc.suggest(study, stations=0, shops=0, when="Tue 9:30")
    n = sum(time[11:13] == "09" for _, time, _ in rows)
    assert at_nine.demand["weight"].sum() == pytest.approx(n / n_days)


@pytest.mark.slow
def test_totals_without_hours_count_as_of_the_whole_day_and_it_is_told(tmp_path: Path) -> None:
    toml = TOML + '\n[checkins]\nfile = "log.csv"\n[demand]\nsource = "checkins"\n'
    write_study(tmp_path, toml)
    (tmp_path / "log.csv").write_text("月份,打卡点,次数\n2026-10,S1,310\n", encoding="utf-8")
    study = sc.load_study(tmp_path)
    whole, at_night = (sc.suggest(study, stations=0, shops=0, when=when) for when in (None, "Tue 20:30"))
    assert whole.demand["weight"].sum() == pytest.approx(10)
    assert at_night.demand["weight"].sum() == pytest.approx(10)
    assert any("hours of the check-ins are not known" in fault.en for fault in at_night.warnings)
    assert not any("hours of the check-ins" in fault.en for fault in whole.warnings)
    (tmp_path / "log.csv").write_text("时间,打卡点\n2026-10-01 20:10,S1\n2026-10-02,S1\n", encoding="utf-8")
    some = sc.suggest(sc.load_study(tmp_path), stations=0, shops=0, when="Tue 20:30")
    assert any("1 of 2 check-ins have no hour" in fault.en for fault in some.warnings)


def test_check_ins_without_a_ledger_are_told(tmp_path: Path) -> None:
    write_study(tmp_path, TOML + '\n[demand]\nsource = "checkins"\n')
    with pytest.raises(sc.StudyError, match="there is no \\[checkins\\]"):
        sc.load_study(tmp_path)


@given(
    st.lists(
        st.tuples(st.sampled_from("AB"), st.integers(0, 20), st.integers(-1, 23), st.integers(0, 9)), min_size=1
    )
)
@settings(max_examples=15, deadline=None)
def test_rates_of_hours_add_up_to_those_of_days(rows: list[tuple[str, int, int, int]]) -> None:
    frame = pd.DataFrame(rows, columns=["place_id", "day", "hour", "n"]).astype({"n": float})
    frame["begin"] = pd.Timestamp("2026-10-01") + pd.to_timedelta(frame.pop("day"), unit="D")
    checkins = checkins_of(frame.assign(days=1))
    whole = sc.daily_rates(checkins)
    unknown = frame[frame["hour"] == -1].groupby("place_id")["n"].sum() / checkins.n_days
    hours = sum(sc.daily_rates(checkins, hour=h) for h in range(24))
    assert (whole - hours - unknown.reindex(whole.index, fill_value=0)).abs().max() < 1e-9


def test_what_is_no_count_is_refused() -> None:
    day = pd.Timestamp("2026-10-01")
    rows = pd.DataFrame({"place_id": ["A"], "begin": [day], "days": [1], "hour": [24], "n": [1.0]})
    with pytest.raises(sc.InputError, match="`n` >= 0"):
        checkins_of(rows)


def test_months_and_weeks_of_which_nobody_tells_are_no_check_ins_of_none() -> None:
    frame = pd.DataFrame(
        {
            "place_id": ["S1", "S1", "S2"],
            "begin": pd.to_datetime(["2026-01-01", "2026-03-01", "2026-01-01"]),
            "days": [31, 31, 31],
            "hour": -1,
            "n": [310.0, 310.0, 310.0],
        }
    )
    assert sc.daily_rates(checkins_of(frame)).tolist() == [10.0, 10.0]
    assert _known_days(checkins_of(frame)) == 62
    assert _known_days(checkins_of(frame.assign(days=1))) == 60  # a log: every day from the first to the last
    weeks = pd.date_range("2026-06-01", periods=6, freq="7D")
    totals = [("S1", day, 70.0) for day in weeks] + [("S2", day, 70.0) for day in weeks[:4]]
    table = pd.DataFrame(totals, columns=["place_id", "begin", "n"]).assign(days=7, hour=-1)
    told = _by_week(checkins_of(table), {}, only_all=False)
    assert len(told[told["place_id"] == "S2"]) == 4
    assert not told["is_drop"].any()
    assert told[told["place_id"] == ""]["change"].isna().tolist() == [True, False, False, False, True, False]


def test_totals_of_the_same_days_are_told_with_their_rows(tmp_path: Path) -> None:
    head = "打卡点,开始日期,结束日期,次数"
    rows = ["S1,2026-10-01,2026-10-31,310", "S2,2026-10-01,2026-10-10,20", "S1,2026-10-15,2026-10-15,3"]
    study = sc.load_study(study_with(tmp_path, "\n".join([head, *rows, "S2,2026-10-11,2026-10-20,9"])))
    twice = [fault for fault in study.warnings if "日期重叠" in fault.zh]
    assert [fault.rows for fault in twice] == [(2, 4)]


def test_a_check_in_at_24_is_of_the_next_day(tmp_path: Path) -> None:
    rows = ["2026-10-01 24:00,S1", "2026/10/1 24:00,S1", "2026-10-02 00:10,S1"]
    study = sc.load_study(study_with(tmp_path, "\n".join(["时间,驿站名称", *rows])))
    assert counts_of(study) == {("S1", "2026-10-02", 0): 3}
