"""Reports of trouble as GeoJSON: checked, bounded, and turned into closures, whoever sends them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Geod
from shapely.errors import ShapelyError

from servicecircle.closures import WGS84, Closures
from servicecircle.coordinates import looks_swapped
from servicecircle.errors import InputError
from servicecircle.model import Network

from .errors import ParameterError
from .settings import Settings
from .trouble_models import KINDS, TroubleCollection, TroubleFeature, TroubleProperties

_EARTH = Geod(ellps="WGS84")
#: what lies farther than this from the roads may have its numbers exchanged (degrees)
NEAR_DEG = 0.5


#: a report farther than this beyond the box of the roads closes none of them (degrees, about 500 m)
NEAR_DEG = 0.005


class Here(NamedTuple):
    """Where the roads are, in degrees: what tells longitude from latitude."""

    west: float
    south: float
    east: float
    north: float

    def check(self, lon: float, lat: float, name: str) -> None:
        """
        Check that a place is longitude and latitude, in this order; it may lie beyond the roads.

        Raises
        ------
        ParameterError
            If they look exchanged, or are off the globe.
        """
        pair = np.array([lon]), np.array([lat])
        if looks_swapped(*pair)[0] or (not self._holds(lon, lat) and self._holds(lat, lon)):
            msg = f"`{name}` looks swapped: longitude {lon:.10g}, latitude {lat:.10g}. Exchange the two numbers."
            zh = f"{name} 的经纬度似乎写反了：经度 {lon:.10g}，纬度 {lat:.10g}。请对调这两个数。"
            raise ParameterError([name], msg, zh=zh)
        if abs(lon) > 180 or abs(lat) > 90:  # noqa: PLR2004
            msg = f"`{name}` is off the globe: longitude {lon:.10g}, latitude {lat:.10g}."
            zh = f"{name} 超出经纬度范围：经度 {lon:.10g}，纬度 {lat:.10g}。"
            raise ParameterError([name], msg, zh=zh)

    def check_near(self, shape: Any, name: str) -> None:  # noqa: ANN401
        """
        Check that a report comes near the roads.

        Raises
        ------
        ParameterError
            If it lies wholly beyond them: it would close nothing, and nobody would see that.
        """
        west, south, east, north = shape.bounds
        is_near = (
            west <= self.east + NEAR_DEG
            and east >= self.west - NEAR_DEG
            and south <= self.north + NEAR_DEG
            and north >= self.south - NEAR_DEG
        )
        if not is_near:
            box = f"{self.west:.4f}, {self.south:.4f}, {self.east:.4f}, {self.north:.4f}"
            msg = f"`{name}` lies outside of the roads of this study ({box}): check the coordinates."
            zh = f"{name} 在本研究的路网（{box}）之外：请核对坐标。"
            raise ParameterError([name], msg, zh=zh)

    def _holds(self, lon: float, lat: float) -> bool:
        return (
            self.west - NEAR_DEG <= lon <= self.east + NEAR_DEG
            and self.south - NEAR_DEG <= lat <= self.north + NEAR_DEG
        )


def where_roads_are(network: Network) -> Here:
    """Return the bounds of streets in degrees."""
    box = shapely.box(*shapely.total_bounds(network.street_geometry))
    return Here(*gpd.GeoSeries([box], crs=network.crs).to_crs(WGS84).total_bounds.tolist())


def closures_of(
    features: Sequence[TroubleFeature],
    ids: Sequence[str],
    here: Here,
    settings: Settings,
    *,
    within: str = "closures",
) -> Closures:
    """
    Return reports as closures.

    Parameters
    ----------
    features
        The reports.
    ids
        The id of each.
    here
        Where the roads are.
    settings
        Their limits on points and lengths.
    within
        The member that holds the collection; "": a single report is the body itself.

    Raises
    ------
    ParameterError
        If a report does not hold, or is too long or too fine to be laid on the roads in time.
    """
    bound_geometries(features, settings, within or "geometry")
    rows, shapes = [], []
    for k, feature in enumerate(features):
        name = f"{within}.features.{k}." if within else ""
        shapes.append(_shape(feature, f"{name}geometry", here, settings))
        rows.append(_row(feature.properties or TroubleProperties.model_validate({}), f"{name}properties"))
    frame = gpd.GeoDataFrame(rows, index=np.array(ids, dtype=object), geometry=shapes, crs=WGS84)
    try:
        return Closures(frame)
    except InputError as error:
        raise ParameterError([within or "properties"], error.en, zh=error.zh) from error


def closures_in(said: TroubleCollection | None, here: Here, settings: Settings) -> Closures | None:
    """
    Return a collection of reports, the member `closures` of a body, as closures; None if there is none.

    Raises
    ------
    ParameterError
        As `closures_of`, and for an id that stands twice.
    """
    if said is None or not said.features:
        return None
    ids = [f"closure-{k}" if one.id is None else str(one.id) for k, one in enumerate(said.features, 1)]
    if double := [own for k, own in enumerate(ids) if own in ids[:k]]:
        msg = f"`closures` has the id {double[0]!r} more than once."
        raise ParameterError(["closures"], msg, zh=f"closures 中的编号“{double[0]}”重复。")
    return closures_of(said.features, ids, here, settings)


def bound_geometries(features: Sequence[TroubleFeature], settings: Settings, name: str) -> None:
    """
    Check how many points geometries hold, before anything is made of them.

    Raises
    ------
    ParameterError
        If they are more than the settings allow.
    """
    n, most = sum(_n_numbers(feature.geometry.get("coordinates")) for feature in features) // 2, settings.max_points
    if n > most:
        msg = f"`{name}` holds {n} points; at most {most} are allowed. Simplify the geometry."
        raise ParameterError([name], msg, zh=f"{name} 共 {n} 个点，最多 {most} 个，请简化图形。")


def _n_numbers(coordinates: object) -> int:
    """Return how many numbers nested lists hold."""
    n, rest = 0, [coordinates]
    while rest:
        one = rest.pop()
        if isinstance(one, list):
            rest += one
            n += not one
        else:
            n += 1
    return n


def _shape(feature: TroubleFeature, name: str, here: Here, settings: Settings) -> Any:  # noqa: ANN401
    """Return the geometry of a report, in two dimensions."""
    kind, coordinates = feature.geometry.get("type"), feature.geometry.get("coordinates")
    if kind not in KINDS or not isinstance(coordinates, list):
        msg = f"`{name}` must be a GeoJSON geometry: {', '.join(KINDS)}."
        raise ParameterError([name], msg, zh=f"{name} 应为 GeoJSON 图形：{'、'.join(KINDS)}。")
    try:
        _check_numbers(coordinates)
        shape = shapely.force_2d(shapely.geometry.shape({"type": kind, "coordinates": coordinates}))
    except (ShapelyError, TypeError, ValueError, IndexError, AttributeError) as error:
        msg = f"`{name}` is no {kind} of GeoJSON."
        raise ParameterError([name], msg, zh=f"{name} 不是有效的 GeoJSON {kind}。") from error
    for lon, lat in shapely.get_coordinates(shape).tolist():
        here.check(lon, lat, name)
    _check_length(shape, name, settings.max_closure_km)
    return shape


def _check_numbers(coordinates: list[Any]) -> None:
    """
    Check that nested lists hold numbers alone: shapely takes texts and `true` for such.

    Raises
    ------
    TypeError
        If not.
    """
    rest = [*coordinates]
    while rest:
        one = rest.pop()
        if isinstance(one, list):
            rest += one
        elif isinstance(one, bool) or not isinstance(one, int | float):
            raise TypeError


def _check_length(shape: Any, name: str, most_km: int) -> None:  # noqa: ANN401
    """Refuse lines and outlines that nobody can draw on a map of a town: laying them on the roads takes minutes."""
    length_km = _EARTH.geometry_length(shape) / 1000.0
    if shape.geom_type.endswith("Polygon"):
        length_km = sum(_EARTH.geometry_length(ring) for ring in _rings(shape)) / 1000.0
    if length_km > most_km:
        msg = f"`{name}` is {length_km:.0f} km long; at most {most_km} km are allowed."
        raise ParameterError([name], msg, zh=f"{name} 长 {length_km:.0f} 公里，最多 {most_km} 公里。")


def _rings(shape: Any) -> Iterable[Any]:  # noqa: ANN401
    return shapely.get_rings(shapely.get_parts(shape))


def _row(said: TroubleProperties, name: str) -> dict[str, Any]:
    """Return the columns of a report."""
    factor = said.factor
    if said.closed is not None:
        if factor is not None and (factor == 0) is not said.closed:
            msg = f"`{name}.closed` and `factor` contradict each other. Leave one out."
            raise ParameterError([f"{name}.closed"], msg, zh=f"{name} 的 closed 与 factor 矛盾，请只写一个。")
        if factor is None and not said.closed:
            msg = f"`{name}.closed` is false: say by `factor` which share of the usual speed is left."
            raise ParameterError([f"{name}.closed"], msg, zh=f"{name} 未封闭：请用 factor 写明剩余的速度比例。")
    return {
        "name": said.name,
        "modes": said.modes,
        "factor": 0.0 if said.closed else factor,
        "from": said.begins,
        "until": said.until,
        "radius_m": said.radius_m,
        "width_m": said.width_m,
        "source": said.source,
    }
