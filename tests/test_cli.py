"""The command line: what it prints, writes and returns."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
from pathlib import Path

import geopandas as gpd
import pytest
from test_downloads import PLACE, servers  # noqa: F401  (a fixture)
from tiny_study import write_tiny_study
from typer.testing import CliRunner

import servicecircle as sc
from servicecircle import pipeline
from servicecircle.cli import app
from servicecircle.packaged import package_version

SOURCE = str(Path(sc.__file__).parents[1])
FILES = {
    "map.html",
    "circles.geojson",
    "coverage.geojson",
    "gaps.geojson",
    "suggestions.geojson",
    "plan.gpkg",
    "tables.xlsx",
    "explanations.json",
    "summary.json",
}
COMMANDS = ["demo", "check", "plan", "circles", "gates", "network", "serve"]


def run(*arguments: object, **environment: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a command in this process."""
    done = CliRunner().invoke(app, [str(a) for a in arguments], env=environment, prog_name="servicecircle")
    return done.exit_code, done.stdout, done.stderr


def started(*arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A command in a process of its own, its output in pipes."""
    return subprocess.run(
        [sys.executable, "-m", "servicecircle", *map(str, arguments)],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": SOURCE, **environment},
    )


def on_terminal(*arguments: object, type_when: str = "", keys: bytes = b"") -> tuple[int, str]:
    """Exit status of a command on a terminal of 100 columns, and all that the terminal was sent."""
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (30, 100))
    command = subprocess.Popen(
        [sys.executable, "-m", "servicecircle", *map(str, arguments)],
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  (so that Ctrl-C arrives)
        env={**environment, "PYTHONPATH": SOURCE, "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(slave)
    shown, typed = b"", False
    try:
        while select.select([master], [], [], 120)[0]:
            try:
                new = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            shown += new
            if not new:
                break
            if type_when and not typed and type_when.encode() in shown:
                typed = bool(os.write(master, keys))
    finally:
        os.close(master)
        command.wait(timeout=60)
    return command.returncode, shown.decode("utf-8", errors="replace")


@pytest.fixture(autouse=True)
def _results_go_into_a_folder_of_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_study(tmp_path_factory.mktemp("study") / "小镇")


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A study with four faults in two files."""
    folder = write_tiny_study(tmp_path / "faulty")
    toml = folder / "study.toml"
    toml.write_text(
        toml.read_text(encoding="utf-8").replace("minutes = [5, 10]", "minutes = [10, 5]"), encoding="utf-8"
    )
    (folder / "stations.csv").write_text(
        "编号,名称,经度,纬度\n1,甲,22.5,113.4\n2,乙,abc,22.5\n3,丙,113.4,\n", encoding="utf-8"
    )
    return folder


# ------------------------------------------------------------------------------------------------------------ plan
def test_plan_writes_its_files_and_tells_their_figures(study: Path, tmp_path: Path) -> None:
    code, told, errors = run("plan", study, "--out", tmp_path / "out")
    assert (code, errors) == (0, "")
    assert {file.name for file in (tmp_path / "out").iterdir()} == FILES
    figures = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    lines = told.splitlines()
    assert lines[0] == figures["study"] == "小镇"
    assert f"  10 分钟内：{figures['before']['covered']['10']:.0f} / 120 人" in told
    assert all(f"{site['rank']}. " in told and site["name"] in told for site in figures["suggestions"])
    assert lines[-1] == f"结果文件夹：{tmp_path / 'out'}（用浏览器打开 map.html）"


def test_options_take_the_place_of_what_the_study_says(study: Path, tmp_path: Path) -> None:
    options = ["--stations", 0, "--shops", 2, "--minutes", "4, 8，12", "--profile", "ebike"]
    assert run("plan", study, *options, "--out", tmp_path)[0] == 0
    figures = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert (figures["profile"], figures["minutes"]) == ("ebike", [4, 8, 12])
    assert {site["kind"] for site in figures["suggestions"]} <= {"shop"}


def test_a_study_may_be_named_by_its_file_and_the_results_go_beside_the_caller(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, told, _ = run("plan", study / "study.toml")
    assert code == 0
    assert {file.name for file in Path("out/小镇").iterdir()} == FILES
    assert "结果文件夹：out/小镇" in told


def test_english_where_the_study_says_so(tmp_path: Path) -> None:
    folder = write_tiny_study(tmp_path / "town", lang="en")
    code, told, _ = run("plan", folder, "--out", tmp_path / "out")
    assert code == 0
    assert "within 10 min: " in told
    assert not re.search(r"[，。：]", told)
    assert run("plan", folder, "--profile", "gb50180", "--minutes", "7")[2].startswith(
        "Error: `minutes` 7 is not defined"
    )


# ---------------------------------------------------------------------------------------- wrong command lines
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["plan"], "Missing argument"),
        (["plan", "x", "--when", "20:30"], "must be a day and a time"),
        (["circles", "x", "--out", "a.geojson", "--when", "late"], "must be a day and a time"),
        (["plan", "x", "y"], "unexpected extra argument"),
        (["plan", "x", "--stations", "-1"], "Invalid value for '--stations'"),
        (["plan", "x", "--stations", "two"], "Invalid value for '--stations'"),
        (["plan", "x", "--minutes", "15,10"], "ascending"),
        (["plan", "x", "--minutes", "10;15"], "numbers with commas between"),
        (["plan", "x", "--minutes", "0"], "numbers above 0"),
        (["plan", "x", "--minutes", "nan"], "numbers above 0"),
        (["plan", "x", "--profile", "plane"], "none of walk, ebike, drive, gb50180"),
        (["circles", "x"], "Missing option"),
        (["circles", "x", "--out", "a.gpkg"], "must end in .geojson"),
        (["network", "--out", "a.gpkg"], "either --place or --file"),
        (["network", "--out", "a.gpkg", "--place", "a", "--file", "b"], "either --place or --file"),
        (
            ["network", "--out", "a.gpkg", "--file", "b", "--area", "c", "--bbox", "1,2,3,4"],
            "either --area or --bbox",
        ),
        (["network", "--out", "a.gpkg", "--place", "a", "--bbox", "1,2,3,4"], "it cuts a --file"),
        (["network", "--out", "a.gpkg", "--file", "b", "--bbox", "1,2,x,4"], "numbers with commas between"),
        (["network", "--out", "a.gpkg", "--file", "b", "--margin", "-5"], "Invalid value for '--margin'"),
        (["serve", "x", "--port", "99999"], "Invalid value for '--port'"),
        (["fly"], "No such command"),
    ],
)
def test_a_wrong_command_line_is_told_with_exit_status_2(arguments: list[str], told: str) -> None:
    code, output, errors = run(*arguments)
    assert (code, output) == (2, "")
    assert told in " ".join(errors.split())
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["paln"], "没有“paln”这个命令，是否为 plan？（No such command 'paln'. Did you mean 'plan'?）"),
        (["fly"], "没有“fly”这个命令，servicecircle -h 列出全部命令。（"),
        (["plan"], "缺少参数 STUDY：研究文件夹，或其中的 study.toml。（Missing argument 'STUDY'.）"),
        (["circles", "x"], "缺少选项 --out。（"),
        (["plan", "x", "--out"], "选项 --out 后面缺少值。（"),
        (["plan", "x", "y"], "多出了参数：y。"),
        (["plan", "x", "--minuts", "3"], "没有选项 --minuts，相近的有 --minutes、--out。（"),
        (["plan", "x", "--stations", "-1"], "选项 --stations 的值应不小于 0。（"),
        (["plan", "x", "--stations", "two"], "选项 --stations 的值应为整数。（"),
        (["serve", "x", "--port", "99999"], "选项 --port 的值应不大于 65535。（"),
        (
            ["plan", "x", "--minutes", "15,10"],
            "--minutes 的值“15,10”应为大于 0 的数，从小到大，以逗号分隔，如 10,15。（",
        ),
        (["plan", "x", "--minutes", "10;15"], "--minutes 的值“10;15”应为数字，以逗号分隔。（"),
        (
            ["plan", "x", "--profile", "plane"],
            "--profile 的值“plane”无法识别，只能是 walk、ebike、drive、gb50180。（",
        ),
    ],
)
def test_a_wrong_command_line_is_told_in_chinese_with_the_english_behind(arguments: list[str], told: str) -> None:
    code, output, errors = run(*arguments)
    assert (code, output) == (2, "")
    assert errors.splitlines()[-1].startswith(f"命令有误：{told}")
    is_usage_told = errors.startswith("用法：servicecircle ")
    code, output, errors = run(*arguments, SERVICECIRCLE_LANG="en")
    assert (code, output) == (2, "")
    assert errors.startswith("Usage: servicecircle ") == is_usage_told
    assert "Error: " in errors
    assert not re.search("[\u4e00-\u9fff]", errors)


