"""Each layer of the project: which rows of which table, drawn how; the look of the map page in QGIS's terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from xml.etree.ElementTree import Element

from .._page.palette import CIRCLE_ALPHA, COLOURS, MISSED, circle_fills
from .._page.streets import CASING_PT, CLASSES, ORDER, PRINT_PT
from .._page.symbols import PATHS
from ..errors import Lang
from .renderers import Label, by_size, by_value, single
from .symbols import SymbolLayer, SymbolType, dot, fill, hatch, line, picture, shrunk
from .words import TITLES, said

#: streets are named from this scale on
NAMED_FROM = 20_000
#: breaks of shares where whole riders would hide what is missed
SHARES = (0.25, 0.5, 0.75, 1.0)
#: a smaller share is not shown
LEAST_SHARE = 0.005
GEOMETRY: Mapping[SymbolType, str] = MappingProxyType({"fill": "2", "line": "1", "marker": "0"})

_STATION = f"""<circle cx="12" cy="12" r="11" fill="{{station}}" stroke="#fff" stroke-width="2"/>
<path fill="#fff" d="{PATHS["station"]}"/>"""
_SHOP = f"""<circle cx="8" cy="8" r="7" fill="#fff" stroke="{{shop}}" stroke-width="1.4"/>
<path fill="{{shop}}" d="{PATHS["shop"]}"/>"""
_DEPOT = f"""<rect x="1" y="1" width="16" height="16" rx="3" fill="{{depot}}" stroke="#fff" stroke-width="1.6"/>
<path fill="none" stroke="#fff" stroke-width="1.2" stroke-linejoin="round" d="{PATHS["depot"]}"/>"""
_PIN = f"""<path fill="{{ground}}" stroke="{{edge}}" stroke-width="{{width}}" d="{PATHS["suggestion"]}"/>"""


@dataclass(frozen=True)
class Drawn:
    """A layer of the project."""

    key: str  # unique in the project
    table: str
    title: str
    geometry: SymbolType
    renderer: Element
    where: str = ""  # rows that are drawn, in SQL
    label: Label | None = None
    is_on: bool = True
    group: str = ""  # of `TITLES`
    is_table_style: bool = False  # what QGIS takes where the table is added alone


@dataclass(frozen=True)
class Look:
    """What the styles hang on in a plan."""

    minutes: tuple[float, ...]
    step: int | None  # first class of riders not reached; None: shares
    cell_m: float
    tag_from: int  # riders from which on a gap has a tag
    lang: Lang
    tables: frozenset[str] = field(default_factory=frozenset)


def drawn_layers(look: Look) -> list[Drawn]:
    """Return the layers of the project, the topmost first; those whose table is missing are left out."""
    largest = look.minutes[-1]
    after = f'"riders" - "after_{largest:g}"'
    today = f'"riders" - "covered_{largest:g}"'
    layers = [
        *_proposed(look),
        *_places(look),
        _plain_layer(look, "candidates", "candidates", single("marker", _candidate()), is_on=False),
        _plain_layer(
            look, "rejected", "rejected", single("marker", dot(COLOURS["muted"], 1.4, alpha=0.6)), is_on=False
        ),
        _plain_layer(look, "closures", "closures", single("line", line(COLOURS["ink"], 2.2, dash=(0.8, 3.4)))),
        _plain_layer(look, "belt_gates", "belt_gates", single("marker", dot("#FFFFFF", 2.4, edge=COLOURS["shop"]))),
        _plain_layer(look, "belt_streets", "belt_streets", single("line", line(COLOURS["shop"], 2.4))),
        _plain_layer(
            look,
            "belt_areas",
            "belt_areas",
            single("fill", fill(COLOURS["shop"], alpha=0.1, edge=COLOURS["shop"], edge_pt=1.4)),
        ),
        _zones(look),
        _balanced(look),
        *_reach(look, "outline"),
        _streets(look),
        *_gaps(look),
        _cells(look, "before", today, is_table_style=True),
        _cells(look, "after", after),
        _ground(look, "building", {"building": fill(COLOURS["building"], alpha=0.13)}),
        _ground(look, "water", {"water": fill(COLOURS["water"], edge=COLOURS["water_line"], edge_pt=0.6)}),
        *_reach(look, "reach"),
        _ground(look, "ground", {k: fill(COLOURS[k]) for k in ("campus", "green", "pitch")}, is_table_style=True),
        _plain_layer(
            look,
            "circles",
            "circles",
            single("fill", fill(COLOURS["circle_line"], alpha=0.08, edge=COLOURS["circle_line"], edge_pt=0.5)),
            is_on=False,
            group="data",
        ),
        _plain_layer(
            look, "demand", "demand", single("marker", dot(COLOURS["missed"], 0.9)), is_on=False, group="data"
        ),
    ]
    return [layer for layer in layers if layer.table in look.tables]


# ---------------------------------------------------------------------------------------------------- layers
def _plain_layer(
    look: Look, key: str, table: str, renderer: Element, *, is_on: bool = True, group: str = ""
) -> Drawn:
    kind = renderer.find("symbols/symbol")
    geometry: SymbolType = "marker" if kind is None else kind.get("type", "marker")  # type: ignore[assignment]
    title = said(TITLES[key], look.lang)
    return Drawn(key, table, title, geometry, renderer, is_on=is_on, group=group, is_table_style=True)


def _candidate() -> SymbolLayer:
    return dot("#FFFFFF", 2.2, edge=COLOURS["candidate"], alpha=0.85)


def _svg(view: str, shapes: str, **values: str) -> str:
    drawn = shapes.format(**{**COLOURS, **values})
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {view}">{drawn}</svg>'


def _proposed(look: Look) -> list[Drawn]:
    """Return the suggestions as numbered pins: full for a station, hollow for a shop."""
    crimson = COLOURS["proposal"]
    full = picture(_svg("30 37.5", _PIN, ground=crimson, edge="#fff", width="2"), 5.4, stands_on_tip=True)
    hollow = picture(_svg("30 37.5", _PIN, ground="#fff", edge=crimson, width="2.4"), 5.4, stands_on_tip=True)
    classes = [(k, said(TITLES[k], look.lang), [mark]) for k, mark in (("station", full), ("shop", hollow))]
    above = {"placement": "1", "quadOffset": "4", "xOffset": "0", "yOffset": "-4.1", "offsetUnits": "MM"}
    title = said(TITLES["suggestions"], look.lang)
    out = []
    for kind, ink in (("station", "#FFFFFF"), ("shop", crimson)):
        label = Label(""""rank\"""", ink, 8.6, above, halo=None, is_bold=True)
        renderer = by_value("marker", "kind", classes)
        own = (
            f"{title}：{said(TITLES[kind], look.lang)}"
            if look.lang == "zh"
            else f"{title}: {said(TITLES[kind], look.lang)}"
        )
        where = f"\"kind\" = '{kind}'"
        out.append(
            Drawn(
                f"suggestions_{kind}",
                "suggestions",
                own,
                "marker",
                renderer,
                where,
                label,
                is_table_style=kind == "station",
            )
        )
    return out


