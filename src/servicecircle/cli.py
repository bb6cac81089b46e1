"""The command line: parse, one call, tell."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Optional, TextIO

import typer

from ._validate import check_minutes
from .errors import InfeasibleError, InputError, Lang, ServiceCircleError, StudyError, visible
from .params import PROFILES
from .usage import RULE_OPTIONS, UsageGroup, in_options, refuse, usual_lang

if TYPE_CHECKING:
    from .batch.records import Record
    from .model import Plan, Study
    from .pipeline import OnStage

#: if set, an error that nobody foresaw is shown with its traceback
TRACEBACK_SETTING = "SERVICECIRCLE_TRACEBACK"
INTERRUPTED = 130

app = typer.Typer(
    name="servicecircle",
    cls=UsageGroup,
    help="Service circles of rest stations and partner shops for delivery riders, exactly, on the street network.",
    epilog="Exit status: 0 done; 1 a fault in the input, told in one message; 2 a wrong command line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="Folder of a study, or its study.toml.")]
Stations = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--stations", metavar="K", min=0, help="Stations to suggest. Default: what the study says."),
]
Shops = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--shops", metavar="K", min=0, help="Partner shops to suggest. Default: what the study says."),
]
Minutes = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--minutes", metavar="10,15", help="Breaks, ascending. Default: what the study says."),
]
Profile = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--profile", metavar="NAME", help=f"{', '.join(PROFILES)}. Default: what the study says."),
]
CheckFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--xlsx", metavar="FILE.xlsx", help="Workbook to write. Default: check.xlsx in out/ and the study's name."
    ),
]
When = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--when",
        metavar='"Tue 20:30"',
        help="Only what is open then counts; any: at any time. Default: as the study.",
    ),
]
Service = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--service",
        metavar="NAME",
        help="Only places that offer it, working, count; may be repeated (each of them); a|b: either; any. "
        "Default: as the study.",
    ),
]
Out = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--out", metavar="DIR", help="Folder for the results. Default: out/ and the name of the study."),
]


#: options of `plan` that are rules of the plan, by the key of `[suggest]`
Objective = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--objective", metavar="NAME", help="riders, decay, backup or fair. Default: what the study says."
    ),
]
Budget = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option("--budget", metavar="YUAN", help="Yuan for all new sites. Default: what the study says."),
]
Capacity = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        "--capacity", metavar="SEATS", help="Seats count; so many where a ledger says none. Default: as the study."
    ),
]
Backup = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        "--backup", metavar="WORTH", help="Worth of a second site in reach, 0 to 1. Default: as the study."
    ),
]
FairShare = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--fair", metavar="SHARE", help="Least share of every zone, or worst. Default: as the study."),
]
Spacing = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option("--spacing", metavar="METRES", help="Least metres between sites. Default: what the study says."),
]
Move = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--move", metavar="M", min=0, help="Existing sites that may move. Default: what the study says."),
]
Keep = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--keep", metavar="ID", help="An existing site that may not move; may be repeated."),
]
Robust = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        "--robust",
        metavar="SHARE",
        help="Good while the reports of trouble hold too: 0 on average, 1 in the worst. Default: as the study.",
    ),
]
Alternatives = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--alternatives", metavar="K", min=0, help="Other plans to find. Default: what the study says."),
]
Curve = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--curve", metavar="N", min=0, help="Best plan for 0 to N new sites too. Default: as the study."),
]
TimeLimit = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        "--time-limit", metavar="SECONDS", help="End each search after so long. Default: as the study, 60."
    ),
]
FigureFormats = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--figures", metavar="FORMATS", help="Draw figures for paper too: png, svg, pdf or several, with commas."
    ),
]
WithProposal = Annotated[
    Optional[bool],  # noqa: UP045
    typer.Option("--proposal", help="Write the proposal too: proposal.docx and proposal.html."),
]
LetterheadFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--letterhead", metavar="FILE.docx", help="Letterhead of the proposal. Default: a plain document."
    ),
]
FontFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--font", metavar="FILE", help="Font of the figures. Default: the one that [report] installs."),
]
BaseMapName = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--base-map",
        metavar="NAME",
        help="Online base map that map.html offers: osm, tianditu, gaode or none. Default: as the study, none.",
    ),
]
ClosureFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--closures", metavar="FILE", help="Reports of trouble on the road. Default: those of the study."),
]

#: says that the map offers no online base map, whatever the study asks for
NO_BASE = "none"


def main() -> None:
    """Run the command line; what goes wrong is told in one message, and says so in the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal without Chinese shows \u9a7f, and goes on
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    app(prog_name="servicecircle")