def test_no_command_at_all_shows_the_help() -> None:
    code, _, errors = run()
    assert code == 2
    assert errors.startswith("Usage: servicecircle ")
    assert "命令有误" not in errors


# ------------------------------------------------------------------------------------------------------------ check
def test_check_tells_every_fault_with_file_row_and_column(faulty: Path) -> None:
    code, told, errors = run("check", faulty)
    assert (code, errors) == (1, "")
    *table, count, written = told.splitlines()
    assert (count, written) == ("共 4 处错误，0 处提醒。", "检查表：out/faulty/check.xlsx")
    assert [line.split()[:2] for line in table] == [["错误", "study.toml"], *[["错误", "stations.csv"]] * 3]
    assert [line[18:24].strip() for line in table] == ["第 4 行", "", "第 3 行", "第 4 行"]  # in one column
    assert all(name in line for name, line in zip(("minutes", "经度", "经度", "纬度"), table, strict=True))


def test_plan_tells_the_same_faults_and_writes_nothing(faulty: Path, tmp_path: Path) -> None:
    code, output, errors = run("plan", faulty, "--out", tmp_path / "results")
    assert (code, output) == (1, "")
    assert errors.splitlines() == run("check", faulty)[1].splitlines()[:-1]
    assert not (tmp_path / "results").exists()