def _places(look: Look) -> list[Drawn]:
    """Return stations, shops and depots with their names."""
    beside = {"placement": "6", "dist": "1", "predefinedPositionOrder": "R,L,B,T", "offsetType": "1"}
    station = picture(_svg("24 24", _STATION), 4.6)
    shop = picture(_svg("16 16", _SHOP), 2.9)
    depot = picture(_svg("18 18", _DEPOT), 3.2)
    both = by_value(
        "marker",
        "kind",
        [(k, said(TITLES[k], look.lang), [mark]) for k, mark in (("station", station), ("shop", shop))],
    )
    stations = Drawn(
        "station",
        "facilities",
        said(TITLES["station"], look.lang),
        "marker",
        both,
        "\"kind\" = 'station'",
        Label('"name"', COLOURS["station"], 8.6, beside, least_scale=40_000),
        is_table_style=True,
    )
    shops = Drawn(
        "shop",
        "facilities",
        said(TITLES["shop"], look.lang),
        "marker",
        single("marker", shop),
        "\"kind\" = 'shop'",
        Label('"name"', COLOURS["shop_text"], 7, beside, least_scale=8_000),
    )
    depots = Drawn(
        "depots",
        "depots",
        said(TITLES["depots"], look.lang),
        "marker",
        single("marker", depot),
        label=Label('"name"', COLOURS["depot"], 7, beside, least_scale=20_000),
        is_table_style=True,
    )
    return [stations, shops, depots]