def _show_version(value: bool) -> None:
    if value:
        from .packaged import package_version

        _say(f"servicecircle {package_version()}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    town: Annotated[str, typer.Option("--town", metavar="NAME", help="Name of an example study.")] = "nanqu",
    out: Out = None,
    stations: Stations = None,
    shops: Shops = None,
) -> None:
    """Plan an example study that ships with the package, offline."""
    with _told_plainly():
        from .packaged import example_folder

        _plan(example_folder(town), out or Path("out") / town, stations=stations, shops=shops)


@app.command()
def check(study: StudyPath, xlsx: CheckFile = None) -> None:
    """
    Tell every fault of a study and its files, and write them as a workbook.

    Everything is read; each fault comes with its file, sheet, row and column.
    """
    if xlsx is not None and xlsx.suffix.lower() != ".xlsx":
        refuse("--xlsx", f"{xlsx.name!r} must end in .xlsx.", f"的文件名“{xlsx.name}”须以 .xlsx 结尾。")
    with _told_plainly(study):
        from .checks import check_study, write_check
        from .datum_words import datum_lines
        from .report import fault_count, fault_lines
        from .whole_files import remove_file

        lang = _lang_of(study)
        with _waiting("check", lang):
            checked = check_study(study, lang=lang)
        width = _width(sys.stdout)
        for line in [*fault_lines(checked, lang, width=width), *datum_lines(checked.datums, lang, width=width)]:
            _say(line)
        _say(fault_count(checked, lang))
        usual = _usual_folder(study) / "check.xlsx"
        if xlsx is not None or (checked and checked.sheets):
            made = write_check(checked, xlsx or usual)
            _say(f"检查表：{made}" if lang == "zh" else f"Workbook: {made}")
        elif checked.sheets:
            remove_file(usual)  # of an earlier check
    if not checked.is_right:
        raise typer.Exit(1)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Folder of earlier results.", show_default=False)],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Folder of later results.", show_default=False)],
    layer: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--layer", metavar="NAME", help="A layer of plan.gpkg; may be repeated. Default: all."),
    ] = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", metavar="FILE", help="JSON file to write. Default: printed."),
    ] = None,
) -> None:
    """
    Tell what changed between two result folders, by stable ids, as JSON.

    What is gone is told too, as a tombstone.
    """
    with _told_plainly():
        from .output_changes import changes_text, compare_outputs
        from .whole_files import write_text

        changes = compare_outputs(old, new, layers=layer or None)
        if out is None:
            _say(changes_text(changes).rstrip())
            return
        write_text(out, changes_text(changes))
        for name, n in changes["n"].items():
            en = f"{name}: {n['added']} added, {n['changed']} changed, {n['removed']} removed, {n['same']} the same"
            zh = f"{name}：新增 {n['added']}，变动 {n['changed']}，撤除 {n['removed']}，未变 {n['same']}"
            _say(zh if usual_lang() == "zh" else en)


