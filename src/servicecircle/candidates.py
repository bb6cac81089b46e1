"""Candidates: places where a station or a shop may stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from scipy.spatial import KDTree

from ._validate import FloatArray, IntArray, StrArray, check_points, some, some_zh
from .errors import CRSError, Fault, InputError
from .model import Network, Study

WGS84 = CRS.from_epsg(4326)

#: streets that people give directions by come first; other classes stand before `service`
_CLASS_ORDER = (
    "trunk",
    "primary",
    "secondary",
    "tertiary",
    "unclassified",
    "residential",
    "living_street",
    "pedestrian",
)
_LAST_CLASSES = ("service", "cycleway", "track", "path", "footway", "steps", "corridor")
#: streets that meet at a corner, at the least
_CORNER_STREETS = 3
#: an unnamed corner is told by the nearest named street within this distance
_NEAR_M = 300.0
#: what unnamed places are called: the commonest tags
_TRADES: Mapping[str, str] = MappingProxyType(
    {
        "bakery": "面包店",
        "bar": "酒吧",
        "beauty": "美容店",
        "bicycle": "自行车店",
        "books": "书店",
        "cafe": "咖啡馆",
        "car_repair": "汽修店",
        "clothes": "服装店",
        "convenience": "便利店",
        "copyshop": "打印店",
        "fast_food": "快餐店",
        "food_court": "美食广场",
        "greengrocer": "果蔬店",
        "hairdresser": "理发店",
        "kiosk": "售货亭",
        "laundry": "洗衣店",
        "mall": "商场",
        "mobile_phone": "手机店",
        "restaurant": "餐馆",
        "supermarket": "超市",
        "tea": "茶叶店",
    }
)


class Candidates(NamedTuple):
    """Candidates, and what is doubtful about them."""

    frame: gpd.GeoDataFrame  # WGS 84 points, index id (str); name, kind (station, shop, both), source
    warnings: tuple[Fault, ...]


def corner_candidates(
    network: Network, *, spacing_m: float = 200.0, area: gpd.GeoDataFrame | None = None
) -> gpd.GeoDataFrame:
    """
    Street corners, thinned so that no two stand nearer to each other than `spacing_m`.

    A corner is a node of the admissible network where at least three distinct streets meet. Thinning takes corners
    one by one and drops those nearer to a taken one: first corners of two named streets, then of one, then of none;
    among these the higher class of road, then more streets, then west to east and south to north.

    Parameters
    ----------
    network
        The streets.
    spacing_m
        Least straight distance between two corners in metres, >= 0; exactly this distance is allowed.
    area
        Polygons in any CRS; corners outside are left out, those on the boundary stay. None: the whole network.

    Returns
    -------
    candidates
        Points in WGS 84, sorted by id; columns `name`, `kind` (`"station"`), `source` (`"corner"`). The id is made
        of longitude and latitude, `corner-113.38512_22.51234`, so it is the same in every run and does not change
        when other corners come or go. The name is of the streets: 甲路与乙路路口, 甲路路口, 甲路附近路口 (or A / B,
        corner of A, near A), else longitude and latitude. No corner gives an empty frame.

    Raises
    ------
    CRSError
        If `area` states no CRS.
    InputError
        If `spacing_m` is negative or no number.
    """
    if not 0 <= spacing_m < np.inf:
        msg = f"`spacing_m` must be >= 0, got {spacing_m}."
        raise InputError(msg, zh=f"候选点间距 spacing_m 不能为负，现为 {spacing_m}。")
    ends = _street_ends(network)
    nodes = _corners_by_priority(network, ends)
    nodes = nodes[_is_within(network.node_xy[nodes], network.crs, area)]
    nodes = _thinned(network.node_xy, nodes, spacing_m)
    points = gpd.GeoSeries(shapely.points(network.node_xy[nodes]), crs=network.crs).to_crs(WGS84)
    frame = _frame(_corner_ids(points), _corner_names(network, ends, nodes, points), "station", "corner", points)
    return _with_own_names(frame.sort_index())


def place_candidates(places: gpd.GeoDataFrame, *, area: gpd.GeoDataFrame | None = None) -> gpd.GeoDataFrame:
    """
    Shops and restaurants of the road file as candidate shops.

    Parameters
    ----------
    places
        What `read_places` gives: points, index id; column `name`, and `osm_tag` where known.
    area
        Polygons in any CRS; places outside are left out. None: all of them.

    Returns
    -------
    candidates
        Points in WGS 84, sorted by id; columns `name` (of an unnamed place: its trade), `kind` (`"shop"`), `source`
        (`"road file"`).

    Raises
    ------
    CRSError
        If `places` or `area` states no CRS.
    InputError
        If `places` holds anything but points with unique ids.
    """
    check_points(places, "places")
    points = places.geometry.to_crs(WGS84)
    name = _column(places, "name", "")
    tag = _column(places, "osm_tag", "shop")
    told = [own or _by_trade(kind) for own, kind in zip(name, tag, strict=True)]
    frame = _frame(places.index, told, "shop", "road file", points)
    inside = _is_within(shapely.get_coordinates(np.asarray(points.array, dtype=object)), WGS84, area)
    return frame[inside].sort_index()


def study_candidates(study: Study, network: Network, places: gpd.GeoDataFrame | None = None) -> Candidates:
    """
    Candidates of a study, for as many kinds as it asks for.

    For stations the study's own list (kinds `station` and `both`), else street corners within the area
    (`spacing_m` apart). For shops the study's own list (`shop` and `both`), else the shops and restaurants of the
    road file within the area. The area is the study's, else the union of its zones, else everything. A candidate of
    the study's own list that states no kind is `both`; the own list is never cut to the area.

    Parameters
    ----------
    study
        The study; `suggest` says how many of each kind, `candidates` is its own list.
    network
        The streets.
    places
        What `read_places` gives for the road file; None where it holds no places.

    Returns
    -------
    candidates
        The frame, sorted by id, and warnings. An id that an existing facility has becomes `candidate-<id>`.

    Raises
    ------
    InputError
        If shops are asked for and no candidate shop is known; the message says what to add.
    """
    own = _own_candidates(study)
    area = study.area if study.area is not None else study.zones
    parts, warnings = [own], []
    if study.suggest.stations > 0 and not own["kind"].isin(["station", "both"]).any():
        corners = corner_candidates(network, spacing_m=study.suggest.spacing_m, area=area)
        parts.append(corners)
        if corners.empty:
            warnings.append(
                Fault(
                    "No candidate station: the streets have no corner in the area. Add a `[candidates]` file.",
                    "没有候选驿站：区域内的路网没有路口。请在 study.toml 中添加 [candidates] 文件。",
                    level="warning",
                )
            )
    if study.suggest.shops > 0 and not own["kind"].isin(["shop", "both"]).any():
        shops = None if places is None else place_candidates(places, area=area)
        if shops is None or shops.empty:
            msg = (
                "No candidate shop: the study lists none, and the road file has no shop or restaurant in the area. "
                'Add `[candidates]` with `file = "..."` and places of kind `shop`, or set `shops = 0` in '
                "`[suggest]`."
            )
            zh = (
                "没有候选爱心商铺：研究中没有列出，路网文件在区域内也没有商店或餐馆。"
                '请在 study.toml 中添加 [candidates] file = "..."，并提供类型（kind）为 shop 的地点；'
                "或在 [suggest] 中设 shops = 0。"
            )
            raise InputError(msg, zh=zh)
        parts.append(shops)
    filled = [part for part in parts if not part.empty] or [own]
    frame = gpd.GeoDataFrame(pd.concat(filled), geometry="geometry", crs=WGS84)
    return Candidates(_with_own_ids(frame, study).sort_index(), tuple(warnings))


# ----------------------------------------------------------------------------------------------------- corners
def _street_ends(network: Network) -> pd.DataFrame:
    """Return a row for each node of each admissible street: `node`, `street`, `name`, `rank` (0: highest class)."""
    streets = np.flatnonzero(network.is_street_admissible)
    edge = network.street_first[streets]
    ends = pd.DataFrame(
        {
            "node": np.concatenate([network.tail[edge], network.head[edge]]),
            "street": np.tile(streets, 2),
        }
    ).drop_duplicates()
    ends["name"] = network.street_name[ends["street"].to_numpy()]
    ends["rank"] = _class_rank(network.street_class)[ends["street"].to_numpy()]
    return ends


def _class_rank(street_class: StrArray) -> IntArray:
    """Rank of each class of road, 0 the highest; a link counts as its road, an unknown class as residential."""
    order = {name: k for k, name in enumerate([*_CLASS_ORDER, "", *_LAST_CLASSES])}
    rank = {c: order.get(str(c).removesuffix("_link"), len(_CLASS_ORDER)) for c in set(street_class.tolist())}
    return np.array([rank[c] for c in street_class.tolist()], dtype=np.int64)


def _corners_by_priority(network: Network, ends: pd.DataFrame) -> IntArray:
    """Nodes where three or more streets meet, the best corner first."""
    of_node = ends.groupby("node")
    table = pd.DataFrame({"streets": of_node["street"].size(), "rank": of_node["rank"].min()})
    named = ends[ends["name"] != ""].groupby("node")["name"].nunique().clip(upper=2)
    table["named"] = named.reindex(table.index, fill_value=0)
    table["x"], table["y"] = network.node_xy[table.index.to_numpy()].T
    table = table[table["streets"] >= _CORNER_STREETS]
    table = table.sort_values(["named", "rank", "streets", "x", "y"], ascending=[False, True, False, True, True])
    return table.index.to_numpy(np.int64)


def _thinned(node_xy: FloatArray, nodes: IntArray, spacing_m: float) -> IntArray:
    """Take nodes in order, dropping those nearer than `spacing_m` to a taken one."""
    if nodes.size == 0 or spacing_m == 0:
        return nodes
    xy = node_xy[nodes]
    tree = KDTree(xy)
    is_free = np.ones(nodes.size, dtype=np.bool_)
    taken = []
    for k in range(nodes.size):
        if is_free[k]:
            taken.append(k)
            is_free[tree.query_ball_point(xy[k], np.nextafter(spacing_m, 0))] = False
    return nodes[taken]


def _corner_ids(points: gpd.GeoSeries) -> pd.Index:
    """Ids from longitude and latitude to five places (1 m); nodes that share them are numbered."""
    ids = []
    seen: Counter[str] = Counter()
    for lon, lat in shapely.get_coordinates(points.to_numpy()).tolist():
        place = f"corner-{lon:.5f}_{lat:.5f}"
        seen[place] += 1
        ids.append(place if seen[place] == 1 else f"{place}_{seen[place]}")
    return pd.Index(ids, dtype=object)


def _corner_names(network: Network, ends: pd.DataFrame, nodes: IntArray, points: gpd.GeoSeries) -> list[str]:
    """Names of corners by the streets that meet there, the higher class first."""
    named = ends[(ends["name"] != "") & ends["node"].isin(nodes)].sort_values(["rank", "name"])
    streets = named.drop_duplicates(["node", "name"]).groupby("node")["name"].agg(list)
    near = _near_names(network, nodes)
    place = shapely.get_coordinates(points.to_numpy()).tolist()
    return [
        _corner_name(streets.get(node, []), near[k]) or f"路口 {place[k][0]:.5f}, {place[k][1]:.5f}"
        for k, node in enumerate(nodes.tolist())
    ]


def _corner_name(streets: list[str], near: str) -> str:
    """Name of one corner, Chinese where its streets are; "" where no named street is near."""
    match streets:
        case [first, second, *_]:
            return f"{first}与{second}路口" if _is_chinese(first + second) else f"{first} / {second}"
        case [first]:
            return f"{first}路口" if _is_chinese(first) else f"corner of {first}"
    if not near:
        return ""
    return f"{near}附近路口" if _is_chinese(near) else f"near {near}"


def _near_names(network: Network, nodes: IntArray) -> list[str]:
    """Name of the nearest named street of each node, "" where none is near; ties by name."""
    streets = np.flatnonzero(network.is_street_admissible & (network.street_name != ""))
    near = [""] * nodes.size
    if streets.size == 0 or nodes.size == 0:
        return near
    tree = shapely.STRtree(network.geometry[network.street_first[streets]])
    node, street = tree.query_nearest(shapely.points(network.node_xy[nodes]), max_distance=_NEAR_M)
    for k, name in sorted(
        zip(node.tolist(), network.street_name[streets[street]].tolist(), strict=True), reverse=True
    ):
        near[k] = name
    return near


def _frame(
    ids: pd.Index, name: Sequence[str], kind: str | StrArray, source: str, points: gpd.GeoSeries
) -> gpd.GeoDataFrame:
    """Return a frame of candidates in WGS 84, with ids as text."""
    text = {"name": name, "kind": kind, "source": source}
    frame = gpd.GeoDataFrame(geometry=points.array, index=pd.Index([str(i) for i in ids], dtype=object), crs=WGS84)
    for k, (column, values) in enumerate(text.items()):
        filled = [values] * len(frame) if isinstance(values, str) else values
        frame.insert(k, column, np.array(filled, dtype=object))
    return frame


def _with_own_names(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Tell corners that share a name apart by a number, in the order of their ids."""
    names = frame["name"].tolist()
    total, so_far = Counter(names), Counter[str]()
    for k, name in enumerate(names):
        so_far[name] += 1
        if total[name] > 1:
            names[k] = f"{name} {so_far[name]}"
    frame["name"] = np.array(names, dtype=object)
    return frame


