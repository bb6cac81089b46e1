"""The command line: parse, one call, tell."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, Optional

import typer

from .errors import InputError, Lang, ServiceCircleError

if TYPE_CHECKING:
    from .model import Plan
    from .pipeline import OnStage

app = typer.Typer(
    name="servicecircle",
    help="Service circles of rest stations and partner shops for delivery riders, exactly, on the street network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="Folder of a study, or its study.toml.")]
Out = Annotated[Optional[Path], typer.Option("--out", help="Folder for the results.")]  # noqa: UP045
Stations = Annotated[Optional[int], typer.Option("--stations", help="Stations to suggest.")]  # noqa: UP045
Shops = Annotated[Optional[int], typer.Option("--shops", help="Partner shops to suggest.")]  # noqa: UP045
Minutes = Annotated[Optional[str], typer.Option("--minutes", help="Breaks, as 10,15.")]  # noqa: UP045
Profile = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--profile", help="walk, ebike, drive or gb50180."),
]


def main() -> None:
    """Run the command line; a fault of the user's is told without a traceback, with exit status 1."""
    app()


@app.command()
def demo(
    town: Annotated[str, typer.Option("--town", help="Name of an example study.")] = "nanqu",
    out: Out = None,
    stations: Stations = None,
    shops: Shops = None,
) -> None:
    """Plan an example study that ships with the package, offline."""
    from .packaged import example_folder

    with _told_plainly():
        _plan(example_folder(town), out or Path("out") / town, stations=stations, shops=shops)


@app.command()
def plan(
    study: StudyPath,
    stations: Stations = None,
    shops: Shops = None,
    minutes: Minutes = None,
    profile: Profile = None,
    out: Out = None,
) -> None:
    """Plan a study: coverage, gaps, suggestions, a map and a result folder."""
    with _told_plainly(study):
        folder = study.parent if study.suffix == ".toml" else study
        target = out or Path("out") / folder.resolve().name
        _plan(study, target, stations=stations, shops=shops, minutes=_breaks(minutes), profile=profile)


@app.command()
def check(study: StudyPath) -> None:
    """Read everything of a study, and tell every fault with its file, sheet, row and column."""
    from .study import check_study

    with _told_plainly(study):
        faults = check_study(study)
        lang = _lang_of(study)
        for fault in faults:
            mark = {"zh": {"error": "错误", "warning": "提醒"}, "en": {"error": "error", "warning": "warning"}}
            typer.echo(f"{mark[lang][fault.level]}  {fault.told(lang)}")
        errors = sum(fault.level == "error" for fault in faults)
        warnings = len(faults) - errors
        typer.echo(
            f"共 {errors} 处错误，{warnings} 处提醒。"
            if lang == "zh"
            else f"{errors} error(s), {warnings} warning(s)."
        )
    if errors:
        raise typer.Exit(1)


@app.command()
def circles(
    study: StudyPath,
    out: Annotated[Path, typer.Option("--out", help="GeoJSON file to write.")],
    minutes: Minutes = None,
    profile: Profile = None,
) -> None:
    """Draw the service circles of a study's stations and shops, nothing else."""
    from .pipeline import facility_circles
    from .study import load_study
    from .whole_files import write_text
    from .writers import frame_features, geojson_text

    with _told_plainly(study):
        loaded = load_study(study)
        areas = facility_circles(loaded, minutes=_breaks(minutes), profile=profile)
        out.parent.mkdir(parents=True, exist_ok=True)
        write_text(out, geojson_text(frame_features(areas)))
        typer.echo(
            f"已写入 {out}（{len(areas)} 个服务圈）。" if loaded.lang == "zh" else f"{out}: {len(areas)} areas."
        )