def _zones(look: Look) -> Drawn:
    edge = line(COLOURS["zone"], 0.9, dash=(4.5, 2.2, 1.1, 2.2), cap="flat")
    renderer = single("fill", SymbolLayer("SimpleFill", {"style": "no", "outline_style": "no"}), edge)
    label = Label('"name"', COLOURS["zone_text"], 8, {"placement": "1", "quadOffset": "4"})
    return Drawn(
        "zones",
        "zones",
        said(TITLES["zones"], look.lang),
        "fill",
        renderer,
        label=label,
        is_on=False,
        is_table_style=True,
    )


def _balanced(look: Look) -> Drawn:
    edge = line(COLOURS["zone_text"], 1.6)
    renderer = single("fill", SymbolLayer("SimpleFill", {"style": "no", "outline_style": "no"}), edge)
    label = Label('"name"', COLOURS["zone_text"], 8, {"placement": "1", "quadOffset": "4"})
    title = said(TITLES["balanced_zones"], look.lang)
    return Drawn(
        "balanced_zones", "balanced_zones", title, "fill", renderer, label=label, is_on=False, is_table_style=True
    )


def _reach(look: Look, what: str) -> list[Drawn]:
    """Return the merged circle today and with the proposal: its tints (`reach`) or its lines (`outline`)."""
    n = len(look.minutes)
    fills = circle_fills(n)
    classes = []
    for i, minutes in enumerate(reversed(look.minutes)):  # the largest lies lowest
        if what == "reach":
            layers = [fill(fills[i], alpha=CIRCLE_ALPHA)]
        else:
            is_inner = i == n - 1
            dash = () if is_inner else (3.8, 3.0)
            layers = [
                SymbolLayer("SimpleFill", {"style": "no", "outline_style": "no"}),
                line(COLOURS["circle_line"], 1.3 if is_inner else 0.8, alpha=0.9, dash=dash),
            ]
        classes.append((f"{minutes:g}", said(TITLES["minutes"], look.lang, m=f"{minutes:g}"), layers))
    return [
        Drawn(
            f"{what}_{mode}",
            table,
            said(TITLES[what], look.lang),
            "fill",
            by_value("fill", "minutes", classes),
            group=mode,
            is_on=True,
            is_table_style=what == "reach",
        )
        for mode, table in (("before", "reach_today"), ("after", "reach_proposed"))
    ]


def _streets(look: Look) -> Drawn:
    """Return streets by class: all casings below all fills, small classes below great ones."""
    members: dict[str, list[str]] = {}
    for highway, drawn in CLASSES.items():
        members.setdefault(drawn, []).append(highway)
    classes: list[tuple[str, str, Sequence[SymbolLayer]]] = []
    for level, name in enumerate(ORDER, start=1):
        width = PRINT_PT[name]
        if name == "footway":
            layers = [line(COLOURS["footway"], width, level=level)]
        else:
            inside = COLOURS["pedestrian" if name == "pedestrian" else "street"]
            layers = [
                line(COLOURS["print_casing"], width + CASING_PT, cap="flat"),
                line(inside, width, level=level),
            ]
        classes += [(value, value, layers) for value in members.get(name, [])]
        if name == "residential":
            classes.append(("", said(("街巷", "other streets"), look.lang), layers))
    label = Label(
        '"name"',
        COLOURS["label"],
        6.6,
        {
            "placement": "3",
            "placementFlags": "9",
            "maxCurvedCharAngleIn": "20",
            "maxCurvedCharAngleOut": "-20",
            "repeatDistance": "60",
            "repeatDistanceUnits": "MM",
        },
        least_scale=NAMED_FROM,
    )
    return Drawn(
        "streets",
        "streets",
        said(TITLES["streets"], look.lang),
        "line",
        by_value("line", "highway", classes, levels=True),
        label=label,
        group="base",
        is_table_style=True,
    )


