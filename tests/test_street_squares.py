"""Squares over a network: the streets that may be nearest in each, against looking at all streets."""

from __future__ import annotations

import gc
import itertools
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import shapely
from drawing import ORIGIN, perfect_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from test_travel_times import at_xy, networks, places

from servicecircle import _area_kernels, threads
from servicecircle import _square_kernels as kernels
from servicecircle import near_streets as near_module
from servicecircle import street_squares as squares_module
from servicecircle.model import Network
from servicecircle.near_streets import SQUARE_M, Known, NearStreets
from servicecircle.service_areas import service_areas
from servicecircle.street_squares import Kernels, StreetSquares, street_squares
from servicecircle.threads import cores

MAX_M = 100.0
KERNELS_FOR = StreetSquares.kernels_for


def lines_of(squares: StreetSquares) -> np.ndarray:
    """Segments as lines."""
    xy = squares.segments.segment[:, :2]
    return shapely.linestrings(np.stack([xy, xy + squares.segments.segment[:, 2:4]], axis=1))


def some_blocks(near: NearStreets, seed: int, n: int = 6) -> np.ndarray:
    """Blocks drawn at random from all, streets near or not."""
    return np.random.default_rng(seed).integers(0, near.block_row.size, n)


def squares_of(near: NearStreets, block: np.ndarray) -> tuple[Known, np.ndarray]:
    """What is known of squares, and the rows of those in some blocks."""
    near.blocks(block, kernels)
    row = near.block_row[block]
    blocks, known = near.squares(row, kernels)
    return known, (blocks.within[row][:, None] + np.arange(4)).ravel()


