"""
Valhalla as a peer, by its Python package: tiles of a road file, isochrones on foot.

Its wheels with the tile builder need Python 3.12 or later. Where this project runs under an older one,
`SERVICECIRCLE_VALHALLA_PYTHON` names an interpreter that has the package.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from .rounds import Taken

PYTHON = os.environ.get("SERVICECIRCLE_VALHALLA_PYTHON", sys.executable)
_FIND = "import valhalla, pathlib; print(valhalla.__version__, pathlib.Path(valhalla.__file__).parent / 'bin')"


@cache
def _found() -> tuple[str, Path] | None:
    """Return the version of the package, and the folder of its programs."""
    done = subprocess.run([PYTHON, "-I", "-c", _FIND], capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    version, folder = done.stdout.strip().split(" ", 1)
    return version, Path(folder)


def can_build() -> bool:
    """Whether Valhalla is here, with its tile builder."""
    found = _found()
    return found is not None and (found[1] / "valhalla_build_tiles").exists()


def why_not() -> str:
    """Return why Valhalla cannot run."""
    if _found() is None:
        return "pyvalhalla is not installed"
    return "this wheel of pyvalhalla has no tile builder: take one for Python 3.12 or later"


def version() -> str:
    """Return the version of the package."""
    found = _found()
    return "none" if found is None else found[0]


def build_tiles(pbf: Path, folder: Path) -> Path:
    """Build tiles in a folder, and return the file of their settings."""
    found = _found()
    if found is None:
        sys.exit(why_not())
    (folder / "tiles").mkdir()
    code = "import json, sys, valhalla; print(json.dumps(valhalla.get_config(sys.argv[1], sys.argv[1])))"
    made = subprocess.run(
        [PYTHON, "-I", "-c", code, str(folder / "tiles")], capture_output=True, text=True, check=True
    )
    config: dict[str, Any] = json.loads(made.stdout)
    for key in ("tile_extract", "admin", "timezone", "landmarks", "transit_dir", "traffic_extract", "elevation"):
        config["mjolnir"].pop(key, None)
    config.pop("additional_data", None)
    config["mjolnir"]["concurrency"] = os.cpu_count() or 1
    config["mjolnir"]["logging"] = {"type": "std_err", "color": False}
    settings = folder / "valhalla.json"
    settings.write_text(json.dumps(config), encoding="utf-8")
    built = subprocess.run(
        [str(found[1] / "valhalla_build_tiles"), "-c", str(settings), str(pbf)], capture_output=True, check=False
    )
    if built.returncode:
        sys.exit(f"valhalla_build_tiles failed:\n{built.stderr.decode(errors='replace')[-2000:]}")
    return settings


class Isochrones:
    """A process that draws isochrones on foot: `with Isochrones(settings) as draw`."""

    def __init__(self, settings: Path, *, kph: float) -> None:
        worker = Path(__file__).with_name("valhalla_worker.py")
        self._process = subprocess.Popen(
            [PYTHON, "-I", str(worker), str(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._kph = kph

    def __call__(
        self, places: list[tuple[float, float]], minutes: list[float], **options: object
    ) -> tuple[Taken, list[str]]:
        """Return what the drawing took, and a GeoJSON a place; `options` are those of a request."""
        request = {
            "costing": "pedestrian",
            "costing_options": {
                "pedestrian": {"walking_speed": self._kph, "service_penalty": 0, "step_penalty": 0}
            },
            "contours": [{"time": m} for m in minutes],
            "polygons": True,
            **options,
        }
        if self._process.stdin is None or self._process.stdout is None:
            sys.exit("the worker of Valhalla has no pipes")
        print(json.dumps({"places": places, "request": request}), file=self._process.stdin, flush=True)
        told = json.loads(self._process.stdout.readline() or sys.exit("the worker of Valhalla has ended"))
        return Taken(told["seconds"], told["cpu_s"]), told["answers"]

    def __enter__(self) -> Isochrones:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
