"""A study with 200 faults, each at a place of its own: in study.toml, CSV, three sheets of a workbook, zones."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import xlsxwriter

Place = tuple[str, str | None, int | None, str | None]  # file, sheet, row, column
Cells = dict[str, str]

N_FAULTS = 200
LON, LAT, STEP = 113.30, 22.40, 0.004

TOML = """\
name = 7
office = 8
date = "now"
invented = "yes"
lang = "fr"
profile = "fly"
direction = "up"
minutes = [15, 10]
crs = "EPSG:4326"
max_snap_m = 0
nmae = "x"
colour = "red"
[network]
file = "roads.osm"
crs = "nowhere"
admit_trunk = 1
cache = "no"
speed = 5
[stations]
file = "stations.csv"
datum = "nad27"
keep = "电话"
[shops]
file = "book.xlsx"
sheet = "商铺 一"
minutes = -5
[depots]
file = "book.xlsx"
sheet = "骑手"
columns = { riders = "骑手数", salary = "工资" }
[candidates]
file = "book.xlsx"
sheet = "候选"
rule = "shangdong"
[population]
file = "people.csv"
column = 3
[zones]
file = "zones.geojson"
[suggest]
stations = -1
shops = 1.5
spacing_m = 0
time_limit_s = 0
objective = "speed"
worth = [2]
backup = 0
fair = 3
budget = -1
station_cost = "many"
shop_cost = -2
capacity = "x"
shop_capacity = -3
min_spacing_m = -1
move = -1
must = 4
must_not = "C1"
steps = 3
alternatives = 1000
curve = -1
[grid]
cell_m = 1
h3 = 99
[demand]
source = "guess"
[amenities]
words = 5
"""
#: lines of TOML that are right
RIGHT = {"network.file", "zones.file", *(f"{t}.file" for t in ("stations", "shops", "depots", "candidates"))}
RIGHT |= {"population.file", "shops.sheet", "depots.sheet", "candidates.sheet"}


def toml_places() -> list[Place]:
    """Where the faults of study.toml stand."""
    places: list[Place] = []
    table = ""
    for line, text in enumerate(TOML.splitlines(), start=1):
        if text.startswith("["):
            table = text.strip("[]") + "."
            if table == "population.":  # read, and not used beside [depots]
                places.append(("study.toml", None, line, "population"))
        elif (key := table + text.split(" = ")[0]) not in RIGHT:
            places.append(("study.toml", None, line, key))
    return places


# -------------------------------------------------------------------------------------------------------- ledgers
#: what is done to a row (and the next one, which is the fault's own), and the column that is told
Mistake = tuple[Callable[[Cells, Cells], None], str | None]


def put(**values: str) -> Callable[[Cells, Cells], None]:
    """Write values into cells of the row."""
    return lambda row, _next: row.update(values)


def swap(row: Cells, _next: Cells) -> None:
    row["经度"], row["纬度"] = row["纬度"], row["经度"]


def far(row: Cells, _next: Cells) -> None:
    row["经度"] = f"{float(row['经度']) + 18:.4f}"


def same_place(row: Cells, following: Cells) -> None:
    following["经度"], following["纬度"] = row["经度"], row["纬度"]


def same_name(row: Cells, following: Cells) -> None:
    following.update(名称=row["名称"], 经度=row["经度"], 纬度=f"{float(row['纬度']) + 0.0001:.4f}")


PLACES: list[Mistake] = [
    (swap, "经度"),
    (put(经度="东经"), "经度"),
    (put(纬度="22度"), "纬度"),
    (put(经度="", 纬度=""), "经度"),
    (put(经度="　"), "经度"),
    (put(纬度=""), "纬度"),
    (put(经度="0", 纬度="0"), "经度"),
    (put(经度="1e9"), "经度"),
    (put(经度="456789", 纬度="2512345"), "经度"),
    (put(经度="213.3"), "经度"),
    (far, "经度"),
    (put(编号=""), "编号"),
    (put(编号="{first}"), "编号"),
    (same_place, None),
    (same_name, None),
]
FACILITIES: list[Mistake] = [(put(分钟="0"), "分钟"), (put(分钟="半小时"), "分钟"), (put(类型="{other}"), "类型")]
RIDERS: list[Mistake] = [
    (put(骑手数=""), "骑手数"),
    (put(骑手数="-3"), "骑手数"),
    (put(骑手数="很多"), "骑手数"),
    (put(骑手数="1e12"), "骑手数"),
]
TEXTS: list[Mistake] = [
    (put(名称="东\x07站"), "名称"),
    (put(联系电话="13800138000,多余"), None),
]  # not in a workbook


def ledger(mistakes: Sequence[Mistake], n: int, prefix: str, more: Cells, *, dice: random.Random, other: str = ""):
    """Return a ledger with `n` faults, and row and column of each."""
    n_row = 4 + 2 * n + 6
    rows = [
        {
            "编号": f"{prefix}{i}",
            "名称": f"{prefix}站{i}",
            "经度": f"{LON + STEP * (i % 20):.4f}",
            "纬度": f"{LAT + STEP * (i // 20):.4f}",
            **more,
        }
        for i in range(n_row)
    ]
    chosen = [mistakes[i % len(mistakes)] for i in range(n)]
    dice.shuffle(chosen)
    told = []
    for at, (spoil, column) in zip(range(4, 4 + 2 * n, 2), chosen, strict=True):
        spoil(rows[at], rows[at + 1])
        for name, text in rows[at].items():
            rows[at][name] = text.replace("{first}", rows[0]["编号"]).replace("{other}", other)
        told.append((at + 2, column))
    return rows, told


def csv_text(rows: Sequence[Cells]) -> str:
    return "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]) + "\n"


# ---------------------------------------------------------------------------------------------------------- zones
def ring(x: float, y: float, *, side: float = 0.003) -> list[list[float]]:
    """Corners of a square, closed."""
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def bow(x: float, y: float) -> list[list[float]]:
    a, b, c, d, e = ring(x, y)
    return [a, c, b, d, e]


def zones(n: int) -> tuple[str, list[tuple[int, str]]]:
    """Return zones of which `n` are wrong, each in its own way, and their rows."""
    wrong: list[Callable[[float, float], object]] = [
        lambda _x, _y: None,
        lambda x, y: {"type": "Point", "coordinates": [x, y]},
        lambda x, y: {"type": "Polygon", "coordinates": [bow(x, y)]},
        lambda x, y: {"type": "Polygon", "coordinates": [ring(x, y)[:-1]]},
        lambda x, y: {"type": "Polygon", "coordinates": [[[x, y], [x + 0.001, y], [x, y]]]},
        lambda x, y: {"type": "LineString", "coordinates": ring(x, y)},
        lambda _x, _y: {"type": "Polygon", "coordinates": [[["a", "b"]]]},
        lambda x, y: {"type": "Polygon", "coordinates": [ring(y, x)]},
        lambda _x, _y: {"type": "Polygon", "coordinates": []},
        lambda _x, _y: {"type": "Polygon", "coordinates": [ring(4e5, 2.5e6)]},
    ]
    features, told = [], []
    for i in range(2 * n + 10):
        x, y = LON + STEP * (i % 10), LAT + STEP * (i // 10)
        shape = {"type": "Polygon", "coordinates": [ring(x, y)]}
        if i >= 10 and i % 2:
            shape = wrong[len(told) % len(wrong)](x, y)
            told.append((i + 2, "geometry"))
        features.append({"type": "Feature", "properties": {"编号": f"Z{i}", "名称": f"网格{i}"}, "geometry": shape})
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False), told


# ---------------------------------------------------------------------------------------------------------- study
def plant(folder: Path, seed: int) -> list[Place]:
    """Write the study; return where its faults are."""
    dice = random.Random(seed)
    planted = toml_places()
    (folder / "study.toml").write_text(TOML, encoding="utf-8")
    (folder / "roads.osm").write_bytes(b"")
    own = {"类型": "驿站", "分钟": "", "营业时间": "9:00-18:00", "联系电话": "13800138000"}
    rows, told = ledger([*PLACES, *FACILITIES, *TEXTS], 40, "S", own, dice=dice, other="商铺")
    rows[1]["营业时间"] = "随缘"
    planted += [("stations.csv", None, row, column) for row, column in [*told, (3, "营业时间"), (None, "联系电话")]]
    (folder / "stations.csv").write_text(csv_text(rows), encoding="utf-8")
    counts = {"骑手数": "5"}
    rows, told = ledger([RIDERS[1], RIDERS[2], *PLACES[:11]], 13, "R", counts, dice=dice)
    planted += [("people.csv", None, row, column) for row, column in told]
    (folder / "people.csv").write_text(csv_text(rows), encoding="utf-8")
    text, wrong = zones(10)
    planted += [("zones.geojson", None, row, column) for row, column in wrong]
    (folder / "zones.geojson").write_text(text, encoding="utf-8")
    left = N_FAULTS - len(planted)
    sheets = {
        "商铺 一": ledger(
            [*PLACES, *FACILITIES], left - 2 * (left // 3), "P", {**own, "类型": "商铺"}, dice=dice, other="驿站"
        ),
        "骑手": ledger([*PLACES, *RIDERS], left // 3, "D", counts, dice=dice),
        "候选": ledger([*PLACES, (put(类型="凉亭"), "类型")], left // 3, "C", {"类型": "均可"}, dice=dice),
    }
    for row in sheets["商铺 一"][0]:
        del row["联系电话"]
    with xlsxwriter.Workbook(folder / "book.xlsx", {"strings_to_formulas": False}) as book:
        for name, (rows, told) in sheets.items():
            sheet = book.add_worksheet(name)
            for at, texts in enumerate([list(rows[0]), *(list(row.values()) for row in rows)]):
                sheet.write_row(at, 0, [text or None for text in texts])
            planted += [("book.xlsx", name, row, column) for row, column in told]
    return planted