@app.command()
def geocode(study: StudyPath) -> None:
    """
    Look up the addresses of rows without coordinates, online.

    As [geocode] in study.toml says; only the address is sent. Answers are kept in geocoded.json beside it.
    """
    with _told_plainly(study):
        from .geocoding import geocode_study
        from .report import geocoded_lines

        lang = _lang_of(study)
        with _bar(lang, total=100) as update:
            made = geocode_study(
                study, on_progress=lambda done, total: update("geocode", 100 * done // max(total, 1))
            )
        for line in geocoded_lines(made, lang):
            _say(line)


@app.command()
def plan(
    study: StudyPath,
    stations: Stations = None,
    shops: Shops = None,
    minutes: Minutes = None,
    profile: Profile = None,
    when: When = None,
    service: Service = None,
    objective: Objective = None,
    budget: Budget = None,
    capacity: Capacity = None,
    backup: Backup = None,
    fair: FairShare = None,
    spacing: Spacing = None,
    move: Move = None,
    keep: Keep = None,
    robust: Robust = None,
    alternatives: Alternatives = None,
    curve: Curve = None,
    time_limit: TimeLimit = None,
    closures: ClosureFile = None,
    base_map: BaseMapName = None,
    figures: FigureFormats = None,
    font: FontFile = None,
    proposal: WithProposal = None,
    letterhead: LetterheadFile = None,
    out: Out = None,
) -> None:
    """
    Plan a study, and write its result folder.

    Coverage today, gaps, suggestions with proof and reasons; map.html, GeoJSON, a GeoPackage and summary.json.
    """
    formats = _formats(figures)
    if font is not None and not formats and not proposal:
        refuse("--font", "goes with --figures or --proposal.", "须与 --figures 或 --proposal 一起用。")
    if letterhead is not None and not proposal:
        refuse("--letterhead", "goes with --proposal.", "须与 --proposal 一起用。")
    breaks, name, moment = _breaks(minutes), _profile(profile), _when(when)
    base = None if base_map in {None, NO_BASE} else _rule("--base-map", "base", base_map, table="map")
    stated = {
        "objective": objective,
        "budget": budget,
        "capacity": capacity,
        "backup": backup,
        "fair": _share_or_word(fair),
        "min_spacing_m": spacing,
        "move": move,
        "keep": keep or None,
        "robust": robust,
        "alternatives": alternatives,
        "curve": curve,
    }
    rules = {key: _rule(RULE_OPTIONS[key], key, value) for key, value in stated.items()}
    limit_s = _rule("--time-limit", "time_limit_s", time_limit)
    with _told_plainly(study):
        _plan(
            study,
            out or _usual_folder(study),
            stations=stations,
            shops=shops,
            minutes=breaks,
            profile=name,
            when=moment,
            service=service or None,
            rules={key: value for key, value in rules.items() if value is not None},
            time_limit_s=limit_s,
            closures=closures,
            base_map=NO_BASE if base_map == NO_BASE else base,
            figures=formats,
            font=font,
            proposal=bool(proposal),
            letterhead=letterhead,
        )


@app.command()
def batch(
    towns: Annotated[
        Path,
        typer.Argument(
            metavar="TOWNS",
            help="Folder with a folder for each study; or one study, cut into its zones.",
            show_default=False,
        ),
    ],
    out: Annotated[
        str, typer.Option("--out", metavar="DIR", help="Folder for the results, or its address (s3://...).")
    ],
    workers: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--workers", metavar="N", min=1, max=1024, help="Processes. Default: one for each core."),
    ] = None,
    scheduler: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--scheduler", metavar="tcp://HOST:PORT", help="Plan on the workers of this dask scheduler."),
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="With --scheduler: write dask's report of the run, cluster.html.")
    ] = False,
    time_limit: TimeLimit = None,
    layers_only: Annotated[
        bool, typer.Option("--layers-only", help="No result folder of each town, only the layers of all.")
    ] = False,
    joint_stations: Annotated[
        int,
        typer.Option(
            "--joint-stations", metavar="N", min=0, max=10_000, help="New stations for all towns together."
        ),
    ] = 0,
    joint_shops: Annotated[
        int, typer.Option("--joint-shops", metavar="N", min=0, max=10_000, help="New shops for all towns together.")
    ] = 0,
) -> None:
    """
    Plan every study in a folder, or every zone of a city, and gather what came out.

    A layer of all towns each, the towns ranked by riders uncovered. A second run does what is missing or changed.
    """
    limit_s = _rule("--time-limit", "time_limit_s", time_limit)
    with _told_plainly():
        from .batch import plan_many
        from .batch.told import batch_lines, lang_of_towns, town_line

        lang = lang_of_towns(towns)
        with _bar(lang, total=100) as update:

            def tell(record: Record, done: int, total: int) -> None:
                _say(town_line(record, lang), to=sys.stderr)
                update("batch", 100 * done // total)

            made = plan_many(
                towns,
                out,
                workers=workers,
                scheduler=scheduler,
                report=report,
                time_limit_s=limit_s,
                folders=not layers_only,
                joint_stations=joint_stations,
                joint_shops=joint_shops,
                on_town=tell,
            )
        for line in batch_lines(made, lang):
            _say(line)
        _say(f"结果文件夹：{out}" if lang == "zh" else f"Results: {out}")
    if made.failed:
        raise typer.Exit(1)


@app.command()
def circles(
    study: StudyPath,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.geojson", help="GeoJSON file to write.")],
    minutes: Minutes = None,
    profile: Profile = None,
    when: When = None,
    service: Service = None,
) -> None:
    """
    Draw the service circles of a study only.

    One area a station or shop and break, as GeoJSON.
    """
    breaks, name, moment = _breaks(minutes), _profile(profile), _when(when)
    if out.suffix.lower() not in {".geojson", ".json"}:
        refuse("--out", f"{out.name!r} must end in .geojson.", f"的文件名“{out.name}”须以 .geojson 结尾。")
    with _told_plainly(study):
        from .pipeline import facility_circles
        from .study import load_study
        from .whole_files import make_folder, write_text
        from .writers import frame_features, geojson_text

        loaded = load_study(study)
        with _waiting("circles", loaded.lang):
            areas = facility_circles(loaded, minutes=breaks, profile=name, when=moment, service=service or None)
            make_folder(out.parent)
            write_text(out, geojson_text(frame_features(areas)))
        n = len(areas)
        _say(f"已写入 {out}（{n} 个服务圈）。" if loaded.lang == "zh" else f"{out}: {n} service circles.")


@app.command()
def gates(
    study: StudyPath,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.geojson", help="GeoJSON file to write.")],
    service: Annotated[str, typer.Option("--service", metavar="NAME", help="What the wishes ask for.")] = "快递柜",
    count: Annotated[int, typer.Option("--gates", metavar="N", min=0, help="At most so many gates.")] = 1,
    walk_m: Annotated[
        float, typer.Option("--walk-m", metavar="METRES", help="A resident walks no farther to the gate.")
    ] = 300.0,
    ride_min: Annotated[
        float, typer.Option("--ride-min", metavar="MINUTES", help="A courier rides no longer to the gate.")
    ] = 15.0,
    capacity: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--capacity", metavar="PEOPLE", help="People that a gate has room for. Default: no limit."),
    ] = None,
) -> None:
    """
    Propose gates of compounds for parcel lockers, or another thing that wishes ask for.

    The gates that serve the most people, residents on foot and couriers by e-bike, as GeoJSON.
    """
    if out.suffix.lower() not in {".geojson", ".json"}:
        refuse("--out", f"{out.name!r} must end in .geojson.", f"的文件名“{out.name}”须以 .geojson 结尾。")
    with _told_plainly(study):
        from .study import load_study
        from .study_gates import suggest_gates
        from .whole_files import make_folder, write_text
        from .writers import frame_features, geojson_text

        loaded = load_study(study)
        asked: dict[str, Any] = {"gates": count, "walk_m": walk_m, "ride_min": ride_min, "capacity": capacity}
        with _waiting("gates", loaded.lang):
            found = suggest_gates(loaded, service, **asked)
            make_folder(out.parent)
            write_text(out, geojson_text(frame_features(found.sites.reset_index(names="id"))))
        n, served = len(found.sites), found.served
        zh = f"已写入 {out}（{n} 个大门，服务 {served:g} 人）。"
        _say(zh if loaded.lang == "zh" else f"{out}: {n} gates, for {served:g} people.")