def _gaps(look: Look) -> list[Drawn]:
    """Return gaps, hatched, with their letter and riders."""
    edge = SymbolLayer("SimpleFill", {"style": "no", "outline_style": "no"})
    renderer = single(
        "fill",
        edge,
        hatch(COLOURS["gap"], alpha=0.62, width_pt=0.45, step_pt=3.4),
        line(COLOURS["gap"], 0.9, alpha=0.9),
    )
    unit = " || ' 人'" if look.lang == "zh" else ""
    told = f""""letter" || '  ' || format_number("riders", 0){unit}"""
    text = f'CASE WHEN round("riders") >= {look.tag_from} THEN {told} END'
    label = Label(
        text, COLOURS["tag_text"], 7.9, {"placement": "1", "quadOffset": "4"}, halo=None, ground=COLOURS["tag"]
    )
    return [
        Drawn(
            f"gaps_{mode}",
            table,
            said(TITLES["gaps"], look.lang),
            "fill",
            renderer,
            label=label,
            group=mode,
            is_table_style=True,
        )
        for mode, table in (("before", "gaps"), ("after", "gaps_after"))
    ]


def _cells(look: Look, mode: str, missed: str, *, is_table_style: bool = False) -> Drawn:
    """Return the cells by riders not reached, or by their share where whole riders would hide what is missed."""
    seam = 0.08 * look.cell_m
    drawn = [shrunk(seam, fill(tint, alpha=0.92, edge=COLOURS["gap"], edge_pt=0.15)) for tint in MISSED]
    key = "missed" if look.step is not None else "missed_share"
    title = said(TITLES[key], look.lang, m=f"{look.minutes[-1]:g}")
    classes = []
    if look.step is None:
        attribute = f'CASE WHEN "riders" > 0 THEN ({missed}) / "riders" END'
        lows = (LEAST_SHARE, *SHARES[:-1])
        classes = [
            (low, high, f"{low:.0%}–{high:.0%}" if low >= SHARES[0] else f"≤{high:.0%}", layer)
            for low, high, layer in zip(lows, SHARES, drawn, strict=True)
        ]
    else:
        attribute = f"round({missed})"
        classes = _rider_classes(look.step, drawn, look.lang)
    return Drawn(
        f"cells_{mode}",
        "coverage",
        title,
        "fill",
        by_size(attribute, classes),
        group=mode,
        is_table_style=is_table_style,
    )


def _rider_classes(
    step: int, drawn: Sequence[SymbolLayer], lang: Lang
) -> list[tuple[float, float, str, SymbolLayer]]:
    """Return classes of whole riders: q, 2q, 4q, 8q and more."""
    *rest, last = drawn
    lows = [step * 2**i for i in range(len(drawn))]
    classes = []
    for low, high, layer in zip(lows, lows[1:], rest, strict=False):
        label = str(low) if high == low + 1 else said(TITLES["class"], lang, low=low, high=high - 1)
        classes.append((low - 0.5, high - 0.5, label, layer))
    return [*classes, (lows[-1] - 0.5, 1e9, said(TITLES["class_top"], lang, low=lows[-1]), last)]


def _ground(look: Look, key: str, kinds: Mapping[str, SymbolLayer], *, is_table_style: bool = False) -> Drawn:
    every = {**kinds}
    if is_table_style:  # added alone, the table shows all its kinds
        every |= {"water": fill(COLOURS["water"]), "building": fill(COLOURS["building"], alpha=0.13)}
    classes = [(kind, kind, [layer]) for kind, layer in every.items()]
    where = '"kind" IN (' + ", ".join(f"'{kind}'" for kind in kinds) + ")"
    return Drawn(
        key,
        "land",
        said(TITLES[key], look.lang),
        "fill",
        by_value("fill", "kind", classes),
        where,
        group="base",
        is_table_style=is_table_style,
    )
