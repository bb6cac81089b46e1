"""The pages say what is so: their commands run, their tables are complete, their links lead somewhere."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import typer.main
from pages import Block, blocks_of, rewritten, run_page
from studies import write_study

import servicecircle
from servicecircle import (
    PROFILES,
    AssignRule,
    BalanceRule,
    Closures,
    ContactRule,
    InfeasibleError,
    SitingRules,
    Step,
    explain_plan,
    load_study,
    locate,
    suggest,
    tell_closures,
    with_zone_work,
    write_outputs,
)
from servicecircle.checkins import CheckIns, checkins_of
from servicecircle.cli import app
from servicecircle.model import Plan, Study
from servicecircle.writers import summary

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS = REPOSITORY / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *REPOSITORY.glob("*.md"), *(REPOSITORY / "data").glob("*.md")])
RUNNING = [page for page in PAGES if blocks_of(page.read_text(encoding="utf-8"))]
COMMANDS = typer.main.get_group(app).commands
BOTH = pytest.mark.parametrize("end", ["md", "zh.md"])


TABLES = [
    "coverage_by_hour.csv",
    "amenities_by_zone.csv",
    "infeasible.csv",
    "wishes.csv",
    "zone_posts.csv",
    "zone_balance.csv",
    "assignment.csv",
] + [f"checkins_by_{by}.csv" for by in ("place", "hour", "week")]


def named(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def is_long(page: Path) -> bool:
    """Whether a page plans, or runs what the Chinese page beside it does, once more."""
    return page.with_suffix(".zh.md").exists() or page.name != "ledgers.zh.md"


def sections(page: Path) -> dict[str, str]:
    """Text below each heading of the second level."""
    parts = re.split(r"^## (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def first_cells(text: str) -> list[str]:
    """What stands as code in the first column of the tables of a text."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


