"""Words and numbers of the command line: the map page's."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from studies import TOML, write_study

from servicecircle._page.reasons import own_circle
from servicecircle._page.words import Words
from servicecircle.errors import Fault
from servicecircle.maps import map_html
from servicecircle.model import Plan
from servicecircle.pipeline import suggest
from servicecircle.report import fault_count, fault_lines, plan_lines
from servicecircle.study import load_study
from servicecircle.study_options import with_options


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return suggest(load_study(write_study(tmp_path_factory.mktemp("study"))))


def in_lang(plan: Plan, lang: str) -> Plan:
    return dataclasses.replace(plan, study=with_options(plan.study, lang=lang))


def test_every_line_is_told_in_both_languages(plan: Plan) -> None:
    chinese, english = plan_lines(in_lang(plan, "zh")), plan_lines(in_lang(plan, "en"))
    assert len(chinese) == len(english) > 5
    assert chinese[0] == english[0] == "小镇"
    assert chinese[1].startswith("  5 分钟内：")
    assert english[1].startswith("  within 5 min: ")
    assert any("已证明最优" in line for line in chinese)
    assert any("Proven best" in line for line in english)


def test_the_terminal_shows_the_numbers_of_the_map(plan: Plan) -> None:
    lines = "\n".join(plan_lines(plan))
    page = map_html(plan)
    for name in plan.sites["name"]:
        told = next(line.rsplit("  ", 1)[1] for line in lines.splitlines() if name in line)
        assert json.dumps(told, ensure_ascii=False).strip('"') in page
    shares = [part.split("%")[0] + "%" for part in lines.split("（")[1:] if "%" in part]
    assert shares
    assert all(share in page for share in shares)


def test_gains_as_shown_add_up_to_the_change_as_shown(plan: Plan) -> None:
    lines = plan_lines(plan)
    change = int(lines[2].rsplit("+", 1)[1].rstrip("）"))
    gains = [
        line.rsplit("  ", 1)[1].removesuffix(" 人") for line in lines if line.lstrip()[:2] in {"1.", "2.", "3."}
    ]
    assert sum(int(gain) for gain in gains if gain != "<1") == change


def test_a_gain_below_half_a_rider_is_not_shown_as_nothing(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    depots = study.depots.assign(riders=study.depots["riders"] / 1000)
    lines = plan_lines(suggest(dataclasses.replace(study, depots=depots)))
    gains = [line.rsplit("  ", 1)[1] for line in lines if line.lstrip()[:2] in {"1.", "2.", "3."}]
    assert gains
    assert set(gains) == {"<1 人"}


def with_gaps(plan: Plan, *riders: float) -> Plan:
    """The plan with gaps of so many riders instead of its own."""
    gaps = plan.gaps.iloc[[0] * len(riders)].assign(riders=riders)
    return dataclasses.replace(plan, gaps=gaps)


@pytest.mark.parametrize(
    ("riders", "zh", "en"),
    [
        (
            [13, 1, 0.86, 0.2],  # 0.86 is shown as 1 in every table
            "（其中 3 处不少于 1 人，最大 13 人）",
            " (3 of them of 1 rider or more, 13 in the largest)",
        ),
        ([13, 1], "，最大一处 13 人", ", 13 in the largest"),
        ([0.4, 0.2], "（每处不足 1 人）", " (each below 1 rider)"),
    ],
)
def test_gaps_of_less_than_a_rider_are_told_apart(plan: Plan, riders: list[float], zh: str, en: str) -> None:
    chinese, english = (plan_lines(in_lang(with_gaps(plan, *riders), lang)) for lang in ("zh", "en"))
    (told,) = [line for line in chinese if "缺口" in line]
    assert told.startswith(f"  缺口 {len(riders)} 处，共 ")
    assert f" 人{zh}" in told
    (told,) = [line for line in english if " gaps, " in line]
    assert f"{en}; " in told


def test_one_gap_is_its_own_largest(plan: Plan) -> None:
    chinese, english = (plan_lines(in_lang(with_gaps(plan, 13.5), lang)) for lang in ("zh", "en"))
    assert "最大" not in next(line for line in chinese if "缺口 1 处" in line)
    assert "largest" not in next(line for line in english if "1 gap, " in line)


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (1.0, []),
        (0.3, ["  不足 1 人的 2 处合计  +1 人"]),
        (0.05, ["  不足 1 人的 2 处合计  <1 人"]),
        (0.001, ["  3 处合计  <1 人"]),
    ],
)
def test_several_gains_below_a_rider_are_summed_up(tmp_path: Path, share: float, told: list[str]) -> None:
    study = load_study(write_study(tmp_path))
    depots = study.depots.assign(riders=study.depots["riders"] * share)
    plan = suggest(dataclasses.replace(study, depots=depots))
    assert [line for line in plan_lines(plan) if "合计" in line] == told
    assert sum(" together  " in line for line in plan_lines(in_lang(plan, "en"))) == len(told)


def test_no_riders_no_share(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    plan = suggest(dataclasses.replace(study, depots=study.depots.assign(riders=0.0)), stations=0, shops=0)
    lines = plan_lines(plan)
    assert "  没有骑手需求，不计算覆盖率。" in lines
    assert "%" not in "\n".join(lines)


def test_without_suggestions_only_today_is_told(tmp_path: Path) -> None:
    lines = plan_lines(suggest(load_study(write_study(tmp_path)), stations=0, shops=0))
    assert "→" not in "\n".join(lines)
    assert "  没有新增建议，只计算了现状。" in lines


def test_warnings_come_last(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path, TOML.replace("shops = 2", "shops = 9")))
    assert plan_lines(suggest(study))[-1].startswith("提醒：")


FAULTS = [
    Fault("is wrong", "写错了", file="台账.xlsx", sheet="驿站", row=3, column="经度"),
    Fault("is\nfar", "很\n远", file="a.csv", row=12, level="warning"),
]


def test_faults_stand_in_columns_that_line_up_on_a_terminal() -> None:
    assert fault_lines(FAULTS, "zh") == [
        "错误  台账.xlsx  驿站  第 3 行   经度  写错了",
        "提醒  a.csv            第 12 行        很 远",
    ]
    assert fault_lines(FAULTS, "en")[1] == "warning  a.csv            row 12        is far"


def test_columns_that_no_fault_has_are_left_out() -> None:
    assert fault_lines([Fault("is wrong", "写错了")], "zh") == ["错误  写错了"]
    assert fault_lines([], "zh") == []


def test_a_long_fault_is_folded_on_a_terminal_and_one_line_in_a_pipe() -> None:
    long = [Fault("x", "很长的话" * 30, file="a.csv", row=2)]
    folded = fault_lines(long, "zh", width=60)
    assert len(folded) > 4
    assert all(line.startswith(" " * 17) for line in folded[1:])
    assert "".join(line.strip() for line in folded).endswith("很长的话")
    assert len(fault_lines(long, "zh")) == 1


@pytest.mark.parametrize(
    ("faults", "zh", "en"),
    [
        (FAULTS, "共 1 处错误，1 处提醒。", "1 error, 1 warning."),
        (FAULTS[:1] * 2, "共 2 处错误，0 处提醒。", "2 errors, 0 warnings."),
        ([], "没有发现问题。", "Nothing is wrong."),
    ],
)
def test_faults_are_counted(faults: list[Fault], zh: str, en: str) -> None:
    assert (fault_count(faults, "zh"), fault_count(faults, "en")) == (zh, en)


@pytest.mark.parametrize(
    ("own", "minutes_before", "told"),
    [
        (
            (5.0, np.inf),
            7.0,
            ("原来最近的商铺只服务 5 分钟内的骑手", "the shop nearest today serves only within 5 min"),
        ),
        ((5.0, 3.0), 7.0, ("原来最近的商铺服务时限较短", "the shop nearest today has a shorter circle of its own")),
        ((5.0, np.inf), 600.0, ()),  # beyond every circle: the minutes say it
        ((5.0, np.inf), np.inf, ()),
        ((5.0, np.inf), np.nan, ()),
        ((np.inf, np.inf), 7.0, ()),
    ],
)
def test_who_was_near_but_not_served_is_told_by_the_circle_of_the_shop(
    plan: Plan, own: tuple[float, float], minutes_before: float, told: tuple[str, ...]
) -> None:
    times = plan.before.times
    limits = np.resize(own, times.facility_minutes.size)
    before = dataclasses.replace(plan.before, times=dataclasses.replace(times, facility_minutes=limits))
    changed = dataclasses.replace(plan, before=before)
    assert [own_circle(changed, minutes_before, Words(lang)) for lang in ("zh", "en")] == (
        [[one] for one in told] if told else [[], []]
    )
