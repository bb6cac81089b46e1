"""Teams in ledgers: organisations are read, persons are not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from studies import TOML, degrees, write_study

from servicecircle import load_study
from servicecircle.headers import SURNAMES, is_personal
from servicecircle.team_names import is_organisation, teams_in

POSTS = '\n[posts]\nfile = "posts.csv"\n'


def read(folder: Path, cells: list[str], more: str = "") -> tuple[list[str], list[str]]:
    """Teams of a study's posts, and its warnings on them."""
    write_study(folder, TOML + POSTS + more)
    table = pd.DataFrame({"编号": ["Q1", "Q2"], "名称": ["甲", "乙"], "队伍": cells})
    table.join(degrees((6, 2), (6, 6))).to_csv(folder / "posts.csv", index=False)
    study = load_study(folder)
    assert study.posts is not None
    told = [fault.told("zh") for fault in study.warnings if fault.column == "队伍"]
    return study.posts["team"].tolist(), told


def test_organisations_are_read_and_persons_beside_them_are_not(tmp_path: Path) -> None:
    teams, told = read(tmp_path, ["东网格服务队（张三）；平安巡查队 李四", "社区民警中队,东网格服务队"])
    assert teams == ["东网格服务队、平安巡查队", "社区民警中队、东网格服务队"]
    assert not told


def test_a_cell_with_a_persons_name_is_not_read_and_told(tmp_path: Path) -> None:
    teams, told = read(tmp_path, ["张三、东网格服务队", "Zhang San 13800138000"])
    assert teams == ["东网格服务队", ""]
    assert len(told) == 1
    assert "2 处" in told[0]
    assert "张三" not in told[0]


def test_keep_reads_the_column_as_it_stands(tmp_path: Path) -> None:
    teams, told = read(tmp_path, ["雷锋号", "张三"], 'keep = ["队伍"]')
    assert teams == ["雷锋号", "张三"]
    assert not told


@given(
    surname=st.sampled_from(SURNAMES),
    given_name=st.text(alphabet="伟芳娜敏静秀英丽强磊军洋勇艳杰娟涛明超霞平刚", min_size=1, max_size=2),
)
def test_no_persons_name_is_an_organisation(surname: str, given_name: str) -> None:
    assert not is_organisation(surname + given_name)
    assert teams_in(f"{surname}{given_name}、服务队") == (surname + given_name, "服务队")


@pytest.mark.parametrize(
    "name",
    [
        "李四组长",
        "王小明站长",
        "队长李四",
        "组长 王小明",
        "张伟会计",
        "社工李四",
        "社区民警王小明",
        "服务队队长李四",
    ],
)
def test_a_person_with_a_title_is_no_organisation(name: str) -> None:
    assert not is_organisation(name)


def test_a_title_beside_a_team_takes_nothing_from_it(tmp_path: Path) -> None:
    teams, told = read(tmp_path, ["东网格服务队（李四组长）、巡查队 王小明队长", "网格员金宇队、社工站、会员中心"])
    assert teams == ["东网格服务队、巡查队", "网格员金宇队、社工站、会员中心"]
    assert not told


@pytest.mark.parametrize("header", ["网格专员", "专员", "队长", "组长"])
def test_a_column_of_persons_in_charge_is_personal(header: str) -> None:
    assert is_personal(header)