def _by_trade(tag: str) -> str:
    """Name of an unnamed place by what it sells, with the value of its tag."""
    trade = tag.rpartition("=")[2]
    return f"{_TRADES.get(trade, '商铺')} ({trade})"


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)


# ----------------------------------------------------------------------------------------------------- helpers
def _is_within(
    xy: FloatArray, crs: CRS, area: gpd.GeoDataFrame | None
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether points lie in the area or on its boundary."""
    if area is None:
        return np.ones(len(xy), dtype=np.bool_)
    if area.crs is None:
        msg = "`area` states no CRS. Set it: area.set_crs('EPSG:4326') for longitude and latitude."
        raise CRSError(msg)
    polygon = shapely.union_all(np.asarray(area.geometry.to_crs(crs).array, dtype=object))
    shapely.prepare(polygon)
    return np.asarray(shapely.intersects_xy(polygon, xy[:, 0], xy[:, 1]), dtype=np.bool_)


def _column(frame: gpd.GeoDataFrame, name: str, default: str) -> StrArray:
    """Return a text column with `default` where it or a value is missing."""
    if name not in frame.columns:
        return np.full(len(frame), default, dtype=object)
    return frame[name].astype(object).where(frame[name].notna(), default).to_numpy(dtype=object)


def _own_candidates(study: Study) -> gpd.GeoDataFrame:
    """Return the study's own list, of the kinds that it asks for."""
    own = study.candidates
    if own is None:
        own = gpd.GeoDataFrame({"name": [], "kind": []}, geometry=[], crs=WGS84)
    check_points(own, "candidates")
    kind = _column(own, "kind", "both")
    odd = set(kind) - {"station", "shop", "both"}
    if odd:
        msg = f"`kind` of a candidate must be station, shop or both, got {some(sorted(map(str, odd)))}."
        zh = f"候选点的类型只能是 station、shop 或 both，现有 {some_zh(sorted(map(str, odd)))}。"
        raise InputError(msg, zh=zh)
    name = [text or str(i) for text, i in zip(_column(own, "name", ""), own.index, strict=True)]
    frame = _frame(own.index, name, kind, "study", own.geometry.to_crs(WGS84))
    wanted = {
        "station": study.suggest.stations > 0,
        "shop": study.suggest.shops > 0,
        "both": study.suggest.stations + study.suggest.shops > 0,
    }
    return frame[np.array([wanted[k] for k in kind], dtype=np.bool_)]


def _with_own_ids(frame: gpd.GeoDataFrame, study: Study) -> gpd.GeoDataFrame:
    """Rename candidates whose id an existing facility, or another candidate, already has."""
    taken: set[str] = set()
    for facilities in (study.stations, study.shops):
        if facilities is not None:
            taken |= set(facilities.index.astype(str))
    ids = []
    for candidate in frame.index.tolist():
        own = candidate
        while own in taken:
            own = f"candidate-{own}"
        taken.add(own)
        ids.append(own)
    return frame.set_axis(pd.Index(ids, dtype=object), axis=0)
