"""The map's frame on the sheet: scale, and places of the ground as places on paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import CRS, Geod, Transformer
from shapely.geometry.base import BaseGeometry

from .._page.geometry import WGS84, Box
from .._validate import FloatArray, GeometryArray

Frame = tuple[float, float, float, float]
#: the map on an A4 sheet that lies (mm): west, south, east, north
FRAME: Frame = (10.0, 15.0, 216.0, 185.0)
#: what is kept free between what matters and the frame
FREE_MM = 3.0
#: scales are 1 to one of these, times ten, hundred, ...
ROUND_SCALES = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
#: the scale at which widths and symbols have the size that the look states, and the zoom of the page like it
LOOK_SCALE, LOOK_ZOOM = 20_000, 15
#: a scale bar has so many fields, and is at most so long
FIELDS, LONGEST_BAR_MM = 4, 52.0
ROUND_FIELDS = (1.0, 2.0, 2.5, 5.0)
MM_PER_M = 1000.0
_GEOD = Geod(ellps="WGS84")


@dataclass(frozen=True)
class Ground:
    """A piece of the ground on paper: its middle and scale, both in units of a projected CRS."""

    crs: CRS
    middle: tuple[float, float]
    scale: float  # metres on the ground to one on paper
    unit_m: float  # metres on the ground that a unit of the CRS is long there
    north: float  # where north is, degrees against the clock from the sheet's upper edge
    frame: Frame = FRAME

    @property
    def mm_per_unit(self) -> float:
        """How long a unit of the CRS is on paper."""
        return MM_PER_M * self.unit_m / self.scale

    @property
    def zoom(self) -> float:
        """The zoom at which the page shows streets as large."""
        return LOOK_ZOOM + math.log2(LOOK_SCALE / self.scale)

    @property
    def box(self) -> Box:
        """What of the ground the frame shows, in the CRS."""
        west, south, east, north = self.frame
        dx, dy = (east - west) / 2 / self.mm_per_unit, (north - south) / 2 / self.mm_per_unit
        x, y = self.middle
        return x - dx, y - dy, x + dx, y + dy

    def on_paper(self, xy: FloatArray) -> FloatArray:
        """Return places (n, 2) of the CRS as millimetres on the sheet."""
        west, south, east, north = self.frame
        moved = (xy - np.array(self.middle)) * self.mm_per_unit
        return np.asarray(moved + np.array([(west + east) / 2, (south + north) / 2]), dtype=np.float64)

    def seen(self, shapes: GeometryArray | Sequence[BaseGeometry]) -> GeometryArray:
        """Return shapes of the CRS as they lie on the sheet, cut a little beyond the frame."""
        array = np.asarray(shapes, dtype=object)
        if not array.size:
            return array
        west, south, east, north = self.frame
        paper = np.asarray(shapely.transform(array, self.on_paper), dtype=object)
        margin = 3.0
        cut = shapely.clip_by_rect(paper, west - margin, south - margin, east + margin, north + margin)
        return np.asarray(cut[~shapely.is_empty(cut)], dtype=object)

    def of_degrees(self, latlon: Sequence[tuple[float, float]]) -> FloatArray:
        """Return places in degrees as millimetres on the sheet, (n, 2)."""
        if not latlon:
            return np.empty((0, 2))
        lat, lon = np.array(latlon, dtype=np.float64).T
        to_crs = Transformer.from_crs(WGS84, self.crs, always_xy=True)
        return self.on_paper(np.column_stack(to_crs.transform(lon, lat)))


def ground_of(bounds: Box, crs: CRS, frame: Frame = FRAME) -> Ground:
    """Return the piece of ground that shows `bounds` at the largest round scale."""
    west, south, east, north = bounds
    middle = ((west + east) / 2, (south + north) / 2)
    unit_m, turn = _measure(middle, crs)
    wide, high = frame[2] - frame[0] - 2 * FREE_MM, frame[3] - frame[1] - 2 * FREE_MM
    least = MM_PER_M * unit_m * max((east - west) / wide, (north - south) / high, 1e-3)
    return Ground(crs, middle, _round_up(least), unit_m, turn, frame)


def _round_up(least: float) -> float:
    """Return the smallest round scale that is not below `least`, never larger than 1:1,000."""
    power = 10 ** max(3, math.floor(math.log10(least)))
    return float(next(power * step for step in (*ROUND_SCALES, 10.0) if power * step >= least * (1 - 1e-9)))


def _measure(middle: tuple[float, float], crs: CRS) -> tuple[float, float]:
    """Return how long a unit of the CRS is on the ground there, and where north is on a sheet along its axes."""
    back = Transformer.from_crs(crs, WGS84, always_xy=True)
    x, y = middle
    half = 500.0
    lon, lat = back.transform(np.array([x, x]), np.array([y - half, y + half]))
    azimuth, _, metres = _GEOD.inv(lon[0], lat[0], lon[1], lat[1])
    return float(metres) / (2 * half), float(azimuth)


def scale_text(scale: float) -> str:
    """Return a scale as it is printed."""
    return f"1:{scale:,.0f}"


def bar_field_m(scale: float) -> float:
    """Return how many metres one field of the scale bar stands for."""
    longest = LONGEST_BAR_MM / FIELDS / MM_PER_M * scale
    power = 10.0 ** math.floor(math.log10(longest))
    return max(power * step for step in ROUND_FIELDS if power * step <= longest * (1 + 1e-9))