def test_check_lays_a_good_study_on_its_roads(study: Path, tmp_path: Path) -> None:
    code, told, trouble = run("check", study)
    assert (code, told.splitlines()[-1], trouble) == (0, "没有发现问题。", "")
    assert told.startswith("坐标系：\n")
    folder = write_tiny_study(tmp_path / "a")
    (folder / "stations.csv").write_text("编号,名称,经度,纬度\n01,远方驿站,113.5,22.6\n", encoding="utf-8")
    code, told, _ = run("check", folder)
    assert code == 0
    assert "第 2 行  远方驿站 200 米内没有道路" in told
    (folder / "roads.osm").write_text("<osm version='0.6'></osm>", encoding="utf-8")
    code, told, _ = run("check", folder)
    assert code == 1
    assert told.startswith("错误  roads.osm  ")


@pytest.mark.parametrize("name", ["check", "plan", "serve"])
def test_a_study_that_is_not_there_is_told(name: str, tmp_path: Path) -> None:
    code, output, errors = run(name, tmp_path / "nowhere")
    assert code == 1
    assert "nowhere/study.toml  不存在" in output + errors


@pytest.mark.parametrize("content", [b'name = "x\n', b"\xff\xfe", b'lang = "en"\nname = \n'])
def test_a_study_file_that_cannot_be_read_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_bytes(content)
    code, output, errors = run("plan", tmp_path)
    assert (code, output) == (1, "")
    assert ("1 error" in errors) == (b"en" in content)
    assert ("共 1 处错误" in errors) == (b"en" not in content)


