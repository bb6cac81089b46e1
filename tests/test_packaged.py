"""What travels with the package: from the checkout, and from a wheel in a folder far away from it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest
from test_api_jobs import KEY, asked, begun, waited_for
from test_api_server import OPENER
from tiny_study import write_tiny_study

from servicecircle.errors import InputError
from servicecircle.packaged import api_module, example_folder, example_names, package_version

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = {"map.html", "plan.gpkg", "tables.xlsx", "summary.json", "explanations.json"} | {
    *(f"{name}.geojson" for name in ("circles", "coverage", "gaps", "suggestions")),
    *(f"{name}.csv" for name in ("amenities_by_zone", "coverage_by_hour", "partners")),
}
#: no request leaves the machine: every proxy is a closed port, and there is no cache to fall back on
OFFLINE = {f"{scheme}_proxy": "http://127.0.0.1:9" for scheme in ("http", "https", "all")}


def test_the_examples_are_known_by_name() -> None:
    assert example_names() == ["daning", "jianning", "jinyu", "nanqu", "shuiposi"]
    assert (example_folder("nanqu") / "study.toml").is_file()


@pytest.mark.parametrize("name", ["lost", "../nanqu", "", "/"])
def test_an_unknown_example_tells_the_known_ones(name: str) -> None:
    with pytest.raises(InputError, match=r"there are: .*nanqu"):
        example_folder(name)


def test_the_application_is_found_in_a_checkout() -> None:
    assert callable(api_module("main").create_app)
    assert api_module("main") is api_module("main")
    with pytest.raises(ModuleNotFoundError):
        api_module("nothing")


def test_the_version_is_that_of_the_project() -> None:
    assert f'version = "{package_version()}"' in (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")


# ---------------------------------------------------------------------------------------------------- from a wheel
@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the wheel and the source distribution of a clean copy of the checkout."""
    copy = tmp_path_factory.mktemp("checkout") / "servicecircle"
    junk = shutil.ignore_patterns("__pycache__", ".git", ".venv", "dist", "out", "*.pyc")
    shutil.copytree(REPOSITORY, copy, ignore=junk, symlinks=True)
    out = tmp_path_factory.mktemp("dist")
    for kind in ("build_wheel", "build_sdist"):
        code = f"import hatchling.build as b; b.{kind}({str(out)!r})"
        subprocess.run([sys.executable, "-c", code], cwd=copy, check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the wheel in it, and the dependencies of this one on its path."""
    venv = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    site = venv / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    outer = sysconfig.get_paths()["purelib"]
    (site / "outer.pth").write_text(f"{outer}\n", encoding="utf-8")
    (wheel,) = built.glob("*.whl")
    command = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python"), "install", "--no-index"]
    subprocess.run([*command, "--no-deps", "--ignore-installed", str(wheel)], check=True, capture_output=True)
    return venv


def environment_in(folder: Path) -> dict[str, str]:
    """An environment without the checkout and without the network."""
    kept = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "NUMBA_CACHE_DIR"}}
    return {**kept, **OFFLINE, "PYTHONIOENCODING": "utf-8", "HOME": str(folder)}


def in_venv(venv: Path, *arguments: str, folder: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a folder, without the checkout and without the network."""
    return subprocess.run(
        [str(venv / "bin" / arguments[0]), *arguments[1:]],
        cwd=folder,
        env=environment_in(folder),
        capture_output=True,
        encoding="utf-8",
        check=check,
    )


@pytest.mark.slow
def test_the_wheel_holds_the_application_the_example_and_the_page(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"servicecircle/api/{file.name}" for file in (REPOSITORY / "api").glob("*.py")}
    wanted |= {
        f"servicecircle/_examples/{file.parent.name}/{file.name}" for file in (REPOSITORY / "data").glob("*/*")
    }
    source = REPOSITORY / "src"
    package = source / "servicecircle"
    wanted |= {
        str(file.relative_to(source))
        for file in package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    wanted.add("servicecircle_command.py")
    assert wanted <= held
    rest = {name for name in held - wanted if ".dist-info/" not in name}
    assert {name for name in rest if not name.startswith("servicecircle/api/")} == set()


@pytest.mark.slow
def test_the_source_distribution_holds_all_that_the_tests_need(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        held = {name.split("/", 1)[1] for name in opened.getnames() if "/" in name}
    assert {"pyproject.toml", "README.md", "README.zh.md", "CHANGELOG.md", "LICENSE"} <= held
    assert {"src/servicecircle/cli.py", "api/main.py", "tests/test_packaged.py", "data/nanqu/study.toml"} <= held


@pytest.mark.slow
def test_the_demo_runs_from_the_wheel_in_an_empty_folder_without_the_network(
    installed: Path, tmp_path: Path
) -> None:
    where = in_venv(
        installed, "python", "-c", "import servicecircle as s; print(s.__file__)", folder=tmp_path
    ).stdout
    assert Path(where.strip()).is_relative_to(installed)
    done = in_venv(installed, "servicecircle", "demo", folder=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    out = tmp_path / "out" / "nanqu"
    assert {file.name for file in out.iterdir()} == RESULTS
    figures = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert figures["solution"]["status"] == "optimal"
    assert figures["before"]["riders"] == pytest.approx(214)
    assert f"{figures['study']}\n" in done.stdout
    assert in_venv(installed, "servicecircle", "--version", folder=tmp_path).stdout.split()[1] == package_version()


@pytest.mark.slow
@pytest.mark.parametrize("town", ["daning", "jianning", "jinyu", "shuiposi"])
def test_the_demo_of_each_town_runs_from_the_wheel(installed: Path, tmp_path: Path, town: str) -> None:
    done = in_venv(
        installed, "servicecircle", "demo", "--town", town, "--out", "here", folder=tmp_path, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert {file.name for file in (tmp_path / "here").iterdir()} >= RESULTS
    figures = json.loads((tmp_path / "here" / "summary.json").read_text(encoding="utf-8"))
    assert figures["solution"]["status"] == "optimal"


@pytest.mark.slow
def test_the_application_is_found_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = "from servicecircle.packaged import api_module; m = api_module('main'); print(m.__name__, m.__file__)"
    name, file = in_venv(installed, "python", "-c", code, folder=tmp_path).stdout.split()
    assert name == "servicecircle.api.main"
    assert Path(file).is_relative_to(installed)


@pytest.mark.slow
def test_the_wheel_serves_page_map_and_jobs_with_two_workers(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICECIRCLE_API_KEY", KEY)
    town = write_tiny_study(tmp_path / "town")
    server = subprocess.Popen(
        [installed / "bin" / "servicecircle", "serve", town, "--port", "0", "--workers", "2"],
        cwd=tmp_path,
        env=environment_in(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        assert server.stdout is not None
        told = ""
        while "Ctrl-C" not in told:
            line = server.stdout.readline()
            assert line, server.communicate()[1]
            told += line
        address = re.findall(r"(http://\S+)/map", told)[0]
        for path in ("/", "/page/live.js", "/page/leaflet.js", "/live.json", "/map"):
            with OPENER.open(address + path, timeout=60) as answer:
                assert answer.status == 200, path
        job = begun(address)  # whichever worker is asked, each knows of it
        ends = {waited_for(lambda: asked(address, job)[1], "successful", "failed")["status"] for _ in range(6)}
        assert ends == {"successful"}
        server.send_signal(signal.SIGTERM)
        out, errors = server.communicate(timeout=60)
        assert (server.returncode, "Traceback" in errors) == (0, False), errors
        assert "已停止" in out
    finally:
        server.kill()
        server.communicate()
