"""What changed since when: features by id, tombstones, dates; the same text at every run."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from studies import TOML, write_study
from typer.testing import CliRunner

import servicecircle as sc
from servicecircle.cli import app
from servicecircle.errors import InputError
from servicecircle.output_changes import KEYS, changes_text, compare_outputs


def planned(folder: Path, date: str, change: str = "") -> Path:
    """Results of the study of `studies` on a date: as it is, or with its stations changed."""
    write_study(folder / "study", TOML.replace("date = 2026-11-22", f"date = {date}"))
    stations = pd.read_csv(folder / "study" / "stations.csv", dtype=str)
    if change:
        stations.loc[1, "名称"] = "东街新驿站"
        new = stations.iloc[[0]].assign(编号="S3", 名称="北街驿站")
        stations = pd.concat([stations.iloc[1:], new])
        stations.loc[stations["编号"] == "S2", "经度"] = str(float(stations["经度"].iloc[0]) + 0.0004)
    stations.to_csv(folder / "study" / "stations.csv", index=False)
    sc.write_outputs(sc.suggest(sc.load_study(folder / "study"), stations=0, shops=0), folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("changes")
    return planned(root / "a", "2026-11-22"), planned(root / "b", "2026-12-01", "stations")


@pytest.mark.slow
def test_what_was_added_changed_and_removed_is_told_by_id(folders: tuple[Path, Path]) -> None:
    changes = compare_outputs(*folders)
    assert changes["old"] == {"study": "小镇", "date": "2026-11-22"}
    assert changes["new"] == {"study": "小镇", "date": "2026-12-01"}
    facilities = changes["layers"]["facilities"]
    assert [one["id"] for one in facilities["added"]] == ["S3"]
    assert [(one["id"], one["is_deleted"], one["updated_at"]) for one in facilities["removed"]] == [
        ("S1", True, "2026-12-01")
    ]
    assert facilities["removed"][0]["properties"]["name"] == "桥头驿站"
    (changed,) = facilities["changed"]
    assert (changed["id"], changed["is_moved"]) == ("S2", True)
    assert changed["fields"] == {"name": ["东街驿站", "东街新驿站"]}
    assert changes["n"]["facilities"] == {"added": 1, "changed": 1, "removed": 1, "same": 3}
    assert changes["n"]["depots"] == {"added": 0, "changed": 0, "removed": 0, "same": 2}
    circles = changes["layers"]["circles"]
    assert {one["id"] for one in circles["removed"]} == {"S1:5", "S1:10"}
    assert {one["id"] for one in circles["added"]} == {"S3:5", "S3:10"}


@pytest.mark.slow
def test_a_folder_beside_itself_has_no_changes_and_turned_round_the_two_exchange(
    folders: tuple[Path, Path],
) -> None:
    old, new = folders
    for found in compare_outputs(old, old)["layers"].values():
        assert found == {"added": [], "changed": [], "removed": []}
    there, back = compare_outputs(old, new)["layers"], compare_outputs(new, old)["layers"]
    for layer in KEYS:
        assert [o["id"] for o in there[layer]["added"]] == [o["id"] for o in back[layer]["removed"]]
        assert [o["id"] for o in there[layer]["changed"]] == [o["id"] for o in back[layer]["changed"]]
        assert [list(o["fields"].values()) for o in there[layer]["changed"]] == [
            [[b, a] for a, b in o["fields"].values()] for o in back[layer]["changed"]
        ]


@pytest.mark.slow
def test_the_text_is_the_same_at_every_run_and_the_old_with_the_changes_is_the_new(
    folders: tuple[Path, Path],
) -> None:
    old, new = folders
    changes = compare_outputs(old, new)
    assert changes_text(changes) == changes_text(compare_outputs(old, new))
    assert json.loads(changes_text(changes)) == changes
    nothing = compare_outputs(old, old, layers=["facilities"])
    assert list(nothing["layers"]) == ["facilities"]
    before = {
        one["id"] for one in compare_outputs(new, old, layers=["facilities"])["layers"]["facilities"]["added"]
    }
    assert before == {"S1"}


@pytest.mark.slow
def test_the_command_writes_the_changes(folders: tuple[Path, Path], tmp_path: Path) -> None:
    run = CliRunner()
    paths = [str(folder) for folder in folders]
    printed = run.invoke(app, ["diff", *paths, "--layer", "facilities"])
    assert printed.exit_code == 0
    assert json.loads(printed.stdout) == compare_outputs(*folders, layers=["facilities"])
    written = run.invoke(app, ["diff", *paths, "--out", str(tmp_path / "changes.json")])
    n = compare_outputs(*folders)["n"]["facilities"]
    assert f"facilities：新增 {n['added']}，变动 {n['changed']}，撤除 {n['removed']}" in written.stdout
    assert json.loads((tmp_path / "changes.json").read_text(encoding="utf-8")) == compare_outputs(*folders)


@pytest.mark.slow
def test_what_is_no_result_is_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder of results"):
        compare_outputs(tmp_path, folders[0])
    for layers in (["streets"], "facilities"):
        with pytest.raises(InputError, match="`layers`"):
            compare_outputs(*folders, layers=layers)
    (tmp_path / "broken").mkdir()
    for name in ("summary.json", "plan.gpkg"):
        (tmp_path / "broken" / name).write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        compare_outputs(folders[0], tmp_path / "broken")