@app.command()
def network(
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Streets as a table: .gpkg, .parquet, .geojson or .shp; of an OSM file also .osm.pbf, .osm or "
            ".osm.gz, with shops and land.",
        ),
    ],
    place: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--place", metavar="NAME", help="Download a place by its name (online, OSMnx)."),
    ] = None,
    file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--file",
            metavar="ROADS",
            help="Or take a road file: .osm.pbf, .osm, .osm.gz, .graphml, .gpkg, .parquet, .shp, .geojson.",
        ),
    ] = None,
    area: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--area", metavar="FILE", help="Cut the file to these polygons."),
    ] = None,
    bbox: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--bbox", metavar="W,S,E,N", help="Or cut it to this box, in degrees."),
    ] = None,
    margin: Annotated[
        float, typer.Option("--margin", metavar="METRES", min=0, help="Kept round the place, area or box.")
    ] = 3000.0,
) -> None:
    """
    Download, cut or convert a street network.

    What is written serves every profile: streets keep their tags, and those that touch the area stay whole.
    """
    if (place is None) == (file is None):
        refuse("--place", "give either --place or --file.", "与 --file 须给出其一，且只给其一。")
    if area is not None and bbox is not None:
        refuse("--bbox", "give either --area or --bbox, not both.", "与 --area 只能给一个。")
    if place is not None and (area is not None or bbox is not None):
        en, zh = "it cuts a --file; a --place has its own border.", "用于裁剪 --file；--place 自有边界，不用另给。"
        refuse("--area" if area is not None else "--bbox", en, zh)
    box = None if bbox is None else _numbers(bbox, "--bbox")
    with _told_plainly():
        from .extracts import write_extract

        lang = usual_lang()
        with _waiting("roads" if place is None else "download", lang):
            made = write_extract(out, place=place, file=file, area=area, bbox=box, margin_m=margin)
        n = made.n_street
        _say(f"已写入 {out}（{n:,} 条道路）。" if lang == "zh" else f"{out}: {n:,} streets.")


