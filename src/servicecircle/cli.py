"""The command line: parse, one call, tell."""

from __future__ import annotations

import errno
import os
import re
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
from .errors import InputError, Lang, ServiceCircleError, StudyError, visible
from .params import PROFILES
from .usage import UsageGroup, refuse, usual_lang

if TYPE_CHECKING:
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
Alternatives = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--alternatives", metavar="K", min=0, help="Other plans to find. Default: what the study says."),
]
TimeLimit = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        "--time-limit", metavar="SECONDS", help="End each search after so long. Default: as the study, 60."
    ),
]
ClosureFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--closures", metavar="FILE", help="Reports of trouble on the road. Default: those of the study."),
]


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
def check(study: StudyPath) -> None:
    """
    Tell every fault of a study and its files.

    Everything is read; each fault comes with its file, sheet, row and column.
    """
    with _told_plainly(study):
        from .pipeline import check_on_roads
        from .report import fault_count, fault_lines
        from .study import check_study, load_study

        lang = _lang_of(study)
        with _waiting("check", lang):
            faults = check_study(study)
            if not any(fault.level == "error" for fault in faults):
                faults += check_on_roads(load_study(study))
        for line in [*fault_lines(faults, lang, width=_width(sys.stdout)), fault_count(faults, lang)]:
            _say(line)
    if any(fault.level == "error" for fault in faults):
        raise typer.Exit(1)


@app.command()
def plan(
    study: StudyPath,
    stations: Stations = None,
    shops: Shops = None,
    minutes: Minutes = None,
    profile: Profile = None,
    objective: Objective = None,
    budget: Budget = None,
    capacity: Capacity = None,
    backup: Backup = None,
    fair: FairShare = None,
    spacing: Spacing = None,
    move: Move = None,
    keep: Keep = None,
    alternatives: Alternatives = None,
    time_limit: TimeLimit = None,
    closures: ClosureFile = None,
    out: Out = None,
) -> None:
    """
    Plan a study, and write its result folder.

    Coverage today, gaps, suggestions with proof and reasons; map.html, GeoJSON, a GeoPackage and summary.json.
    """
    breaks, name = _breaks(minutes), _profile(profile)
    rules = {
        "objective": _rule("--objective", "objective", objective),
        "budget": _rule("--budget", "budget", budget),
        "capacity": _rule("--capacity", "capacity", capacity),
        "backup": _rule("--backup", "backup", backup),
        "fair": _rule("--fair", "fair", _share_or_word(fair)),
        "min_spacing_m": _rule("--spacing", "min_spacing_m", spacing),
        "move": _rule("--move", "move", move),
        "keep": _rule("--keep", "keep", keep or None),
        "alternatives": _rule("--alternatives", "alternatives", alternatives),
    }
    limit_s = _rule("--time-limit", "time_limit_s", time_limit)
    with _told_plainly(study):
        folder = study.parent if study.suffix == ".toml" else study
        target = out or Path("out") / folder.resolve().name
        _plan(
            study,
            target,
            stations=stations,
            shops=shops,
            minutes=breaks,
            profile=name,
            rules={key: value for key, value in rules.items() if value is not None},
            time_limit_s=limit_s,
            closures=closures,
        )


@app.command()
def circles(
    study: StudyPath,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.geojson", help="GeoJSON file to write.")],
    minutes: Minutes = None,
    profile: Profile = None,
) -> None:
    """
    Draw the service circles of a study only.

    One area a station or shop and break, as GeoJSON.
    """
    breaks, name = _breaks(minutes), _profile(profile)
    if out.suffix.lower() not in {".geojson", ".json"}:
        refuse("--out", f"{out.name!r} must end in .geojson.", f"的文件名“{out.name}”须以 .geojson 结尾。")
    with _told_plainly(study):
        from .pipeline import facility_circles
        from .study import load_study
        from .whole_files import make_folder, write_text
        from .writers import frame_features, geojson_text

        loaded = load_study(study)
        with _waiting("circles", loaded.lang):
            areas = facility_circles(loaded, minutes=breaks, profile=name)
            make_folder(out.parent)
            write_text(out, geojson_text(frame_features(areas)))
        n = len(areas)
        _say(f"已写入 {out}（{n} 个服务圈）。" if loaded.lang == "zh" else f"{out}: {n} service circles.")


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
def serve(
    study: StudyPath,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes any that is free.")
    ] = 8000,
) -> None:
    """Serve a study's coverage map over HTTP."""
    with _told_plainly(study):
        from .packaged import api_module

        api_module("main").run(study, host=host, port=port)


# --------------------------------------------------------------------------------------------------- the chain
def _plan(
    study: Path,
    out: Path,
    *,
    stations: int | None = None,
    shops: int | None = None,
    minutes: tuple[float, ...] | None = None,
    profile: str | None = None,
    rules: Mapping[str, Any] | None = None,
    time_limit_s: float | None = None,
    closures: Path | None = None,
) -> None:
    """Plan a study and tell what came out; `rules` are those of the study with some changed."""
    from .closure_reports import read_closures
    from .explanations import explain_plan
    from .pipeline import suggest
    from .study import load_study
    from .trouble import tell_closures
    from .writers import write_outputs

    loaded: Study = load_study(study)
    if closures is not None:
        loaded = replace(loaded, closures=read_closures(closures))
    with _progress(loaded.lang) as on_stage:
        made = suggest(
            loaded,
            stations=stations,
            shops=shops,
            minutes=minutes,
            profile=profile,
            rules=replace(loaded.siting, **rules) if rules else None,
            time_limit_s=time_limit_s,
            on_stage=on_stage,
        )
        if made.siting is None:  # what is explained is the plain choice
            on_stage("explain")
            made = replace(made, explanation=explain_plan(made))
        if loaded.closures is not None:
            trouble = tell_closures(made)
            made = replace(made, trouble=trouble, warnings=(*made.warnings, *trouble.warnings))
        on_stage("write")
        write_outputs(made, out)
    _tell(made, out)


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
    file = study if study.suffix == ".toml" else study / "study.toml"
    try:
        top = file.read_text(encoding="utf-8-sig", errors="replace").split("\n[")[0]
    except OSError:
        return usual_lang()
    stated = re.search(r"""^\s*lang\s*=\s*["'](zh|en)["']""", top, re.MULTILINE)
    return usual_lang() if stated is None else "en" if stated[1] == "en" else "zh"


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


def _rule(option: str, key: str, value: object) -> Any:  # noqa: ANN401
    """Return a rule of the plan, checked as the key of study.toml is."""
    from .study_keys import check_value

    if value is None:
        return None
    try:
        return check_value("suggest", key, value)
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
