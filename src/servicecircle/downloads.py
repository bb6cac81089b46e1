"""Downloads: the streets of a place by its name, through OSMnx, kept in a cache folder."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import DownloadError
from .impedance import TAG_KEYS
from .projections import metric_crs

#: how far beyond the border of the place streets are fetched (metres): riders cross it
MARGIN_M = 3000.0
#: seconds to connect, and to wait for an answer
CONNECT_S, ANSWER_S = 5.0, 180.0


def download_graph(place: str, *, margin_m: float = MARGIN_M, cache_folder: str | Path | None = None) -> Any:  # noqa: ANN401
    """
    Download all ways with a `highway` tag in and around a place, as an OSMnx graph.

    What has been asked once is read from the cache folder and not asked again. The servers are those of
    `osmnx.settings` (`nominatim_url`, `overpass_url`).

    Parameters
    ----------
    place
        As one would type it into a map search, for example `"南区街道, 中山市"`.
    margin_m
        How far beyond the border of the place streets are fetched, in metres.
    cache_folder
        Where answers are kept. Default: `~/.cache/servicecircle`.

    Returns
    -------
    graph
        `MultiDiGraph` in WGS 84, ways merged between junctions only where their tags agree; every tag that the
        profiles read is kept, so that one graph serves them all. `network_from_graph` takes it.

    Raises
    ------
    DownloadError
        If a server cannot be reached, is busy or answers with an error, or knows no such place with a border.
    """
    import osmnx as ox
    import requests

    folder = Path.home() / ".cache" / "servicecircle" if cache_folder is None else Path(cache_folder)
    tags = sorted(TAG_KEYS | {"name"})
    try:
        with _settings(folder, tags):
            border: Any = ox.geocode_to_gdf(place)
            metric = metric_crs(border.total_bounds.reshape(2, 2), border.crs)
            around = border.to_crs(metric).buffer(margin_m).to_crs(border.crs).union_all()
            graph = ox.graph_from_polygon(
                around, custom_filter='["highway"]', simplify=False, retain_all=True, truncate_by_edge=True
            )
            return ox.simplify_graph(graph, edge_attrs_differ=tags, remove_rings=False)
    except requests.exceptions.RequestException as error:
        where = urlsplit(getattr(error.request, "url", None) or "").netloc or "the server"
        if error.response is not None:
            status = f"{error.response.status_code} {error.response.reason}"
            msg = f"`{place}` could not be downloaded: {where} answered {status}. Try again later."
            raise DownloadError(msg, zh=f"无法下载“{place}”：{where} 返回 {status}，请稍后再试。") from error
        msg = f"`{place}` could not be downloaded: {where} cannot be reached. Is this machine online?"
        zh = f"无法下载“{place}”：连接不上 {where}。请检查网络，或改用本地道路文件。"
        raise DownloadError(msg, zh=zh) from error
    except (ValueError, TypeError, KeyError) as error:  # OSMnx: no such place, no border, an error of the server
        msg = f"`{place}` could not be downloaded: {error}"
        zh = f"无法下载“{place}”：找不到这个地方的边界，或服务器没有可用的回答（{error}）。"
        raise DownloadError(msg, zh=zh) from error


@contextmanager
def _settings(folder: Path, tags: list[str]) -> Iterator[None]:
    """Set OSMnx up for one download, and put everything back, the name look-up that it replaces included."""
    from osmnx import settings

    wanted = {
        "use_cache": True,
        "cache_folder": folder,
        "useful_tags_way": tags,
        "overpass_rate_limit": False,  # its status check waits 60 s where there is no network
        "doh_url_template": None,  # no other server is asked for addresses
        "requests_timeout": (CONNECT_S, ANSWER_S),
        "overpass_settings": f"[out:json][timeout:{ANSWER_S:.0f}]{{maxsize}}",
        "requests_kwargs": {**settings.requests_kwargs, "hooks": {"response": _refuse_busy}},
    }
    before = {name: getattr(settings, name) for name in wanted}
    look_up = socket.getaddrinfo
    try:
        for name, value in wanted.items():
            setattr(settings, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(settings, name, value)
        socket.getaddrinfo = look_up


def _refuse_busy(response: Any, *_args: object, **_options: object) -> None:  # noqa: ANN401
    """Raise where OSMnx would sleep and ask again for ever, and on every other error of the server."""
    if not response.ok:
        response.close()
    response.raise_for_status()