@app.command()
def networks(
    file: Annotated[
        Path, typer.Option("--file", metavar="ROADS.osm.pbf", help="An OpenStreetMap file, as large as a country.")
    ],
    areas: Annotated[
        Path, typer.Option("--areas", metavar="FILE", help="Polygons, a row for each city; in any CRS, up to 500.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for NAME.osm.pbf of each; none may stand there.")
    ],
    name: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--name", metavar="COLUMN", help="Column with their names. Default: id, else name."),
    ] = None,
    margin: Annotated[
        float, typer.Option("--margin", metavar="METRES", min=0, help="Kept round each area.")
    ] = 3000.0,
) -> None:
    """
    Cut a country's roads to many cities in one streaming pass.

    Each file is what `network` cuts out for the city alone. Memory does not grow with the country.
    """
    with _told_plainly():
        from .area_extracts import write_extracts

        lang = usual_lang()
        with _waiting("roads", lang):
            made = write_extracts(out, file=file, areas=areas, name_column=name, margin_m=margin)
        for one in made:
            n = one.n_street
            if one.path is None:
                _say(
                    f"{one.name}：范围内没有道路，未写入。"
                    if lang == "zh"
                    else f"{one.name}: no streets, not written."
                )
            else:
                _say(f"已写入 {one.path}（{n:,} 条道路）。" if lang == "zh" else f"{one.path}: {n:,} streets.")