# --------------------------------------------------------------------------------------------------- other commands
def test_circles_writes_one_area_a_facility_and_break(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "circles.geojson"
    code, told, _ = run("circles", study, "--minutes", "5,10,15", "--out", out)
    assert (code, told) == (0, f"已写入 {out}（3 个服务圈）。\n")
    areas = gpd.read_file(out)
    assert areas["minutes"].tolist() == [5, 10, 15]
    assert list(areas.columns) == ["facility_id", "kind", "minutes", "street_m", "area_m2", "geometry"]


def test_network_cuts_and_converts(study: Path, tmp_path: Path) -> None:
    box = ["--bbox", "113.379,22.499,113.381,22.501", "--margin", "0"]
    code, told, _ = run("network", "--file", study / "roads.osm", *box, "--out", tmp_path / "a.osm.pbf")
    assert (code, told) == (0, f"已写入 {tmp_path / 'a.osm.pbf'}（2 条道路）。\n")
    whole = run("network", "--file", study / "roads.osm", "--out", tmp_path / "b.gpkg", SERVICECIRCLE_LANG="en")
    assert whole == (0, f"{tmp_path / 'b.gpkg'}: 58 streets.\n", "")
    code, _, errors = run(
        "network", "--file", study / "roads.osm", "--bbox", "1,2,3,4", "--out", tmp_path / "c.osm"
    )
    assert code == 1
    assert errors.startswith("错误：裁剪范围")


@pytest.mark.slow
def test_network_downloads_a_place(servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run("network", "--place", PLACE, "--out", tmp_path / "a.gpkg")[:2] == (
        0,
        f"已写入 {tmp_path / 'a.gpkg'}（4 条道路）。\n",
    )
    servers.status["place"] = 504
    code, _, errors = run("network", "--place", "别处", "--out", tmp_path / "b.gpkg")
    assert code == 1
    assert "504" in errors


def test_an_unknown_town_tells_the_known_ones() -> None:
    assert run("demo", "--town", "lost")[::2] == (
        1,
        "错误：没有名为“lost”的示例；现有：daning、jianning、jinyu、nanqu、shuiposi。\n",
    )
    assert (
        "there are: daning, jianning, jinyu, nanqu, shuiposi."
        in run("demo", "--town", "../nanqu", SERVICECIRCLE_LANG="en_GB")[2]
    )


def test_version_and_help() -> None:
    assert run("--version") == (0, f"servicecircle {package_version()}\n", "")
    assert re.fullmatch(r"\d+\.\d+\.\d+", package_version())
    code, told, _ = run("--help")
    assert code == 0
    assert all(re.search(rf"^  {name} +\S.*\.$", told, re.MULTILINE) for name in COMMANDS)
    for name in COMMANDS:
        code, told, _ = run(name, "-h")
        assert code == 0


def test_the_module_runs_as_the_command_does() -> None:
    done = started("--version")
    assert done.returncode == 0
    assert done.stdout.decode() == f"servicecircle {package_version()}\n"


# ----------------------------------------------------------------------------------------------------------- errors
def test_a_result_folder_that_cannot_be_made_is_told(study: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, errors = run("plan", study, "--stations", 0, "--shops", 0, "--out", tmp_path / "file")
    assert code == 1
    assert errors == f"错误：无法写入 {tmp_path / 'file'}：File exists。原有文件未改动。\n"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PermissionError(13, "Permission denied", "stations.csv"), "错误：stations.csv：Permission denied\n"),
        (OSError("odd"), "错误：odd\n"),
        (MemoryError(), "错误：内存不足"),
        (
            KeyError("column\nx"),
            "错误：程序出错（KeyError: 'column\\nx'）。请反馈此问题；设 SERVICECIRCLE_TRACEBACK=1",
        ),
    ],
)
def test_an_error_that_nobody_foresaw_is_told_in_one_message(
    study: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, told: str
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(pipeline, "suggest", fail)
    code, output, errors = run("plan", study)
    assert (code, output) == (1, "")
    assert errors.startswith(told)
    assert errors.count("\n") == 1
    if not isinstance(error, (OSError, MemoryError)):
        monkeypatch.setenv("SERVICECIRCLE_TRACEBACK", "1")
        assert isinstance(CliRunner().invoke(app, ["plan", str(study)]).exception, KeyError)


# ----------------------------------------------------------------------------------- terminals and pipes
@pytest.mark.slow
def test_nothing_but_the_figures_goes_through_a_pipe(study: Path, tmp_path: Path) -> None:
    done = started("plan", study, "--out", tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\x1b" not in done.stdout
    assert done.stdout.decode().startswith("小镇\n")


@pytest.mark.slow
def test_a_terminal_shows_the_stages_and_is_left_clean(study: Path, tmp_path: Path) -> None:
    code, shown = on_terminal("plan", study, "--out", tmp_path)
    assert code == 0
    stages = ["读取路网", "绘制服务圈", "写入结果"]
    assert [stage for stage in stages if stage in shown] == stages
    assert shown.rindex("\x1b[?25h") > shown.rindex("写入结果")  # the cursor is back
    assert "\x1b" not in shown[shown.index("小镇\r\n") :]


@pytest.mark.slow
def test_faults_are_folded_to_the_width_of_a_terminal(faulty: Path) -> None:
    code, shown = on_terminal("check", faulty)
    assert code == 1
    table = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.split("\x1b[2K")[-1]).splitlines()
    assert table[-2:] == ["共 4 处错误，0 处提醒。", "检查表：out/faulty/check.xlsx"]
    assert all(len(line) <= 100 for line in table)


def test_ctrl_c_ends_at_once_without_a_traceback(study: Path, tmp_path: Path) -> None:
    code, shown = on_terminal("plan", study, "--out", tmp_path / "out", type_when="读取路网", keys=b"\x03")
    assert code == 130
    assert "已中断" in shown
    assert "Traceback" not in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
)
def test_a_terminal_without_chinese_shows_escapes(environment: dict[str, str]) -> None:
    done = started("check", "/nowhere", **environment)
    assert done.returncode == 1
    assert done.stdout.startswith(b"\\u9519\\u8bef  /nowhere/study.toml  ")
    failed = started("demo", "--town", "x", **environment)
    assert failed.returncode == 1
    assert failed.stderr.startswith(b"\\u9519\\u8bef\\uff1a")


