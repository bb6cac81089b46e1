"""Junctions: splitting ways, joining directions, clustering end points."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from servicecircle.junctions import cluster_points, pair_directions, same_lines, split_at_junctions


def split(*ways):
    """Split ways of letters, and return the pieces as text."""
    node = np.array([ord(letter) - 65 for way in ways for letter in way], dtype=np.int64)
    first = np.cumsum([0, *map(len, ways)])
    take, piece_first, piece_way = split_at_junctions(node, first)
    text = "".join(chr(65 + n) for n in node[take])
    pieces = [text[a:b] for a, b in itertools.pairwise(piece_first)]
    return pieces, piece_way.tolist()


def test_ways_are_split_where_they_meet_and_nowhere_else():
    assert split("ABCDE", "FCG") == (["ABC", "CDE", "FC", "CG"], [0, 0, 1, 1])
    assert split("ABCDE") == (["ABCDE"], [0])


def test_ways_that_follow_each_other_meet_at_their_ends():
    assert split("ABC", "CDE") == (["ABC", "CDE"], [0, 1])


def test_a_loop_stays_one_piece_that_begins_where_it_ends():
    assert split("ABCA") == (["ABCA"], [0])


def test_a_loop_on_a_stick_is_split_where_the_stick_ends():
    assert split("XABCA") == (["XA", "ABCA"], [0, 0])


def test_a_way_that_turns_back_on_itself_is_split_where_it_turns():
    assert split("ABCBA") == (["AB", "BC", "CB", "BA"], [0, 0, 0, 0])
    assert split("ABA") == (["AB", "BA"], [0, 0])


def test_a_node_that_follows_itself_is_taken_once_and_a_lone_node_is_no_way():
    assert split("AABBB", "C", "DD", "EF") == (["AB", "EF"], [0, 3])
    assert split("A", "") == ([], [])


@given(st.lists(st.text("ABCDEFGH", max_size=8), max_size=8))
def test_splitting_keeps_every_step_of_every_way_in_order(ways):
    pieces, piece_way = split(*ways)
    for w, way in enumerate(ways):
        steps = [way[i : i + 2] for i in range(len(way) - 1) if way[i] != way[i + 1]]
        mine = [piece for piece, p in zip(pieces, piece_way, strict=True) if p == w]
        assert [piece[i : i + 2] for piece in mine for i in range(len(piece) - 1)] == steps
    ends = {end for piece in pieces for end in (piece[0], piece[-1])}
    assert not any(set(piece[1:-1]) & ends for piece in pieces)


def lines(*texts):
    cells = np.array([[ord(letter)] for text in texts for letter in text], dtype=np.int64)
    return same_lines(cells, np.concatenate([[0], np.cumsum([len(text) for text in texts])]))


def test_a_line_and_its_reverse_are_the_same_line():
    number, is_back = lines("abc", "xy", "cba", "abc", "abd", "yx")
    assert number.tolist() == [0, 1, 0, 0, 2, 1]
    assert is_back.tolist() == [False, False, True, False, False, True]


def test_a_palindrome_is_not_its_own_reverse():
    number, is_back = lines("aba", "aba")
    assert number.tolist() == [0, 0]
    assert not is_back.any()


def pairs(number, is_back, length):
    along, against = pair_directions(np.array(number), np.array(is_back, dtype=bool), np.array(length, dtype=float))
    return list(zip(along.tolist(), against.tolist(), strict=True))


def test_two_directions_are_one_street():
    assert pairs([0, 1, 0], [0, 0, 1], [5, 7, 5]) == [(0, 2), (1, -1)]


def test_rows_in_the_same_direction_stay_parallel_streets():
    assert pairs([0, 0, 0, 0], [0, 0, 1, 1], [5, 9, 9, 5]) == [(0, 3), (1, 2)]
    assert pairs([0, 0], [0, 0], [5, 5]) == [(0, -1), (1, -1)]


def test_a_lone_row_that_runs_back_is_a_street_of_its_own():
    assert pairs([0, 0], [0, 1], [5, 6]) == [(0, -1), (1, -1)]


def test_points_within_the_tolerance_are_one_node_numbered_from_the_left():
    node, xy = cluster_points(np.array([[5.0, 0], [0, 0], [5.0005, 0], [0, 0]]), 1e-3)
    assert node.tolist() == [1, 0, 1, 0]
    assert xy.tolist() == [[0, 0], [5, 0]]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=20))
def test_points_far_apart_are_one_node_exactly_where_they_are_equal(points):
    node, xy = cluster_points(np.array(points, dtype=float), 1e-3)
    assert len(xy) == len(set(points))
    assert xy[node].tolist() == [list(map(float, point)) for point in points]