@app.command()
def serve(
    study: StudyPath,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes any that is free.")
    ] = 8000,
    store: Annotated[
        str | None,
        typer.Option(
            "--store", help="Where jobs and closures are kept: a file, or postgresql://USER@HOST/DATABASE."
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option("--workers", min=1, max=64, help="How many processes serve; each holds the study in memory."),
    ] = 1,
    root_path: Annotated[
        str | None, typer.Option("--root-path", metavar="PATH", help="Prefix below which a proxy shows the server.")
    ] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            "--proxy", metavar="ADDRESS", help="Proxy whose forwarded headers are believed; may be repeated."
        ),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option("--origin", metavar="URL", help="Other site whose pages may ask (CORS); may be repeated."),
    ] = None,
    key_for_reads: Annotated[
        bool | None, typer.Option("--key-for-reads", help="Reading needs the key too, not only writing.")
    ] = None,
    log: Annotated[
        str | None, typer.Option("--log", metavar="plain|json", help="json: one line a request, for machines.")
    ] = None,
) -> None:
    """Serve a study's coverage map over HTTP."""
    with _told_plainly(study):
        from .packaged import api_module

        api_module("main").run(
            study,
            host=host,
            port=port,
            workers=workers,
            store=store,
            root_path=root_path,
            proxies=tuple(proxy) if proxy else None,
            origins=tuple(origin) if origin else None,
            key_for_reads=key_for_reads,
            log=log,
        )


# --------------------------------------------------------------------------------------------------- the chain
def _plan(
    study: Path,
    out: Path,
    *,
    stations: int | None = None,
    shops: int | None = None,
    minutes: tuple[float, ...] | None = None,
    profile: str | None = None,
    when: str | None = None,
    service: list[str] | None = None,
    rules: Mapping[str, Any] | None = None,
    time_limit_s: float | None = None,
    closures: Path | None = None,
    base_map: str | None = None,
    figures: tuple[str, ...] = (),
    font: Path | None = None,
    proposal: bool = False,
    letterhead: Path | None = None,
) -> None:
    """Plan a study and tell what came out; `rules` are those of the study with some changed."""
    from .complete_plans import completed
    from .pipeline import suggest
    from .study import load_study
    from .study_reports import with_reports
    from .trouble import with_trouble
    from .writers import write_outputs

    loaded: Study = load_study(study)
    if closures is not None:
        loaded = with_reports(loaded, closures, toml=study)
    if base_map is not None:
        base: Any = None if base_map == NO_BASE else base_map
        loaded = replace(loaded, map_rules=replace(loaded.map_rules, base=base))
    _see_that_it_can_be_drawn(loaded, figures=figures, font=font, proposal=proposal, letterhead=letterhead)
    written: list[Path] = []
    with _progress(loaded.lang) as on_stage:
        try:
            made = suggest(
                loaded,
                stations=stations,
                shops=shops,
                minutes=minutes,
                profile=profile,
                when=when,
                service=service,
                rules=replace(loaded.siting, **rules) if rules else None,
                time_limit_s=time_limit_s,
                on_stage=on_stage,
            )
        except InfeasibleError as error:
            if error.plan is not None:
                write_outputs(with_trouble(error.plan), out)
                _say(_unmet_folder(out, loaded.lang))
            raise (in_options(error, rules) if rules else error) from error
        except InputError as error:
            if not rules or isinstance(error, StudyError):
                raise
            raise in_options(error, rules) from error
        on_stage("explain")
        made = completed(made, time_limit_s=time_limit_s)
        on_stage("write")
        write_outputs(made, out, figures=figures, font=font)
        if proposal:
            from .proposal import write_proposal

            written = write_proposal(made, out, letterhead=letterhead, font=font)
    _tell(made, out)
    if written:
        word, page = written
        zh = f"方案：{word}（同内容网页：{page.name}）"
        _say(zh if made.study.lang == "zh" else f"Proposal: {word} (the same as a page: {page.name})")


