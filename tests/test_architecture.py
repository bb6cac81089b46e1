"""Guards of the house: the order of imports, a light import, the public names."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import servicecircle

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "src" / "servicecircle"
HEAVY = {
    "osmnx",
    "folium",
    "matplotlib",
    "fastapi",
    "numba",
    "osmium",
    "uvicorn",
    "contourpy",
    "openpyxl",
    "geopy",
} | {"opening_hours"}

#: the pipeline: a module may import from those above it and from its own line, never from those below
ORDER = """
errors _started
_validate _optional _compiled spatial_kinds whole_files rich_display html_tables role_words
params
siting_rules
zone_rules map_rules
siting_figures
chinese
hours_dates
hours_words moments
serving_figures zone_figures
headers closed_status
closures confirmed_reports street_intervals entrances drink_rules checkins
model
bent_streets
china_outline datum
hours_week
hours_osm
hours amenities
services zone_texts
place_links
addresses coordinates counts encoded_text cells
tables
workbooks spatial_files
readers amenity_checks coordinate_texts team_names columns nameless odd_rows sheet_copies stated_datums offers
located_rows
name_forms near_components
duplicates ledgers polygons
belt_ledgers closure_reports checkin_ledgers wish_ledgers study_keys
study_files study_key_faults study_options
study_ledger_faults study_ledgers study_reports
study_addresses
study
geocoders geocoding
projections junctions impedance osm osm_places
network_builder
edge_rows
graphs
edge_tables
downloads
network_files program_digest
network_cache
network
area_files
osm_extracts extracts
disk_names
pbf_pieces
node_places
region_cuts
area_extracts
datum_detection datum_words
snapping _kernels node_order threads
along_streets named_streets
doors
sorted_pairs
searches
travel_times
legs order_clocks _quickest_kernels
quickest_ways
street_reach
closed_streets
closed_times
street_raster _raster_kernels
_square_kernels
_reach_kernels
_frontier_kernels
_side_kernels
_ring_kernels
_area_kernels
near_streets
street_squares
area_shapes
facility_areas wide_areas
service_areas street_districts
grids
zone_places
zone_borders
coverage
tiers
zone_teams
zone_posts
street_blocks
week amenity_zones
standing
disclosure
demand
observed_demand wishes pickups
gaps
candidates
locate
gate_sites
depot_zones block_search
block_program
balanced_zones
scenarios
siting_questions
fewest_sites
siting_answers
suggestions
wider_limits
cases
ruled_cases
solve_time
changes
explanation_tables
explanations
synthetic
maps _page _qgis figures _figure report qr_codes sheet_cells check_sheets contact_sheets csv_tables geopackages
study_sketch
displays
placement
datum_checks
belt
serving
contacts
plan_tables zone_tables zone_summary
plan_sheets
writers
proposal _proposal
zone_work
pipeline
gated_places
study_gates
checks
what_if
trouble _way_kernels
complete_plans
closed_plans
critical robust_sites
orienteering
rounds
packaged output_changes

usage
batch
cli
__main__
"""
ROW = {name: row for row, line in enumerate(ORDER.split("\n")) for name in line.split()}
#: what comes out; nothing that computes may know of it
OUT = {
    "maps", "_page", "_qgis", "figures", "_figure", "report", "qr_codes", "sheet_cells", "check_sheets",
    "contact_sheets", "csv_tables", "plan_tables", "zone_tables", "zone_summary", "plan_sheets", "geopackages",
    "writers", "datum_words", "study_sketch", "displays", "proposal", "_proposal",
}  # fmt: skip


def stage_of(file: Path) -> str:
    """First part of a module's name inside the package."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(file: Path) -> set[str]:
    """Stages that a module imports from, inside functions too."""
    depth = len(file.relative_to(PACKAGE).parts) - 1
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not any(alias.name.split(".")[0] == "servicecircle" for alias in node.names), file
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] != "servicecircle", file
            if node.level == depth + 1:
                names = [node.module] if node.module else [alias.name for alias in node.names]
                found |= {name.split(".")[0] for name in names}
    return found


MODULES = [f for f in sorted(PACKAGE.rglob("*.py")) if f != PACKAGE / "__init__.py"]


def test_every_module_has_its_place_in_the_house() -> None:
    assert {stage_of(f) for f in MODULES} <= set(ROW)


@pytest.mark.parametrize("file", MODULES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_imports_point_up_the_house(file: Path) -> None:
    own = stage_of(file)
    below = {name for name in imports_of(file) if ROW[name] > ROW[own]}
    assert not below, f"{own} imports {below}, which stand below it"
    if ROW[own] < ROW["maps"]:
        assert not imports_of(file) & OUT


def test_importing_the_package_loads_no_heavy_package() -> None:
    code = "import sys, servicecircle; print(' '.join({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(loaded)


def test_the_public_names_are_those_of_the_contract() -> None:
    contract = """
    load_study read_network travel_times service_areas street_reach cover find_gaps suggest draw_map write_outputs
    snap network_from_graph download_network
    """
    assert set(contract.split()) <= set(servicecircle.__all__)


def test_the_initial_file_only_re_exports() -> None:
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    assert all(isinstance(node, ast.ImportFrom) for node in tree.body)
    named = [alias.name for node in tree.body for alias in node.names]
    assert sorted(named) == sorted(servicecircle.__all__) == sorted(dir(servicecircle))
    assert all(hasattr(servicecircle, name) for name in named)


def test_a_circle_does_not_wait_for_what_it_does_not_need() -> None:
    code = "import sys, servicecircle as sc; sc.read_network; sc.service_areas; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "servicecircle.service_areas" in loaded
    idle = {"servicecircle.maps", "servicecircle.pipeline", "servicecircle.locate", "networkx", "scipy.optimize"}
    assert not idle & loaded


@pytest.mark.parametrize("name", ["what_if", "travel_times", "service_areas", "zone_posts"])
def test_a_function_is_not_hidden_by_the_module_of_its_name(name: str) -> None:
    importlib.import_module(f"servicecircle.{name}")
    assert inspect.isfunction(getattr(servicecircle, name))


def test_no_module_prints() -> None:
    for file in MODULES:
        assert not re.search(r"^\s*print\(", file.read_text(encoding="utf-8"), re.MULTILINE), file


def test_the_readmes_agree_on_their_two_commands() -> None:
    for name in ("demo", "test"):
        done = subprocess.run(
            [sys.executable, REPOSITORY / ".ci" / "readme_command.py", name],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("\n") == 1