@app.command()
def network(
    out: Annotated[Path, typer.Option("--out", help="Edge table to write: .gpkg, .parquet, .geojson or .shp.")],
    place: Annotated[Optional[str], typer.Option("--place", help="A place name (online, OSMnx).")] = None,  # noqa: UP045
    file: Annotated[Optional[Path], typer.Option("--file", help="A road file.")] = None,  # noqa: UP045
    area: Annotated[Optional[Path], typer.Option("--area", help="Polygons to cut to.")] = None,  # noqa: UP045
    bbox: Annotated[Optional[str], typer.Option("--bbox", help="W,S,E,N in degrees.")] = None,  # noqa: UP045
    margin: Annotated[float, typer.Option("--margin", help="Metres kept round the area or box.")] = 3000.0,
    profile: Annotated[str, typer.Option("--profile", help="walk, ebike, drive or gb50180.")] = "walk",
) -> None:
    """Download, cut and convert a street network."""
    from .extracts import write_extract

    with _told_plainly():
        box = None if bbox is None else _numbers(bbox, "--bbox")
        made = write_extract(out, place=place, file=file, area=area, bbox=box, margin_m=margin, profile=profile)
        typer.echo(f"{out}: {made.n_street} streets, {made.n_node} nodes, {profile}.")


@app.command()
def serve(
    study: StudyPath,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """Serve a study's coverage map over HTTP."""
    from .packaged import api_module

    with _told_plainly(study):
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
) -> None:
    """Plan a study and tell what came out."""
    from .pipeline import suggest
    from .study import load_study
    from .writers import write_outputs

    loaded = load_study(study)
    with _progress(loaded.lang) as on_stage:
        made = suggest(loaded, stations=stations, shops=shops, minutes=minutes, profile=profile, on_stage=on_stage)
        on_stage("write")
        write_outputs(made, out)
    _tell(made, out)


def _tell(plan: Plan, out: Path) -> None:
    """Print a plan's figures: coverage, gaps, suggestions, warnings, files."""
    from .report import plan_lines

    for line in plan_lines(plan):
        typer.echo(line)
    zh = plan.study.lang == "zh"
    typer.echo(f"结果文件夹：{out}（用浏览器打开 map.html）" if zh else f"Results: {out} (open map.html)")


@contextmanager
def _progress(lang: Lang) -> Iterator[OnStage]:
    """Show the stages on a terminal; stay quiet in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _stage: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from .pipeline import STAGES
    from .report import STAGE_WORDS

    stages = (*STAGES, "write")
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(stages))
        yield lambda stage: bar.update(task, description=STAGE_WORDS[lang][stage], completed=stages.index(stage))


@contextmanager
def _told_plainly(study: Path | None = None) -> Iterator[None]:
    """Tell an error of ours in one message, in the study's language, without a traceback; exit status 1."""
    try:
        yield
    except ServiceCircleError as error:
        lang = _lang_of(study)
        typer.echo(("错误：" if lang == "zh" else "Error: ") + error.told(lang), err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        _stop()


def _lang_of(study: Path | None) -> Lang:
    """Language of a study, also of one with faults; Chinese where none is stated."""
    if study is None:
        return "zh"
    file = study / "study.toml" if study.is_dir() else study
    try:
        stated = tomllib.loads(file.read_text(encoding="utf-8")).get("lang")
    except (OSError, ValueError):
        return "zh"
    return "en" if stated == "en" else "zh"


def _stop() -> NoReturn:
    """End after Ctrl-C."""
    raise typer.Exit(130)


def _breaks(text: str | None) -> tuple[float, ...] | None:
    """`10,15` as numbers."""
    return None if text is None else _numbers(text, "--minutes")


def _numbers(text: str, option: str) -> tuple[float, ...]:
    """Numbers with commas between."""
    try:
        return tuple(float(part) for part in text.replace("，", ",").split(","))
    except ValueError as error:
        msg = f"`{option}` must hold numbers with commas between, got {text!r}."
        raise InputError(msg, zh=f"{option} 应为以逗号分隔的数字，现为 {text!r}。") from error
