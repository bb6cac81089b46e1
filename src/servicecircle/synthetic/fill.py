# ruff: noqa: PLR2004 - the numbers that make a town look like one stand where they are used
"""Filling: what stands on a block: compounds with gates, lanes of houses, schools, parks, sheds, malls."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import shapely
import shapely.affinity
from numpy.random import Generator
from shapely import LineString, Point, Polygon, STRtree
from shapely.affinity import rotate
from shapely.geometry.base import BaseGeometry
from shapely.ops import split

from .._validate import FloatArray
from .blocks import Block
from .ground import Way, around
from .shapes import box_around, largest, lines_of, polygons_of, ring_of, simpler, stretch, union

#: half of the ground that a street takes, kerb to kerb with its pavements (metres)
HALF_WIDTH_M = {
    "primary": 17.0,
    "secondary": 14.0,
    "tertiary": 10.0,
    "residential": 7.0,
    "unclassified": 8.0,
    "pedestrian": 7.0,
    "living_street": 2.8,
    "service": 3.2,
    "footway": 1.7,
    "steps": 1.7,
}


@dataclass
class Piece:
    """A piece of ground or a building, with its OSM tags."""

    polygon: Polygon
    tags: dict[str, str]


@dataclass
class Filling:
    """What has been put on the blocks so far."""

    ways: list[Way] = field(default_factory=list)
    land: list[Piece] = field(default_factory=list)
    buildings: list[Piece] = field(default_factory=list)
    gates: list[tuple[Point, str]] = field(default_factory=list)  # on the fence; kind of barrier
    named: list[tuple[str, Point, str]] = field(default_factory=list)  # use, place, name


class Filler:
    """Fills blocks one after another; knows the streets around them."""

    def __init__(
        self, streets: list[Way], name: Callable[[str], str], rng: Generator, *, has_hills: bool = False
    ) -> None:
        self.rng = rng
        self.has_hills = has_hills
        self.name = name
        self.done = Filling()
        self._lines = np.array([w.line for w in streets], dtype=object)
        self._half = np.array([HALF_WIDTH_M[w.highway] for w in streets])
        self._class = [w.highway for w in streets]
        self._tree = STRtree(self._lines)
        ends = [Point(c) for w in streets for c in (w.line.coords[0], w.line.coords[-1])]
        self._ends = STRtree(ends)

    def fill(self, block: Block) -> None:
        """Put on a block what its use asks for."""
        parcel = self.parcel(block)
        if parcel is None:
            return
        uses: dict[str, Callable[[Block, Polygon], None]] = {
            "compound": self.compound,
            "towers": self.compound,
            "lanes": self.lanes,
            "commercial": self.commercial,
            "industrial": self.industrial,
            "school": self.school,
            "college": self.school,
            "hospital": self.institution,
            "office": self.institution,
            "park": self.park,
            "square": self.square,
            "site": self.site,
            "green": self.green,
            "field": self.field,
        }
        uses[block.use](block, parcel)

    # ---------------------------------------------------------------------------------------------- ground
    def parcel(self, block: Block) -> Polygon | None:
        """Return the block without the ground of its streets, or None where nothing is left."""
        near = np.sort(self._tree.query(block.polygon, predicate="dwithin", distance=18))
        taken = union([self._lines[k].buffer(self._half[k]) for k in near])
        left = polygons_of(
            block.polygon.difference(taken).buffer(-1.5, join_style="mitre").buffer(1.5, join_style="mitre")
        )
        if not left:
            return None
        parcel = largest(Polygon(max(left, key=lambda p: p.area).exterior).simplify(0.8))
        return parcel if parcel.area > 150 else None

    def gates(self, block: Block, parcel: Polygon, n: int) -> list[tuple[Point, Point]]:
        """Return up to `n` pairs of a place on a street and the gate before it, spread around the block."""
        ring = parcel.exterior
        found: list[tuple[float, float, Point, Point]] = []
        for at in np.arange(0.0, ring.length, 9.0):
            gate = ring.interpolate(at)
            k = int(self._tree.nearest(gate))
            if self._class[k] in ("footway", "primary") and self.rng.random() < 0.8:
                continue
            foot = self._lines[k].interpolate(self._lines[k].project(gate))
            if foot.distance(gate) > self._half[k] + 5 or foot.distance(block.polygon.exterior) > 2.5:
                continue
            if len(self._ends.query(foot, predicate="dwithin", distance=26)):
                continue
            found.append((float(self.rng.random()), float(at), foot, gate))
        chosen: list[tuple[float, Point, Point]] = []
        for _, at, foot, gate in sorted(found, key=lambda f: f[:2]):
            apart = [min(abs(at - c[0]), ring.length - abs(at - c[0])) for c in chosen]
            if all(a > 0.55 * ring.length / max(n, 2) for a in apart):
                chosen.append((at, foot, gate))
            if len(chosen) == n:
                break
        return [(foot, gate) for _, foot, gate in chosen]

    def add_way(self, line: LineString, highway: str, name: str = "", **tags: str) -> None:
        """Add a way inside a block."""
        if line.length > 4:
            self.done.ways.append(Way(line, highway, name, dict(tags), rank=1))

    def add_ground(self, polygon: Polygon, **tags: str) -> None:
        """Add a piece of ground."""
        self.done.land.append(Piece(polygon, tags))

    def add_building(self, polygon: Polygon, kind: str = "yes", **tags: str) -> None:
        """Add a building, if it is one piece of fair size."""
        if polygon.is_valid and polygon.area > 45:
            self.done.buildings.append(Piece(polygon, {"building": kind, **tags}))

    # ------------------------------------------------------------------------------------------- compounds
    def compound(self, block: Block, parcel: Polygon) -> None:
        """Gated flats: a fence, one to four gates, private roads, slabs in rows, low shops along the street."""
        rng = self.rng
        name = self.name("compound")
        self.add_ground(parcel, landuse="residential", name=name)
        self.done.named.append(("compound", parcel.representative_point(), name))
        n_gates = 1 if parcel.area < 14_000 else 2 if parcel.area < 30_000 else int(rng.integers(2, 5))
        gates = self.gates(block, parcel, n_gates)
        roads = self._private_roads(block, parcel, gates)
        taken = union([line.buffer(6.0) for line in roads])
        if parcel.area > 9_000 and block.use != "towers":
            strips = self._shop_strips(parcel, taken)
            taken = union([taken, *[s.buffer(9.0) for s in strips]])
        if parcel.area > 32_000 and rng.random() < 0.7:
            garden = around(parcel.representative_point(), 0.11 * parcel.area**0.5, rng, 0.1).intersection(parcel)
            garden = garden.difference(union([line.buffer(4) for line in roads]))
            for part in polygons_of(garden)[:1]:
                self.add_ground(part, leisure="garden")
                taken = taken.union(part.buffer(3))
        kind = "tower" if block.use == "towers" or rng.random() < 0.2 else "slab" if rng.random() < 0.6 else "old"
        self._rows(parcel, taken, kind, roads)

    def _private_roads(self, block: Block, parcel: Polygon, gates: list[tuple[Point, Point]]) -> list[LineString]:
        """Draw the private roads: a ring, or a spine between two gates, joined to the gates."""
        if not gates:
            return []
        inset = 27.0 if parcel.area > 26_000 else 20.0
        core = parcel.buffer(-inset, join_style="mitre").buffer(-8).buffer(8)
        cores = polygons_of(core)
        roads: list[LineString] = []
        if len(gates) >= 2 and (not cores or self.rng.random() < 0.35):
            spine = self._spine(block, parcel, gates)
            if spine is not None:
                roads.append(spine)
        if not roads and cores and cores[0].area > 2_500:
            ring = simpler(LineString(max(cores, key=lambda c: c.area).exterior.coords), 1.2)
            roads.append(self._broken_ring(ring, gates))
        if not roads:
            foot, _ = gates[0]
            inner = parcel.representative_point()
            stub = LineString([foot, inner])
            roads.append(stretch(stub, 0, 0.8 * stub.length))
            gates = gates[:1]
        for line in roads:
            self.add_way(line, "service", access="private")
        for k, (foot, gate) in enumerate(gates):
            link = shapely.shortest_line(foot, union(roads))
            inside = block.polygon.buffer(1.5)
            if link.length > 1.0 and inside.covers(link):
                self.add_way(link, "service", access="private")
                roads.append(link)
            if any(line.distance(gate) < 9.0 for line in roads):
                at = min(roads, key=lambda line: line.distance(gate))
                self.done.gates.append((at.interpolate(at.project(gate)), "lift_gate" if k == 0 else "gate"))
        return roads

    def _spine(self, block: Block, parcel: Polygon, gates: list[tuple[Point, Point]]) -> LineString | None:
        (a, ga), (b, gb) = gates[0], max(gates[1:], key=lambda g: g[0].distance(gates[0][0]))
        middle = parcel.representative_point()
        xy = np.array([a.coords[0], _inward(a, ga, 20), middle.coords[0], _inward(b, gb, 20), b.coords[0]])
        line = LineString(_rounded(xy))
        inner = stretch(line, 2.0, line.length - 2.0)
        straight = a.distance(b) / line.length
        if straight < 0.9 or not line.is_simple or not inner.within(block.polygon):
            return None
        return line

    def _broken_ring(self, ring: LineString, gates: list[tuple[Point, Point]]) -> LineString:
        """Open a ring road somewhere away from the gates, half of the time."""
        if self.rng.random() < 0.45:
            return ring
        at = sorted(ring.project(gate) for _, gate in gates)
        spans = np.diff([*at, at[0] + ring.length])
        k = int(np.argmax(spans))
        if spans[k] < 90:
            return ring
        low, high = at[k] + 0.3 * spans[k], at[k] + (0.3 + self.rng.uniform(0.15, 0.4)) * spans[k]
        xy = np.asarray(ring.coords)[:-1]
        twice = LineString(np.vstack([xy, xy, xy[:1]]))
        return stretch(twice, high, low + ring.length)

    def _shop_strips(self, parcel: Polygon, taken: BaseGeometry) -> list[Polygon]:
        """Put low shop strips along some sides of a compound; returns them."""
        strips = []
        ring = ring_of(parcel.simplify(2.5))
        for p, q in itertools.pairwise(ring):
            length = float(np.hypot(*(q - p)))
            if length < 55 or self.rng.random() < 0.62:
                continue
            u = (q - p) / length
            n = np.array([-u[1], u[0]])
            at, depth = 12.0, self.rng.uniform(9, 12)
            while at < length - 30:
                run = min(self.rng.uniform(24, 62), length - 12 - at)
                a, b = p + u * at + n, p + u * (at + run) + n
                strip = Polygon([a, b, b + n * depth, a + n * depth])
                if run > 14 and parcel.covers(strip) and not strip.intersects(taken):
                    self.add_building(strip, "retail")
                    strips.append(strip)
                at += run + self.rng.choice([3.0, 5.0, 16.0])
        return strips

    def _rows(self, parcel: Polygon, taken: BaseGeometry, kind: str, roads: list[LineString]) -> None:
        """Put flats in rows that face about south, and a few footpaths between the rows."""
        rng = self.rng
        theta = _facing(parcel)
        middle = parcel.centroid
        depth, pitch, length, gap = {
            "slab": (12.5, rng.uniform(30, 35), rng.uniform(40, 60), 11.0),
            "old": (10.5, rng.uniform(21, 25), rng.uniform(30, 48), 8.0),
            "tower": (21.0, rng.uniform(52, 62), rng.uniform(25, 31), 27.0),
        }[kind]
        free = rotate(parcel.buffer(-5.5).difference(taken), -theta, origin=middle)
        bounds = rotate(parcel, -theta, origin=middle).bounds
        loops = [rotate(line, -theta, origin=middle) for line in roads]
        y = bounds[1] + rng.uniform(5, 11)
        row = 0
        while y + depth < bounds[3]:
            for low, high in _spans(free, y, y + depth):
                for a, b in _slabs(low, high, length, gap, rng):
                    slab = shapely.box(a, y, b, y + depth)
                    self.add_building(rotate(slab, theta, origin=middle), "apartments")
            if row % 2 == 1 and loops:
                self._path_between(loops, y - (pitch - depth) / 2, free, theta, middle)
            y += pitch
            row += 1

    def _path_between(
        self, loops: list[LineString], y: float, free: BaseGeometry, theta: float, middle: Point
    ) -> None:
        level = LineString([(free.bounds[0] - 50, y), (free.bounds[2] + 50, y)])
        hits = sorted(shapely.get_coordinates(union(loops).intersection(level))[:, 0])
        if len(hits) == 2 and hits[1] - hits[0] > 40:
            path = LineString([(hits[0], y), (hits[1], y)])
            inner = stretch(path, 7, path.length - 7)
            if inner.intersection(free).length > 0.9 * inner.length:
                self.add_way(rotate(path, theta, origin=middle), "footway", access="private")

    # ------------------------------------------------------------------------------------ lanes and houses
    def lanes(self, block: Block, parcel: Polygon) -> None:
        """Old houses wall to wall along the lanes, courtyards behind."""
        size = 660.0 if block.style == "village" else 880.0
        inner = parcel.buffer(-16 if block.style == "village" else -19)
        for lot in self._lots(parcel.buffer(-0.6, join_style="mitre"), size):
            if self.rng.random() < 0.09 or (inner.covers(lot) and self.rng.random() < 0.6):
                continue
            house = lot.buffer(-0.5, join_style="mitre")
            for part in polygons_of(house)[:1]:
                self.add_building(largest(part.simplify(0.3)), "house" if block.style == "village" else "yes")

    def _lots(self, polygon: BaseGeometry, area_m2: float) -> list[Polygon]:
        """Cut ground into lots by halving the longer side."""
        done, work = [], polygons_of(polygon)
        while work:
            piece = work.pop()
            if piece.area < area_m2 * self.rng.uniform(0.8, 1.7):
                if piece.area > 0.25 * area_m2:
                    done.append(piece)
                continue
            c = box_around(piece)
            sides = np.array([c[1] - c[0], c[2] - c[1]])
            k = int(np.argmax(np.hypot(*sides.T)))
            share = self.rng.uniform(0.38, 0.62)
            a = c[0] + sides[k] * share
            far = c[0] + sides[1 - k] + sides[k] * share
            knife = LineString([a - (far - a), far + (far - a)])
            parts = polygons_of(split(piece, knife))
            if len(parts) < 2:
                done.append(piece)
                continue
            work += parts
        return done

    def commercial(self, block: Block, parcel: Polygon) -> None:
        """Malls, offices and hotels: large footprints, narrow service ways."""
        self.add_ground(parcel, landuse="commercial")
        gates = self.gates(block, parcel, 2)
        roads: list[LineString] = []
        if len(gates) == 2 and parcel.area > 9_000:
            spine = self._spine(block, parcel, gates)
            if spine is not None:
                roads.append(spine)
                self.add_way(spine, "service")
        ground: BaseGeometry = parcel.buffer(-4, join_style="mitre")
        if roads:
            ground = ground.difference(roads[0].buffer(7))
        for lot in self._lots(ground, 2_100):
            house = lot.buffer(-self.rng.uniform(3.0, 6.5), join_style="mitre").simplify(1.0)
            for part in polygons_of(house)[:1]:
                self.add_building(part, str(self.rng.choice(["retail", "commercial", "office", "hotel"])))

    def industrial(self, block: Block, parcel: Polygon) -> None:
        """Works behind one or two gates: sheds, and yard roads that end dead."""
        name = self.name("works")
        self.add_ground(parcel, landuse="industrial", name=name)
        self.done.named.append(("works", parcel.representative_point(), name))
        roads: list[LineString] = []
        for foot, gate in self.gates(block, parcel, 1 if parcel.area < 60_000 else 2):
            yard = self._yard_road(block, foot, gate)
            if yard is None or any(yard.distance(r) < 45 for r in roads):
                continue
            arms = self._yard_arms(yard, parcel, roads)
            roads += [yard, *arms]
            for line in (yard, *arms):
                self.add_way(line, "service", access="private")
            self.done.gates.append((yard.interpolate(yard.project(gate)), "lift_gate"))
        taken = union([r.buffer(8) for r in roads])
        for ground in polygons_of(parcel.buffer(-8, join_style="mitre").difference(taken)):
            for lot in self._lots(ground, 5_200):
                if self.rng.random() < 0.14:
                    continue
                box = _inner_box(lot.buffer(-6, join_style="mitre"))
                if box is not None:
                    self.add_building(box, "industrial")

    def _yard_road(self, block: Block, foot: Point, gate: Point) -> LineString | None:
        """Draw a road from a gate straight into the works, not through them."""
        start = np.asarray(foot.coords[0])
        u = _inward(foot, gate, 1.0) - start
        far = LineString([start, start + u / np.hypot(*u) * 600])
        rays = lines_of(far.intersection(block.polygon.buffer(0.5)))
        if not rays or rays[0].length < 70:
            return None
        return stretch(rays[0], 0, 0.72 * rays[0].length)

    def _yard_arms(self, yard: LineString, parcel: Polygon, others: list[LineString]) -> list[LineString]:
        """Draw the side arms of a yard road, as far as there is room."""
        a, b = np.asarray(yard.coords)[[0, -1]]
        side = np.array([-(b - a)[1], (b - a)[0]]) / yard.length
        room = parcel.buffer(-14)
        arms = []
        for share, sign in itertools.product((0.45, 0.85), (-1, 1)):
            at = a + share * (b - a)
            arm = LineString([at, at + sign * side * self.rng.uniform(60, 120)])
            if room.covers(stretch(arm, 5, arm.length)) and all(arm.distance(r) > 20 for r in others):
                arms.append(arm)
        return arms

    # -------------------------------------------------------------------------------------------- public
    def school(self, block: Block, parcel: Polygon) -> None:
        """Build a school or college: a running track, teaching blocks, one gate (a college has more)."""
        is_college = block.use == "college"
        name = self.name(block.use)
        self.add_ground(parcel, amenity="college" if is_college else "school", name=name)
        self.done.named.append((block.use, parcel.representative_point(), name))
        gates = self.gates(block, parcel, 3 if is_college else 1)
        roads = self._private_roads(block, parcel, gates)
        taken = union([line.buffer(5) for line in roads])
        track = _place_track(parcel, taken, self.rng)
        if track is not None:
            self.add_ground(track, leisure="pitch", sport="athletics")
            taken = taken.union(track.buffer(8))
        self._rows(parcel, taken, "slab", [])
        self._rename(parcel, "school")

    def _rename(self, parcel: Polygon, kind: str) -> None:
        """Say what the houses on the parcel that was filled last are."""
        for piece in self.done.buildings[::-1]:
            if not piece.polygon.intersects(parcel):
                break
            piece.tags["building"] = kind

    def institution(self, block: Block, parcel: Polygon) -> None:
        """Build a hospital or a government office: one compound of larger houses."""
        name = self.name(block.use)
        self.add_ground(parcel, amenity="hospital" if block.use == "hospital" else "townhall", name=name)
        self.done.named.append((block.use, parcel.representative_point(), name))
        roads = self._private_roads(block, parcel, self.gates(block, parcel, 2))
        taken = union([line.buffer(6) for line in roads])
        self._rows(parcel, taken, "slab", [])
        self._rename(parcel, "hospital" if block.use == "hospital" else "government")

    def park(self, block: Block, parcel: Polygon) -> None:
        """Lay out a park with a pond, a path around it and paths to the streets."""
        name = self.name("park")
        self.add_ground(parcel, leisure="park", name=name)
        self.done.named.append(("park", parcel.representative_point(), name))
        middle = shapely.maximum_inscribed_circle(parcel)
        centre, radius = Point(middle.coords[0]), middle.length
        pond = around(centre, 0.5 * radius, self.rng)
        if parcel.area > 14_000:
            self.add_ground(pond, natural="water", water="pond")
        path = LineString(ring_of(pond.buffer(9).buffer(6).buffer(-6).simplify(0.8)))
        self.add_way(path, "footway")
        for foot, _ in self.gates(block, parcel, 5):
            link = shapely.shortest_line(foot, path)
            if block.polygon.buffer(1.5).covers(link):
                self.add_way(_bent(link, self.rng), "footway")

    def square(self, block: Block, parcel: Polygon) -> None:
        """Lay out a paved square that people cross as they like, joined to the streets around."""
        area = parcel.buffer(-10, join_style="mitre").simplify(2)
        if not isinstance(area, Polygon) or area.is_empty:
            return
        name = self.name("square")
        self.done.named.append(("square", area.representative_point(), name))
        ring = LineString(area.exterior.coords)
        self.add_way(ring, "pedestrian", name, area="yes")
        for foot, _ in self.gates(block, parcel, 6):
            link = shapely.shortest_line(foot, ring)
            if block.polygon.buffer(1.5).covers(link):
                self.add_way(link, "footway")

    def site(self, block: Block, parcel: Polygon) -> None:  # noqa: ARG002
        """Ground that waits for builders: a few sheds."""
        self.add_ground(parcel, landuse="construction")
        box = _inner_box(parcel.buffer(-0.3 * parcel.area**0.5))
        if box is not None and self.rng.random() < 0.6:
            self.add_building(box, "yes")

    def field(self, block: Block, parcel: Polygon) -> None:  # noqa: ARG002
        """Fields and orchards where the town ends, or the foot of the hills."""
        if self.has_hills:
            self.add_ground(parcel, natural="scrub")
            return
        kind = ("farmland", "orchard", "grass")[int(self.rng.integers(3))]
        self.add_ground(parcel, landuse=kind)

    def green(self, block: Block, parcel: Polygon) -> None:  # noqa: ARG002
        """Leave a strip of grass that is too small or thin to build on."""
        self.add_ground(parcel, landuse="grass")


# ------------------------------------------------------------------------------------------------- geometry
def _inward(foot: Point, gate: Point, metres: float) -> FloatArray:
    """Return the place `metres` behind a gate, seen from the street."""
    a, b = np.asarray(foot.coords[0]), np.asarray(gate.coords[0])
    u = (b - a) / max(float(np.hypot(*(b - a))), 1e-9)
    return np.asarray(b + u * metres)


def _rounded(xy: FloatArray) -> FloatArray:
    """Round the corners of a polyline (two steps of Chaikin), ends kept."""
    for _ in range(2):
        cut = np.empty((2 * (len(xy) - 1), 2))
        cut[0::2] = 0.75 * xy[:-1] + 0.25 * xy[1:]
        cut[1::2] = 0.25 * xy[:-1] + 0.75 * xy[1:]
        xy = np.vstack([xy[:1], cut, xy[-1:]])
    return xy


def _bent(link: LineString, rng: Generator) -> LineString:
    a, b = np.asarray(link.coords)[[0, -1]]
    normal = np.array([-(b - a)[1], (b - a)[0]])
    return LineString(_rounded(np.array([a, (a + b) / 2 + normal * rng.uniform(-0.16, 0.16), b])))


def _facing(parcel: Polygon) -> float:
    """Return the angle (degrees) of the side that runs nearest to east-west, at most 24 either way."""
    c = box_around(parcel)
    angles = [np.rad2deg(np.arctan2(*(c[k + 1] - c[k])[::-1])) for k in (0, 1)]
    folded = [(a + 90) % 180 - 90 for a in angles]
    return float(np.clip(min(folded, key=abs), -24, 24))


def _spans(free: BaseGeometry, y0: float, y1: float) -> list[tuple[float, float]]:
    """Return the runs of x in which the whole band between y0 and y1 is free."""
    x0, _, x1, _ = free.bounds if not free.is_empty else (0.0, 0.0, -1.0, 0.0)
    if x1 <= x0:
        return []
    band = shapely.box(x0 - 1, y0, x1 + 1, y1)
    blocked = sorted((p.bounds[0], p.bounds[2]) for p in polygons_of(band.difference(free)))
    spans, at = [], x0
    for low, high in [*blocked, (x1, x1)]:
        if low - at > 14:
            spans.append((at, low))
        at = max(at, high)
    return spans


def _slabs(low: float, high: float, length: float, gap: float, rng: Generator) -> list[tuple[float, float]]:
    """Divide a run into slabs of about `length` with gaps between."""
    room = high - low
    n = max(int((room + gap) // (length + gap)), 1)
    size = min((room - (n - 1) * gap) / n, 1.35 * length)
    if size < 0.45 * length:
        return []
    start = low + (room - n * size - (n - 1) * gap) * rng.uniform(0.2, 0.8)
    return [(start + k * (size + gap), start + k * (size + gap) + size) for k in range(n)]


def _inner_box(lot: BaseGeometry) -> Polygon | None:
    """Return a rectangle inside a lot, turned like the lot, or None."""
    parts = polygons_of(lot)
    if not parts or parts[0].area < 150:
        return None
    part = max(parts, key=lambda p: p.area)
    box = shapely.oriented_envelope(part)
    for factor in (0.98, 0.9, 0.82, 0.72, 0.6):
        small = largest(shapely.affinity.scale(box, factor, factor))
        if part.covers(small):
            return small
    return None


def _place_track(parcel: Polygon, taken: BaseGeometry, rng: Generator) -> Polygon | None:
    """Return a running track that fits a parcel beside what stands there, or None."""
    free = parcel.buffer(-4).difference(taken)
    theta = _facing(parcel)
    for length in (122.0, 92.0, 66.0, 44.0):
        oval = LineString([(-length / 5, 0), (length / 5, 0)]).buffer(length * 0.29, quad_segs=6)
        for turn in (theta + 90, theta):
            shape = rotate(oval, turn, origin=(0, 0))
            x0, y0, x1, y1 = free.bounds if not free.is_empty else (0, 0, 0, 0)
            for x, y in rng.uniform((x0, y0), (x1, y1), (30, 2)):
                placed = shapely.affinity.translate(shape, x, y)
                if free.covers(placed):
                    return largest(placed)
    return None