@pytest.mark.slow
def test_utf_8_is_written_in_the_posix_locale() -> None:
    done = started("check", "/nowhere", LC_ALL="C", PYTHONIOENCODING="")
    assert done.stdout.decode("utf-8").startswith("错误  /nowhere")


@pytest.mark.slow
def test_a_reader_that_goes_away_ends_it_quietly(faulty: Path) -> None:
    command = f"{sys.executable} -m servicecircle check {faulty} | head -c 1"
    done = subprocess.run(
        command, shell=True, capture_output=True, check=False, env={**os.environ, "PYTHONPATH": SOURCE}
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_names_that_a_terminal_would_obey_are_shown_not_obeyed(tmp_path: Path) -> None:
    folder = write_tiny_study(tmp_path / "study")
    toml = folder / "study.toml"
    lines = toml.read_text(encoding="utf-8").splitlines()
    lines = ['name = "小\\u202e镇"' if line.startswith("name") else line for line in lines]
    toml.write_text("\n".join(lines), encoding="utf-8")
    code, printed, _ = run("plan", folder, "--out", tmp_path / "out")
    assert code == 0
    assert "\u202e" not in printed
    assert "小\\u202e镇" in printed


# -------------------------------------------------------------------------------------------- hours and services
@pytest.mark.slow
def test_a_plan_of_a_moment_and_a_service_leaves_out_who_is_closed_or_lacks_it(tmp_path: Path) -> None:
    folder = write_tiny_study(tmp_path / "s", lang="en")
    ledger = (folder / "stations.csv").read_text(encoding="utf-8").replace("纬度\n", "纬度,开放时间,服务设施\n")
    (folder / "stations.csv").write_text(ledger.rstrip() + ",9:00-17:00,热水\n", encoding="utf-8")
    status, told, _ = run("plan", folder, "--when", "周二 20:30", "--service", "热水", "--out", tmp_path / "out")
    assert status == 0
    assert "Note: Counted as on Tue 20:30: 1 of 1 places is closed then and does not count." in told
    assert "within 10 min: 0 of 120 riders" in told
    status, told, _ = run(
        "circles", folder, "--when", "Tue 12:00", "--service", "热水|充电", "--out", tmp_path / "c.geojson"
    )
    assert (status, len(gpd.read_file(tmp_path / "c.geojson"))) == (0, 2)


def test_a_wrong_moment_or_service_is_told(study: Path, tmp_path: Path) -> None:
    status, _, told = run("plan", study, "--when", "late", "--out", tmp_path / "out")
    assert (status, "--when" in told, "周二 20:30" in told) == (2, True, True)
    status, _, told = run("plan", study, "--service", "热汤", "--out", tmp_path / "out")
    assert (status, "没有服务“热汤”" in told) == (1, True)


@pytest.mark.parametrize(
    "started_as", [["-c", "from servicecircle_command import main; main()"], ["-m", "servicecircle"]]
)
def test_ctrl_c_while_the_package_is_loaded_ends_at_once_without_a_traceback(
    study: Path, tmp_path: Path, started_as: list[str]
) -> None:
    command = [sys.executable, "-X", "importtime", *started_as]
    with subprocess.Popen(
        [*command, "plan", str(study), "--out", str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONPATH": SOURCE},
    ) as started:
        told = []
        for line in started.stderr:  # a line for each module that is loaded
            told.append(line)
            if "pandas." in line:
                break
        started.send_signal(signal.SIGINT)
        out, rest = started.communicate(timeout=60)
    assert started.returncode == 130
    assert out == ""
    assert "Traceback" not in "".join(told) + rest
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_gates_are_written_with_the_people_they_serve(tmp_path: Path) -> None:
    out, town = tmp_path / "gates.geojson", Path(__file__).parents[1] / "data" / "jianning"
    code, told, _ = run("gates", town, "--gates", "2", "--out", out)
    rows = gpd.read_file(out)
    assert code == 0
    assert rows["rank"].tolist() == [1, 2]
    assert f"服务 {rows['wishes'].sum():g} 人" in told
    assert run("gates", town, "--out", tmp_path / "a.gpkg")[0] == 2
    assert run("gates", town, "--service", "换电", "--out", out)[0] == 1