def _see_that_it_can_be_drawn(
    loaded: Study, *, figures: tuple[str, ...], font: Path | None, proposal: bool, letterhead: Path | None
) -> None:
    """Raise what would stop the writing before the search, not after it: keys, fonts, the letterhead."""
    if loaded.map_rules.base is not None:
        from .maps import check_base_map

        check_base_map(loaded.map_rules.base)
    if figures or proposal:
        from .figures import check_fonts

        check_fonts(loaded.lang, font)
    if proposal:
        from .proposal import check_letterhead

        check_letterhead(letterhead)


def _unmet_folder(out: Path, lang: Lang) -> str:
    """Return where the study as it is today was written, as no plan keeps the rules."""
    if lang == "zh":
        return f"结果文件夹：{out}（只有现状、缺口，以及任何候选点都够不着的骑手 infeasible.csv，没有建议）"
    return f"Results: {out} (today, gaps, and the riders whom no candidate reaches, infeasible.csv; no suggestion)"


def _usual_folder(study: Path) -> Path:
    """Return where the results of a study go if nobody says: `out/` and the name of its folder."""
    folder = study.parent if study.suffix == ".toml" else study
    return Path("out") / folder.resolve().name


def _tell(plan: Plan, out: Path) -> None:
    """Print a plan's figures: coverage, gaps, suggestions, warnings, files."""
    from .report import plan_lines

    for line in plan_lines(plan):
        _say(line)
    zh = plan.study.lang == "zh"
    _say(f"结果文件夹：{out}（用浏览器打开 map.html）" if zh else f"Results: {out} (open map.html in a browser)")


# ---------------------------------------------------------------------------------------------------- progress
@contextmanager
def _progress(lang: Lang) -> Iterator[OnStage]:
    """Show the stages of a plan on a terminal; stay quiet in a pipe."""
    from .pipeline import STAGES

    stages = (*STAGES, "explain", "write")
    with _bar(lang, total=len(stages)) as update:
        yield lambda stage: update(stage, stages.index(stage))


@contextmanager
def _waiting(stage: str, lang: Lang) -> Iterator[None]:
    """Show on a terminal that work of unknown length is under way."""
    with _bar(lang, total=None) as update:
        update(stage, 0)
        yield


@contextmanager
def _bar(lang: Lang, *, total: int | None) -> Iterator[Callable[[str, int], None]]:
    """Yield a function that shows a stage and how many are done; it does nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _stage, _done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from .report import STAGE_WORDS

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda stage, done: bar.update(
            task, description=STAGE_WORDS[lang][stage], completed=done, refresh=True
        )


def _width(stream: object) -> int | None:
    """Columns of a terminal; None in a pipe or a file."""
    is_terminal = getattr(stream, "isatty", bool)()
    return shutil.get_terminal_size().columns if is_terminal else None


# ------------------------------------------------------------------------------------------------------ errors
@contextmanager
def _told_plainly(study: Path | None = None) -> Iterator[None]:
    """Tell what goes wrong in one message, in the study's language, without a traceback; exit status 1."""
    try:
        yield
    except KeyboardInterrupt:
        is_zh = _lang_of(study) == "zh"
        _say(
            "已中断；没有写完的文件不会留下。" if is_zh else "Interrupted; no half-written file is left.",
            to=sys.stderr,
        )
        raise typer.Exit(INTERRUPTED) from None
    except StudyError as error:
        from .report import fault_count, fault_lines

        lang = _lang_of(study)
        for line in fault_lines(error.faults, lang, width=_width(sys.stderr)):
            _say(line, to=sys.stderr)
        _say(fault_count(error.faults, lang), to=sys.stderr)
        raise typer.Exit(1) from error
    except ServiceCircleError as error:
        lang = _lang_of(study)
        _fail(error.told(lang), lang, error)
    except OSError as error:
        if error.errno == errno.EPIPE:  # whoever read the output has gone
            raise
        lang = _lang_of(study)
        reason = error.strerror or str(error)
        colon = "：" if lang == "zh" else ": "
        _fail(f"{error.filename}{colon}{reason}" if error.filename else reason, lang, error)
    except MemoryError as error:
        lang = _lang_of(study)
        _fail(
            "内存不足，请缩小范围或增大网格。"
            if lang == "zh"
            else "Out of memory: take a smaller area or larger cells.",
            lang,
            error,
        )
    except Exception as error:
        if isinstance(error, typer.Exit) or os.environ.get(TRACEBACK_SETTING):
            raise
        lang = _lang_of(study)
        what = " ".join(f"{type(error).__name__}: {error}".split())
        hint = f"{TRACEBACK_SETTING}=1"
        told = (
            f"程序出错（{what}）。请反馈此问题；设 {hint} 后重试可看到详情。"
            if lang == "zh"
            else f"This is a bug ({what}). Please report it; {hint} shows where it is."
        )
        _fail(told, lang, error)