@settings(max_examples=40, deadline=None)
@given(networks(), st.integers(0, 10**6))
def test_the_nearest_street_of_every_place_in_a_square_is_among_those_near_to_it(
    network: Network, seed: int
) -> None:
    squares = StreetSquares(network, "to", max_m=MAX_M, cells=8)
    near = squares.near_streets()
    lines, rng = lines_of(squares), np.random.default_rng(seed)
    block = some_blocks(near, seed)
    known, rows = squares_of(near, block)
    sizes = [(near.blocks(block, kernels), near.block_row[block], 2), (known, rows, 1)]
    for of, row, size in sizes:
        for at in row:
            up, across = divmod(of.square[at], near.n_across // size)
            low = squares.segments.origin + np.array([across, up]) * SQUARE_M * size
            points = shapely.points(low + rng.uniform(0, SQUARE_M * size, (8, 2)))
            away = shapely.distance(points[:, None], lines[None, :])
            few = of.near[of.start[at] : of.start[at + 1]]
            least = away.min(axis=1)
            within = least <= MAX_M
            if within.any():
                assert away[within][:, few].min(axis=1) == pytest.approx(least[within])


@settings(max_examples=40, deadline=None)
@given(networks(), st.integers(0, 10**6))
def test_the_streets_through_a_square_are_the_first_of_those_near_to_it(network: Network, seed: int) -> None:
    squares = StreetSquares(network, "to", max_m=MAX_M, cells=8)
    near = squares.near_streets()
    lines = lines_of(squares)
    known, rows = squares_of(near, some_blocks(near, seed))
    for at in rows:
        up, across = divmod(known.square[at], near.n_across)
        low = squares.segments.origin + np.array([across, up]) * SQUARE_M
        through = np.flatnonzero(shapely.intersects(lines, shapely.box(*low, *(low + SQUARE_M))))
        first = known.near[known.start[at] : known.start[at] + known.through[at]]
        assert set(through) <= set(first.tolist())


@settings(max_examples=40, deadline=None)
@given(networks(), st.integers(0, 10**6))
def test_corners_know_their_nearest_street(network: Network, seed: int) -> None:
    squares = StreetSquares(network, "to", max_m=MAX_M, cells=8)
    near = squares.near_streets()
    lines = lines_of(squares)
    _, rows = squares_of(near, some_blocks(near, seed))
    known, corners = near.corners(rows, kernels)
    step = np.arange(9) * SQUARE_M / 8
    for at in rows:
        up, across = divmod(known.square[at], near.n_across)
        low = squares.segments.origin + np.array([across, up]) * SQUARE_M
        xy = np.stack([np.tile(step, 9), np.repeat(step, 9)], axis=1) + low
        away = shapely.distance(shapely.points(xy)[:, None], lines[None, :])
        nearest = corners.nearest[known.within[at]]
        is_near = nearest >= 0
        assert (away.min(axis=1)[~is_near] > MAX_M - 1e-6).all()
        assert away[np.flatnonzero(is_near), nearest[is_near]] == pytest.approx(away.min(axis=1)[is_near], abs=2e-3)
        assert corners.metres[known.within[at]][is_near] == pytest.approx(away.min(axis=1)[is_near], abs=2e-3)


def test_what_is_known_stays_as_it_was_when_more_becomes_known() -> None:
    _, network = perfect_grid(12, block_m=90)
    near = StreetSquares(network, "to", max_m=MAX_M, cells=8).near_streets()
    squares, rows = squares_of(near, np.array([40, 41]))
    before, corners = near.corners(rows, kernels)
    held = (before.square, before.start, before.near, before.away, corners.nearest)
    kept = [array.copy() for array in held]
    within = before.within[rows].tolist()
    more, all_rows = squares_of(near, np.arange(30, 60))
    near.corners(all_rows, kernels)
    assert all(np.array_equal(one, other) for one, other in zip(kept, held, strict=True))
    assert before.within[rows].tolist() == within
    assert squares.square.size == 8
    assert more.square.size == 120
    assert near.squares(near.block_row[[35]], kernels)[1] is more


@pytest.mark.parametrize("least", [1, 7])
def test_parts_on_all_cores_find_what_one_finds(least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    _, network = perfect_grid(12, block_m=90)

    def found() -> list[np.ndarray]:
        near = StreetSquares(network, "to", max_m=MAX_M, cells=8).near_streets()
        for blocks in (np.arange(30, 60), np.arange(55, 140)):
            near.corners(squares_of(near, blocks)[1], kernels)
        known = [near._blocks, near._squares, near._corners]
        return [np.asarray(array) for one in known for array in vars(one).values()]

    alone = found()
    monkeypatch.setattr(near_module, "_LEAST", least)
    monkeypatch.setattr(threads, "_MOST", [5])
    assert all(np.array_equal(one, other) for one, other in zip(alone, found(), strict=True))


def test_squares_are_dropped_when_they_take_too_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    _, network = perfect_grid(12, block_m=90)
    squares = StreetSquares(network, "to", max_m=MAX_M, cells=8)
    near = squares.near_streets()
    squares_of(near, np.arange(40))
    assert squares.near_streets() is near
    monkeypatch.setattr(squares_module, "_MOST_BYTES", near.nbytes - 1)
    assert squares.near_streets() is not near
    assert squares_of(squares.near_streets(), np.array([7]))[0].square.size == 4


def test_squares_are_kept_with_the_network_by_direction_and_walk() -> None:
    _, network = perfect_grid(6, block_m=90)
    one = street_squares(network, "to", max_m=MAX_M, cells=8)
    assert street_squares(network, "to", max_m=MAX_M, cells=8) is one
    assert street_squares(network, "from", max_m=MAX_M, cells=8) is not one
    assert street_squares(network, "to", max_m=50.0, cells=8) is not one
    assert street_squares(network, "to", max_m=MAX_M, cells=4) is not one


@settings(max_examples=25, deadline=None)
@given(networks(), places, st.sampled_from(["fine", "fast"]))
def test_an_area_does_not_depend_on_what_else_was_drawn(network: Network, where: list, detail: str) -> None:
    options = {"minutes": (1, 2.5, 6), "max_snap_m": MAX_M, "detail": detail}
    together = service_areas(network, at_xy(*where), **options).geometry.to_numpy()
    network.kept.clear()
    alone = [service_areas(network, at_xy(place), **options).geometry.to_numpy() for place in reversed(where)]
    assert shapely.to_wkb(together).tolist() == shapely.to_wkb(np.concatenate(alone[::-1])).tolist()


def test_areas_by_many_threads_are_those_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    node, network = perfect_grid(20, block_m=90)
    facilities = at_xy(
        *[tuple(network.node_xy[node[i, j]] - ORIGIN) for i in range(0, 20, 3) for j in range(0, 20, 3)]
    )
    many = service_areas(network, facilities, minutes=(5, 10))
    network.kept.clear()
    monkeypatch.setattr("servicecircle.threads.cores", lambda: 1)
    one = service_areas(network, facilities, minutes=(5, 10))
    assert shapely.to_wkb(many.geometry.to_numpy()).tolist() == shapely.to_wkb(one.geometry.to_numpy()).tolist()


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(networks(), places, st.sampled_from(["fine", "fast"]))
def test_areas_in_plain_python_are_those_of_compiled_kernels(network: Network, where: list, detail: str) -> None:
    options = {"minutes": (1, 2.5, 6), "max_snap_m": MAX_M, "detail": detail}
    compiled = service_areas(network, at_xy(*where), **options).geometry.to_numpy()
    network.kept.clear()
    used = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("servicecircle._compiled.is_compiled", lambda _: False)
        patch.setattr(StreetSquares, "kernels_for", lambda *of: used.append(KERNELS_FOR(*of)) or used[-1])
        plain = service_areas(network, at_xy(*where), **options).geometry.to_numpy()
    assert used and not any(hasattr(k.areas.rings_of_facilities, "signatures") for k in used)
    assert shapely.to_wkb(plain).tolist() == shapely.to_wkb(compiled).tolist()


def test_only_the_first_few_circles_are_drawn_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("servicecircle._compiled.is_compiled", lambda _: False)
    _, network = perfect_grid(12, block_m=90)
    squares = StreetSquares(network, "to", max_m=MAX_M, cells=8)
    drawn = [hasattr(squares.kernels_for(600).areas.rings_of_facilities, "signatures") for _ in range(4)]
    assert drawn == [False, False, True, True]


def test_no_more_room_is_kept_than_cores_can_use_and_no_large_rasters() -> None:
    _, network = perfect_grid(6, block_m=90)
    squares = StreetSquares(network, "to", max_m=MAX_M, cells=8)
    rooms = [squares.room() for _ in range(cores() + 3)]
    for room in rooms:
        room.rasters(2**23 + 1)
        squares.give_back(room)
    kept = [squares.room() for _ in rooms]
    assert sum(any(room is other for other in rooms) for room in kept) == cores()
    assert all(len(room.rasters(4)[0]) == 4 for room in kept)


def test_squares_of_the_last_few_uses_are_kept() -> None:
    _, network = perfect_grid(6, block_m=90)
    made = [street_squares(network, "to", max_m=m, cells=8) for m in (10.0, 20.0, 30.0, 40.0)]
    assert street_squares(network, "to", max_m=10, cells=8) is made[0]
    street_squares(network, "to", max_m=50.0, cells=8)  # the second goes: it is unused for longest
    again = [street_squares(network, "to", max_m=m, cells=8) for m in (10.0, 30.0, 40.0, 20.0)]
    assert [squares in made for squares in again] == [True, True, True, False]


def test_areas_asked_for_at_once_while_squares_are_dropped_are_those_of_one_call_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node, network = perfect_grid(16, block_m=90)
    places = [tuple(network.node_xy[node[i, j]] - ORIGIN) for i in range(0, 16, 3) for j in range(0, 16, 3)]
    want = service_areas(network, at_xy(*places), minutes=(3, 6), max_snap_m=MAX_M).geometry.to_wkb()
    monkeypatch.setattr(squares_module, "_MOST_BYTES", 100_000)
    network.kept.clear()

    def draw(j: int) -> list[bytes]:
        return service_areas(network, at_xy(places[j]), minutes=(3, 6), max_snap_m=MAX_M).geometry.to_wkb().tolist()

    with ThreadPoolExecutor(8) as pool:
        assert list(itertools.chain.from_iterable(pool.map(draw, range(len(places))))) == want.tolist()


@pytest.mark.slow
def test_a_drawing_ends_with_the_kernels_it_began_with(monkeypatch: pytest.MonkeyPatch) -> None:
    _, network = perfect_grid(12, block_m=90)
    chosen, others = [], []

    def areas() -> list[str]:
        return service_areas(network, at_xy((200, 300)), minutes=(3, 5)).geometry.to_wkt().tolist()

    def kernels_for(squares: StreetSquares, n_settled: int) -> Kernels:
        chosen.append(KERNELS_FOR(squares, n_settled))
        own = chosen[-1]
        if not others:  # another drawing on the same squares, which compiles, in the midst of this one
            monkeypatch.setattr(squares_module, "_FEW_NODES", -1)
            others.append(None)
            others[0] = areas()
        return own

    monkeypatch.setattr("servicecircle._compiled.is_compiled", lambda _: False)
    monkeypatch.setattr(StreetSquares, "kernels_for", kernels_for)
    assert areas() == others[0]
    assert [k.areas is _area_kernels for k in chosen] == [False, True]
    kernels_called = (_area_kernels.rings_of_facilities, _area_kernels.ranks_of_facilities)
    assert not any("_in_python" in str(signature) for k in kernels_called for signature in k.signatures)


def test_a_network_is_gone_at_once_with_what_was_kept_for_its_drawings() -> None:
    _, network = perfect_grid(4)
    gone = weakref.ref(network)
    assert not service_areas(network, at_xy((0, 0)), minutes=(5,)).geometry.is_empty.any()
    gc.disable()
    try:
        del network
        assert gone() is None
    finally:
        gc.enable()
