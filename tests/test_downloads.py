"""Downloads: OSMnx against servers of our own, on this machine."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from servicecircle.downloads import download_graph
from servicecircle.errors import DownloadError, NetworkError
from servicecircle.network import download_network

ox = pytest.importorskip("osmnx")

PLACE = "南区街道, 中山市"
BORDER = [[113.30, 22.48], [113.34, 22.48], [113.34, 22.50], [113.30, 22.50], [113.30, 22.48]]
TOWN = [
    {
        "importance": 1.0,
        "lat": "22.49",
        "lon": "113.32",
        "boundingbox": ["22.48", "22.50", "113.30", "113.34"],
        "geojson": {"type": "Polygon", "coordinates": [BORDER]},
        "display_name": PLACE,
    }
]
NODES = {1: (113.31, 22.49), 2: (113.32, 22.49), 3: (113.33, 22.49), 4: (113.32, 22.495), 5: (113.335, 22.4905)}
WAYS = {
    10: ([1, 2, 3], {"highway": "residential", "name": "和平路"}),
    11: ([2, 4], {"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"}),
    12: ([3, 5], {"highway": "motorway"}),
}
STREETS = {
    "elements": [{"type": "node", "id": i, "lon": lon, "lat": lat} for i, (lon, lat) in NODES.items()]
    + [{"type": "way", "id": i, "nodes": nodes, "tags": tags} for i, (nodes, tags) in WAYS.items()]
}


class _Servers(BaseHTTPRequestHandler):
    """Nominatim (GET) and Overpass (POST), as far as OSMnx asks."""

    def do_GET(self):
        self._answer("place", self.server.place)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer("streets", self.server.streets)

    def _answer(self, what, content):
        self.server.asked.append(what)
        body = json.dumps(content).encode()
        self.send_response(self.server.status.get(what, 200))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


@pytest.fixture
def servers(monkeypatch):
    with ThreadingHTTPServer(("127.0.0.1", 0), _Servers) as server:
        server.asked, server.status, server.place, server.streets = [], {}, TOWN, STREETS
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(ox.settings, "nominatim_url", url)
        monkeypatch.setattr(ox.settings, "overpass_url", url)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_a_place_name_gives_its_streets_and_the_second_time_nobody_is_asked(servers, tmp_path):
    first = download_network(PLACE, "ebike", cache_folder=tmp_path)
    assert servers.asked == ["place", "streets"]
    second = download_network(PLACE, "walk", cache_folder=tmp_path)
    assert servers.asked == ["place", "streets"]
    assert sorted(second.street_name) == ["", "和平路", "和平路"]
    assert first.report.counts["oneway_streets"] == 0  # oneway:bicycle=no
    assert first.report.source == PLACE
    assert download_network(PLACE, "drive", cache_folder=tmp_path).report.counts["oneway_streets"] == 1


def test_the_settings_of_osmnx_stay_as_they_were(servers, tmp_path):
    names = ("cache_folder", "useful_tags_way", "overpass_rate_limit", "requests_timeout", "requests_kwargs")
    before, look_up = {name: getattr(ox.settings, name) for name in names}, socket.getaddrinfo
    servers.status["place"] = 500
    with pytest.raises(DownloadError):
        download_graph(PLACE, cache_folder=tmp_path)
    assert {name: getattr(ox.settings, name) for name in names} == before
    assert socket.getaddrinfo is look_up


@pytest.mark.parametrize("what", ["place", "streets"])
@pytest.mark.parametrize("status", [429, 504, 500])
def test_a_busy_server_is_told_at_once(servers, tmp_path, what, status):
    servers.status[what] = status
    with pytest.raises(DownloadError, match=rf"127\.0\.0\.1:\d+ answered {status}") as caught:
        download_graph(PLACE, cache_folder=tmp_path)
    assert "请稍后再试" in caught.value.zh
    assert servers.asked[-1] == what


@pytest.mark.slow
def test_an_unknown_place_or_one_without_a_border_is_told(servers, tmp_path):
    servers.place = []
    with pytest.raises(DownloadError, match="0 results"):
        download_graph("nowhere", cache_folder=tmp_path)
    servers.place = [{**TOWN[0], "geojson": {"type": "Point", "coordinates": [113.3, 22.5]}}]
    with pytest.raises(DownloadError, match="Polygon"):
        download_graph("a point", cache_folder=tmp_path)


def test_a_place_without_streets_is_told(servers, tmp_path):
    servers.streets = {"elements": []}
    with pytest.raises(DownloadError, match="could not be downloaded"):
        download_graph(PLACE, cache_folder=tmp_path)


def test_a_place_where_nobody_may_walk_is_told(servers, tmp_path):
    servers.streets = {"elements": [e for e in STREETS["elements"] if e["type"] == "node" or e["id"] == 12]}
    with pytest.raises(NetworkError, match="no street that the profile `walk` may use"):
        download_network(PLACE, cache_folder=tmp_path)


def test_without_a_network_there_is_one_clear_error(monkeypatch, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setattr(ox.settings, "nominatim_url", f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(DownloadError, match=r"cannot be reached\. Is this machine online") as caught:
        download_graph(PLACE, cache_folder=tmp_path)
    assert "请检查网络" in caught.value.zh
    assert isinstance(caught.value, OSError)