def _fail(told: str, lang: Lang, error: Exception) -> NoReturn:
    """Print one message, and end with exit status 1."""
    _say(("错误：" if lang == "zh" else "Error: ") + told, to=sys.stderr)
    raise typer.Exit(1) from error


def _say(line: str, *, to: TextIO | None = None) -> None:
    """Print a line, at once; not through `typer.echo`, which takes a stream without Chinese for one in UTF-8."""
    stream = to or sys.stdout
    stream.write(visible(line) + "\n")
    stream.flush()


def _lang_of(study: Path | None) -> Lang:
    """Language of a study, also of one that cannot be read as TOML."""
    if study is None:
        return usual_lang()
    from .study_keys import stated_lang

    return stated_lang(study if study.suffix == ".toml" else study / "study.toml") or usual_lang()


# ----------------------------------------------------------------------------------------------------- options
def _breaks(text: str | None) -> tuple[float, ...] | None:
    """Return `10,15` as numbers."""
    if text is None:
        return None
    try:
        return check_minutes(_numbers(text, "--minutes"))
    except InputError:
        en = f"{text!r} must hold numbers above 0, ascending, with commas between, e.g. 10,15."
        refuse("--minutes", en, f"的值“{text}”应为大于 0 的数，从小到大，以逗号分隔，如 10,15。")


def _formats(text: str | None) -> tuple[str, ...]:
    """Return `png,pdf` as the kinds of file in which figures are drawn."""
    if text is None:
        return ()
    from .figures import checked_format

    formats = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",")))
    try:
        return tuple(checked_format(name) for name in formats)
    except InputError as error:
        refuse("--figures", error.en, f"的值有误：{error.zh}")


def _when(text: str | None) -> str | None:
    """Return a moment of the week as it was written, if it is one."""
    from .study_keys import check_value

    if text is not None:
        try:
            check_value("", "when", text)
        except InputError as error:
            refuse("--when", error.en.removeprefix("`when` "), error.zh.removeprefix("when "))
    return text


def _rule(option: str, key: str, value: object, *, table: str = "suggest") -> Any:  # noqa: ANN401
    """Return a rule of the plan, checked as the key of study.toml is."""
    from .study_keys import check_value

    if value is None:
        return None
    try:
        return check_value(table, key, value)
    except InputError as error:
        refuse(option, error.en.removeprefix(f"`{key}` "), error.zh.removeprefix(f"{key} "))


def _share_or_word(text: str | None) -> float | str | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def _profile(name: str | None) -> str | None:
    """Return the name of a profile if there is one."""
    if name is None or name in PROFILES:
        return name
    zh = f"的值“{name}”无法识别，只能是 {'、'.join(PROFILES)}。"
    refuse("--profile", f"{name!r} is none of {', '.join(PROFILES)}.", zh)


def _numbers(text: str, option: str) -> tuple[float, ...]:
    """Return numbers with commas between."""
    try:
        return tuple(float(part) for part in text.replace("，", ",").split(","))
    except ValueError:
        en = f"{text!r} must hold numbers with commas between."
        refuse(option, en, f"的值“{text}”应为数字，以逗号分隔。")
