"""Networks as files: the same when read back, and nothing but a whole and sound file is read."""

import hashlib
import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import CRS
from same import assert_same_network

from servicecircle.errors import Fault
from servicecircle.model import Network
from servicecircle.network_builder import build_network
from servicecircle.network_files import FORMAT, UnusableError, load_network, packed_network
from servicecircle.params import PROFILES

WALK = PROFILES["walk"]
DIGEST = 32
HEAD = len(FORMAT) + DIGEST


@st.composite
def networks(draw):
    """Few nodes, many streets: one-way, loops, parallels, no length, islands, odd names."""
    n = draw(st.integers(1, 6))
    cell = st.integers(0, 4)
    xy = np.array(draw(st.lists(st.tuples(cell, cell), min_size=n, max_size=n)), float) * 90.7 + [5e5, 4e6]
    m = draw(st.integers(1, 9))
    ends = [draw(st.lists(st.integers(0, n - 1), min_size=m, max_size=m)) for _ in range(2)]
    kph = [draw(st.lists(st.sampled_from([0.0, 3.6, 5.1]), min_size=m, max_size=m)) for _ in range(2)]
    kph[0][0] = 3.6
    names = draw(st.lists(st.sampled_from(["", "和平路", 'a "b"\n\\', "\ud800", "x" * 40]), min_size=m, max_size=m))
    told = Fault("some", "有", file="a", row=draw(st.none() | st.integers(1, 9)), level="warning")
    return build_network(
        xy,
        *ends,
        crs=draw(st.sampled_from(["EPSG:32650", CRS("EPSG:32650").to_wkt(), "+proj=tmerc +lon_0=113.3 +units=m"])),
        forward_kph=kph[0],
        backward_kph=kph[1],
        name=names,
        road_class=names[::-1],
        way_id=draw(st.lists(st.integers(-(2**62), 2**62), min_size=m, max_size=m)),
        min_part_m=0,
        counts={"ways_read": m, "share": 0.1 + 0.2},
        warnings=[told],
    )


def small() -> Network:
    """A one-way street, one both ways with a bend, and a loop."""
    bend = shapely.LineString([(500000, 0), (500050, 70), (500100, 0)])
    ring = shapely.LineString([(500100, 0), (500200, 0), (500150, 70), (500100, 0)])
    return build_network(
        [[500000, 0], [500100, 0]],
        [0, 0, 1],
        [1, 1, 1],
        crs="EPSG:32650",
        geometry=[bend, None, ring],
        backward_kph=[0, 3.6, 3.6],
        name=["甲", "乙", ""],
        min_part_m=0,
    )


def sealed(rest: bytes) -> bytes:
    """A file with this behind its checksum."""
    return FORMAT + hashlib.blake2b(rest, digest_size=DIGEST).digest() + rest


def parts(data: bytes) -> tuple[dict, bytes]:
    """The text of a file, and its arrays."""
    size = int.from_bytes(data[HEAD : HEAD + 8], "little")
    return json.loads(data[HEAD + 8 : HEAD + 8 + size]), data[HEAD + 8 + size :]


def joined(text: object, arrays: bytes) -> bytes:
    """A file of a text and arrays."""
    said = json.dumps(text).encode()
    said += b" " * (-len(said) % 8)
    return sealed(len(said).to_bytes(8, "little") + said + arrays)


def load(path, data: bytes) -> Network:
    path.write_bytes(data)
    return load_network(path, WALK)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(network=networks())
def test_what_comes_back_is_the_same_in_every_array_and_every_word(tmp_path, network):
    assert_same_network(network, load(tmp_path / "a", b"".join(packed_network(network))))


def test_the_same_network_makes_the_same_bytes_and_arrays_are_aligned(tmp_path):
    data = b"".join(packed_network(small()))
    assert data == b"".join(packed_network(small()))
    back = load(tmp_path / "a", data)
    assert all(array.flags.aligned for array in vars(back).values() if isinstance(array, np.ndarray))


def test_a_file_cut_off_anywhere_or_too_long_or_empty_is_refused(tmp_path):
    data = b"".join(packed_network(small()))
    for end in range(0, len(data), 5):
        with pytest.raises(UnusableError):
            load(tmp_path / "a", data[:end])
    rest = data[HEAD:]
    for longer in (data + b"\0", sealed(rest + b"\0"), sealed(rest[:-1]), sealed(rest[:40]), sealed(b"")):
        with pytest.raises(UnusableError):
            load(tmp_path / "a", longer)