# ------------------------------------------------------------------------------------------------ what is printed
@pytest.mark.parametrize(
    "page",
    [pytest.param(p, marks=[pytest.mark.slow] if is_long(p) else [], id=named(p)) for p in RUNNING],
)
def test_the_commands_of_a_page_print_what_it_shows(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert rewritten(text, run_page(text, tmp_path)) == text


def test_a_page_that_shows_something_else_is_found_out(tmp_path: Path) -> None:
    text = "<!-- run -->\n```bash\necho 1\n```\n\n<!-- prints -->\n```text\n2\n```\n"
    assert rewritten(text, run_page(text, tmp_path)) == text.replace("2\n", "1\n")


def test_a_page_whose_command_fails_is_found_out(tmp_path: Path) -> None:
    text = "<!-- run -->\n```bash\nservicecircle check nowhere\n```\n"
    with pytest.raises(AssertionError, match="exit 1"):
        run_page(text, tmp_path)


def test_both_tutorials_run_the_same_commands() -> None:
    def commands(name: str) -> Iterator[tuple[str, str, str]]:
        for block in blocks_of((DOCS / name).read_text(encoding="utf-8")):
            yield block.mark, block.argument, shape(block)

    def shape(block: Block) -> str:
        """A command as it is; of a file, its keys; of what is printed, nothing."""
        if block.mark == "file" and block.language == "toml":
            return "\n".join(
                re.findall(r"^\[.+\]|^\w+(?= = )", block.text.replace('lang = "en"\n', ""), re.MULTILINE)
            )
        return block.text if block.mark == "run" else ""

    chinese = list(commands("tutorial.zh.md"))
    assert [
        (mark, file, re.sub(r"^export .+\n", "", text)) for mark, file, text in commands("tutorial.md")
    ] == chinese


# ----------------------------------------------------------------------------------------------- the command line
@BOTH
def test_every_option_of_all_commands_is_told(end: str) -> None:
    text = (DOCS / "reference" / f"cli.{end}").read_text(encoding="utf-8").split("\n## ")[0]
    common = [p.opts[0] for p in typer.main.get_group(app).params]
    assert [f"`{name}`" in text for name in common] == [True] * len(common)


@BOTH
def test_every_command_and_no_other_has_its_section(end: str) -> None:
    assert set(sections(DOCS / "reference" / f"cli.{end}")) == set(COMMANDS)


@BOTH
@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_option_of_a_command_and_no_other_stands_in_its_table(command: str, end: str) -> None:
    text = sections(DOCS / "reference" / f"cli.{end}")[command]
    options = [p for p in COMMANDS[command].params if p.param_type_name == "option"]
    assert sorted(first_cells(text)) == sorted(p.opts[0] for p in options)
    for option in options:
        row = next(line for line in text.splitlines() if line.startswith(f"| `{option.opts[0]}` |"))
        default = row.rstrip("| ").rpartition("|")[2]
        if option.required:
            assert default.strip() in {"needed", "必填"}
        elif option.default is not None:
            assert (
                f"`{option.default:g}`" in default
                if isinstance(option.default, float)
                else str(option.default) in default
            )


@BOTH
@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_usage_line_names_every_option(command: str, end: str) -> None:
    usage = sections(DOCS / "reference" / f"cli.{end}")[command].split("```")[1]
    for parameter in COMMANDS[command].params:
        shown = parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar
        assert shown in usage


# ---------------------------------------------------------------------------------------------------- the outputs
def a_log(study: Study) -> CheckIns:
    day, places = pd.Timestamp("2026-10-01"), study.stations.index[:3]
    return checkins_of(pd.DataFrame({"place_id": places, "begin": day, "days": 1, "hour": [8, 9, 9], "n": 6.0}))


def some_wishes(study: Study) -> gpd.GeoDataFrame:
    own = study.stations[["geometry"]].head(2)
    return own.assign(text="热水", services=["hot_water", ""], n=2.0, area="")


@pytest.fixture(scope="module")
def plan() -> Plan:
    study = load_study(REPOSITORY / "data" / "nanqu")
    posts = study.stations.loc[["YZ04", "YZ09", "YZ16"], ["name", "geometry"]].assign(team="社区服务队")
    study = dataclasses.replace(study, checkins=a_log(study), wishes=some_wishes(study), checkin_stock=9)
    made = suggest(
        dataclasses.replace(
            study, posts=posts, assign=AssignRule(), contacts=ContactRule(), balance=BalanceRule(0.5)
        )
    )
    made = with_zone_work(made)
    trouble = tell_closures(
        made, made.facilities[["geometry"]].head(1).assign(radius_m=30.0, until="2026-08-01 10:00")
    )
    return dataclasses.replace(made, explanation=explain_plan(made), trouble=trouble)


@pytest.fixture(scope="module")
def folder(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("out")
    write_outputs(plan, target)
    return target


@pytest.fixture(scope="module")
def ruled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a plan whose candidates a site rule has judged: some are left out."""
    target = tmp_path_factory.mktemp("ruled")
    study = load_study(REPOSITORY / "data" / "nanqu")
    own = study.candidates.assign(floor=["2楼", *[""] * (len(study.candidates) - 1)])
    ruled = dataclasses.replace(study, candidates=own, site_rule="shandong")
    write_outputs(
        suggest(ruled, when="Tue 23:30", service=["充电"]), target
    )  # some stations and shops do not count
    return target


@pytest.fixture(scope="module")
def sited_folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of plans by rules: in steps, and at once with other plans and a curve."""
    study = load_study(write_study(tmp_path_factory.mktemp("sited") / "study"))
    trouble = Closures(study.stations[["geometry"]].head(1).assign(radius_m=30.0))
    study = dataclasses.replace(study, closures=trouble)
    rules = SitingRules(capacity=20, fair=0.1, station_cost=5.0, shop_cost=1.0, alternatives=1, robust=0.5)
    folders = []
    for more in ({"steps": (Step(stations=1),)}, {"curve": 1}):
        folders.append(tmp_path_factory.mktemp("sited"))
        write_outputs(suggest(study, rules=dataclasses.replace(rules, **more)), folders[-1])
    return folders


@pytest.fixture(scope="module")
def unmet_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a study whose rules no plan keeps."""
    target = tmp_path_factory.mktemp("unmet")
    with pytest.raises(InfeasibleError) as raised:
        suggest(load_study(write_study(target / "study")), rules=SitingRules(fair=0.9))
    write_outputs(raised.value.plan, target / "out")
    return target / "out"


@pytest.fixture(scope="module")
def more_folders(sited_folders: list[Path], unmet_folder: Path) -> list[Path]:
    return [*sited_folders, unmet_folder]


def at_any_break(name: str) -> str:
    return re.sub(r"(_|\.)(5|10|15)$", r"\1T", name)


def paths(value: Any, so_far: str = "") -> set[str]:
    """Dotted names of everything in a JSON value."""
    if isinstance(value, dict):
        return set().union(*(paths(v, f"{so_far}.{k}".lstrip(".")) for k, v in value.items()))
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return set().union(*(paths(v, f"{so_far}[]") for v in value))
    return {at_any_break(so_far)}


@BOTH
def test_the_page_lists_the_files_that_are_written(folder: Path, unmet_folder: Path, end: str) -> None:
    text = (DOCS / "reference" / f"outputs.{end}").read_text(encoding="utf-8").split("\n## ")[0]
    of_sub_points = {"main_stations.csv"}  # a ledger must name main stations: `tests/test_belt.py`
    assert sorted(first_cells(text)) == sorted(
        {file.name for one in (folder, unmet_folder) for file in one.iterdir()} | of_sub_points
    )


@BOTH
@pytest.mark.parametrize("name", ["circles", "closures", "coverage", "gaps", "suggestions"])
def test_every_property_of_a_geojson_file_and_no_other_is_explained(
    folder: Path, sited_folders: list[Path], name: str, end: str
) -> None:
    written = set()
    for one in (folder, *sited_folders):
        if name == "closures" and one != folder:  # only where there are reports
            continue
        features = json.loads((one / f"{name}.geojson").read_text(encoding="utf-8"))["features"]
        written |= {at_any_break(key) for feature in features for key in feature["properties"]}
    told = first_cells(sections(DOCS / "reference" / f"outputs.{end}")[f"{name}.geojson"])
    assert sorted(told) == sorted(written)


@BOTH
def test_every_key_of_the_summary_and_no_other_is_explained(
    plan: Plan, folder: Path, ruled_folder: Path, more_folders: list[Path], end: str
) -> None:
    standard = dataclasses.replace(plan, network=dataclasses.replace(plan.network, profile=PROFILES["gb50180"]))
    written = paths(summary(standard))
    for one in (folder, ruled_folder, *more_folders):
        written |= paths(json.loads((one / "summary.json").read_text(encoding="utf-8")))
    written -= {"closures[].zones"}  # empty before and after
    written -= {"siting.steps", "siting.alternatives", "siting.curve"}  # empty in one of the plans
    written -= {"serving.left_out", "week", "amenities", "suggestions"}  # likewise
    written = {key for key in written if not key.startswith("siting.rules[].value[]")}
    told = first_cells(sections(DOCS / "reference" / f"outputs.{end}")["summary.json"])
    assert sorted(told) == sorted(written)


@BOTH
@pytest.mark.parametrize("name", TABLES)
def test_every_column_of_a_table_and_no_other_is_explained(
    folder: Path, unmet_folder: Path, name: str, end: str
) -> None:
    own = unmet_folder if name == "infeasible.csv" else folder
    header = (own / name).read_text(encoding="utf-8-sig").splitlines()[0].split(",")
    told = first_cells(sections(DOCS / "reference" / f"outputs.{end}")[name])
    assert list(dict.fromkeys(map(at_any_break, header))) == told


@BOTH
def test_every_key_of_the_explanations_and_no_other_is_explained(folder: Path, end: str) -> None:
    written = paths(json.loads((folder / "explanations.json").read_text(encoding="utf-8")))
    told = first_cells(sections(DOCS / "reference" / f"outputs.{end}")["explanations.json"])
    assert sorted(map(at_any_break, told)) == sorted(written)


@BOTH
def test_every_layer_and_column_of_the_geopackage_is_explained(
    folder: Path, ruled_folder: Path, sited_folders: list[Path], end: str
) -> None:
    table = sections(DOCS / "reference" / f"outputs.{end}")["plan.gpkg"]
    told = {
        row[0]: set(row[1:])
        for row in (re.findall(r"`([^`]+)`", line) for line in table.splitlines() if "|" in line)
        if row
    }
    ledger = {"业态"}  # a column of this study's own ledger
    written = {
        str(layer): {
            at_any_break(str(f)) for f in pyogrio.read_info(ruled_folder / "plan.gpkg", layer=layer)["fields"]
        }
        - ledger
        for layer, shape in pyogrio.list_layers(ruled_folder / "plan.gpkg")
        if shape is not None
    }
    written["suggestions"] |= set(pyogrio.read_info(sited_folders[0] / "plan.gpkg", layer="suggestions")["fields"])
    written["balanced_zones"] = set(pyogrio.read_info(folder / "plan.gpkg", layer="balanced_zones")["fields"])
    written["closures"] = set(pyogrio.read_info(folder / "plan.gpkg", layer="closures")["fields"])
    assert told["candidates"] - written["candidates"] <= {"dense", "cost", "capacity"}  # where the list has them
    assert {layer: told[layer] & written[layer] for layer in told} == written
    assert all(told[layer] == written[layer] for layer in told if layer != "candidates")


# --------------------------------------------------------------------------------------------------------- Python
def test_every_public_name_and_no_other_is_told_with_its_signature() -> None:
    told = {}
    for cell in first_cells((DOCS / "reference" / "python.md").read_text(encoding="utf-8")):
        name, bracket, rest = cell.removeprefix("sc.").partition("(")
        if not name.startswith("locate."):
            told[name] = bracket + rest
    every = {name: getattr(servicecircle, name) for name in servicecircle.__all__}
    public = {name: value for name, value in every.items() if not inspect.ismodule(value)}
    assert set(told) == set(public)
    for name, value in public.items():
        assert told[name] == (plain_signature(value) if inspect.isfunction(value) else "")


def plain_signature(function: Any) -> str:
    """Return a signature without its types."""
    signature = inspect.signature(function)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty)).replace("'", '"')


def test_every_location_problem_is_told() -> None:
    text = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
    for problem in ("lscp", "mclp", "p_center", "p_median"):
        first = inspect.signature(getattr(locate, problem)).parameters.values()
        needed = ", ".join(p.name for p in first if p.default is inspect.Parameter.empty)
        assert f"`{problem}({needed})`" in text


def test_every_public_name_of_the_siting_model_is_told() -> None:
    text = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
    functions = ("solve_siting", "check_siting", "worth_again", "worth_of", "alternatives", "siting_curve")
    for name in (*functions, "price_of_steps", "pairs_nearer_than", "cutoff_for_floor"):
        words = []
        for p in inspect.signature(getattr(locate, name)).parameters.values():
            words += ["*"] if p.kind is p.KEYWORD_ONLY and "*" not in words else []
            words.append(p.name if p.default is p.empty else f"{p.name}={p.default!r}")
        assert f"`locate.{name}({', '.join(words)})`" in text
    for noun in ("Siting", "SitingPlan", "PhasePlan", "ScenarioFigures", "Reason", "StepPrice"):
        row = next(line for line in text.splitlines() if line.startswith(f"| `locate.{noun}"))
        own = {f.name for f in dataclasses.fields(getattr(locate, noun)) if f.init}
        assert own <= set(re.findall(r"\w+", row))


# ---------------------------------------------------------------------------------------------------------- links
def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        other = (page.parent / file).resolve() if file else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


def test_every_page_is_reached_from_the_index_of_its_language() -> None:
    for index, is_own in (
        ("README.md", lambda f: not f.name.endswith(".zh.md")),
        ("README.zh.md", lambda f: f.name.endswith(".zh.md")),
    ):
        linked = {
            (DOCS / t).resolve() for t in re.findall(r"\]\(([^)#\s]+)", (DOCS / index).read_text(encoding="utf-8"))
        }
        assert {f for f in DOCS.rglob("*.md") if is_own(f)} - {DOCS / index} <= linked


def test_every_page_for_a_planner_has_both_languages() -> None:
    english = {named(p) for p in PAGES if p.is_relative_to(DOCS) and not p.name.endswith(".zh.md")}
    chinese = {
        named(p).replace(".zh.md", ".md") for p in PAGES if p.name.endswith(".zh.md") and p.is_relative_to(DOCS)
    }
    assert english - chinese == {"docs/reference/python.md"}
    assert chinese <= english


# -------------------------------------------------------------------------------------------------------- pictures
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("nanqu-map.png", (1440, 900)),
        ("nanqu-phone.png", (390, 844)),
        ("nanqu-print.png", (1520, 1075)),
        ("nanqu-live.png", (1440, 900)),
        ("nanqu-live-phone.png", (390, 844)),
    ],
)
def test_the_pictures_of_the_map_are_whole_and_light(name: str, size: tuple[int, int]) -> None:
    png = (DOCS / "images" / name).read_bytes()
    width, height, _, colour_type = struct.unpack(">IIBB", png[16:26])
    assert (width, height, colour_type) == (*size, 3)  # 3: a palette
    assert len(png) < 400_000