def test_any_changed_byte_is_noticed(tmp_path):
    data = bytearray(b"".join(packed_network(small())))
    for at in range(0, len(data), 3):
        data[at] ^= 4
        with pytest.raises(UnusableError):
            load(tmp_path / "a", bytes(data))
        data[at] ^= 4


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_bytes_changed_under_a_right_checksum_never_give_a_position_that_does_not_exist(tmp_path, data):
    rest = bytearray(b"".join(packed_network(small()))[HEAD:])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(rest) - 1))
        new = data.draw(st.binary(min_size=1, max_size=9))
        rest[at : at + len(new)] = new
    try:
        network = load(tmp_path / "a", sealed(bytes(rest)))
    except UnusableError:
        return
    for positions, n in ((network.tail, network.n_node), (network.head, network.n_node)):
        assert (positions >= 0).all()
        assert (positions < n).all()
    assert (network.street[network.street_first] == np.arange(network.n_street)).all()
    assert ((network.street_edge >= -1) & (network.street_edge < network.n_edge)).all()
    assert ((network.part >= 0) & (network.part < network.part_m.size)).all()
    assert np.isfinite(network.seconds).all()
    assert shapely.is_valid(network.geometry).all()


@pytest.mark.parametrize(
    "change",
    [
        {"counts": {"node": 10**15, "edge": 5, "street": 3, "part": 1, "corner": 9}},
        {"counts": {"node": -1, "edge": 5, "street": 3, "part": 1, "corner": 9}},
        {"counts": {"node": 2.0, "edge": 5, "street": 3, "part": 1, "corner": 9}},
        {"counts": {"node": 2}},
        {"counts": []},
        {"crs": "EPSG:4326"},
        {"crs": "EPSG:999999999"},
        {"crs": "/etc/passwd"},
        {"crs": "+proj=utm +zone=50"},
        {"crs": 32650},
        {"names": "甲乙丙丁"},
        {"names": [1, 2, 3]},
        {"names": []},
        {"source": None},
        {"report": [["nodes"]]},
        {"report": [["nodes", "2"]]},
        {"report": [["nodes", True]]},
        {"report": {"nodes": 2}},
        {"warnings": [{}]},
        {"warnings": ["text"]},
        {"warnings": [{**vars(Fault("a", "b")), "row": "1"}]},
        {"warnings": [{**vars(Fault("a", "b")), "level": "fatal"}]},
        {"warnings": [{**vars(Fault("a", "b")), "more": ""}]},
    ],
)
def test_a_text_that_is_not_as_it_is_written_is_refused(tmp_path, change):
    text, arrays = parts(b"".join(packed_network(small())))
    assert_same_network(small(), load(tmp_path / "a", joined(text, arrays)))
    with pytest.raises(UnusableError):
        load(tmp_path / "a", joined({**text, **change}, arrays))


@pytest.mark.parametrize("text", [[], 3, None, "{}", {}])
def test_a_text_of_another_kind_is_refused(tmp_path, text):
    with pytest.raises(UnusableError):
        load(tmp_path / "a", joined(text, b""))
    deep = b"[" * 100_000
    with pytest.raises(UnusableError):
        load(tmp_path / "a", sealed(len(deep).to_bytes(8, "little") + deep))
    with pytest.raises(UnusableError):
        load(tmp_path / "a", pickle.dumps(text))


def test_a_network_that_would_not_come_back_the_same_makes_no_file():
    network = small()
    turned = np.array(network.geometry)
    turned[network.street_edge[1, 1]] = turned[network.street_edge[0, 0]]
    for odd in (
        replace(network, geometry=turned),
        replace(network, street_name=np.array([None, "", ""], dtype=object)),
        replace(network, way_id=network.way_id.astype(np.int32)),
        replace(network, report=replace(network.report, counts={"nodes": "2"})),
    ):
        with pytest.raises(UnusableError):
            packed_network(odd)


def test_a_missing_file_is_told_as_that(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_network(tmp_path / "none", WALK)
