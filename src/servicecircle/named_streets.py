"""Streets by their names: which pieces of the network a name means, whole or between two crossings."""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ._validate import BoolArray, IntArray
from .chinese import simplified
from .errors import InputError
from .model import Network

#: pieces of one name farther from each other than this are different streets (metres)
APART_M = 300.0


@dataclass(frozen=True, eq=False)
class NamedStreet:
    """The pieces of a street that a name means."""

    street: IntArray
    line: shapely.MultiLineString  # CRS of the network
    length_m: float
    n_apart: int  # streets of this name that lie apart


def named_street(network: Network, name: str, begin: str = "", end: str = "") -> NamedStreet:
    """
    Return the admissible streets of a name: all of them, or the pieces between the crossings with two others.

    Width, case, blanks and Traditional characters of names do not matter.

    Raises
    ------
    InputError
        If no street has a name, a crossing is not there, or no piece leads from one to the other.
    """
    own = np.flatnonzero(_has_name(network, name))
    if begin:
        own = _between(network, own, name, begin, end)
    lines = network.street_geometry[own]
    length_m = float(network.length_m[network.street_first[own]].sum())
    return NamedStreet(own, shapely.MultiLineString(list(lines)), length_m, _n_apart(lines))


def plain_name(name: str) -> str:
    """
    Return a name of a street as it is compared.

    Examples
    --------
    >>> plain_name("太 平 路"), plain_name("Ｎanjing Rd")
    ('太平路', 'nanjingrd')
    """
    return "".join(simplified(unicodedata.normalize("NFKC", name)).casefold().split())


def _has_name(network: Network, name: str) -> BoolArray:
    """Whether each admissible street has a name; raise where none has."""
    if "plain_street_names" not in network.kept:
        known = {text: plain_name(str(text)) for text in set(network.street_name.tolist())}
        network.kept["plain_street_names"] = np.array([known[text] for text in network.street_name], dtype=object)
    names = network.kept["plain_street_names"]
    found: BoolArray = (names == plain_name(name)) & network.is_street_admissible
    if not found.any():
        shown = {plain_name(str(text)): str(text) for text in set(network.street_name.tolist()) if text}
        near = difflib.get_close_matches(plain_name(name), sorted(shown), n=3, cutoff=0.5)
        hint = [shown[one] for one in near]
        en = f"no street of the map is called {name!r}"
        en += f"; is it {' or '.join(repr(one) for one in hint)}?" if hint else "."
        zh = f"路网中没有名为“{name}”的道路"
        zh += f"，是否为{'或'.join(f'“{one}”' for one in hint)}？" if hint else "。"
        msg = f"{en} Or draw it as a line."
        raise InputError(msg, zh=f"{zh}也可用线画出。")
    return found


def _between(network: Network, own: IntArray, name: str, begin: str, end: str) -> IntArray:
    """Return the pieces of a street that lead from a crossing with one street to one with another."""
    ahead = network.street_first
    ends = np.column_stack([network.tail[ahead], network.head[ahead]])
    met = []
    for other in (begin, end):
        nodes = np.intersect1d(ends[own], ends[_has_name(network, other)])
        if not nodes.size:
            meets = np.flatnonzero(np.isin(ends, ends[own]).any(axis=1) & ~np.isin(np.arange(len(ends)), own))
            known = sorted({str(text) for text in network.street_name[meets] if text})
            en = f"{name!r} and {other!r} do not meet on the map; it meets {', '.join(known) or 'no other name'}. "
            zh = f"路网中“{name}”与“{other}”没有相交；与它相交的有{'、'.join(known) or '（均无名）'}。"
            raise InputError(
                en + "Name one of these, or draw the street as a line.", zh=f"{zh}请改写路口，或用线画出。"
            )
        met.append(nodes)
    cuts = np.union1d(*met)
    piece = _pieces(ends[own], cuts)
    touches = [np.isin(ends[own], nodes).any(axis=1) for nodes in met]
    both = np.intersect1d(piece[touches[0]], piece[touches[1]])
    if not both.size:
        en = f"no piece of {name!r} leads from {begin!r} to {end!r} on the map. Draw it as a line."
        raise InputError(en, zh=f"路网中“{name}”在“{begin}”与“{end}”之间不相连。请用线画出。")
    return own[np.isin(piece, both)]


def _pieces(ends: IntArray, cuts: IntArray) -> IntArray:
    """Return the number of the piece of each street, where they hang together but at `cuts`."""
    nodes, at = np.unique(ends, return_inverse=True)
    at = at.reshape(ends.shape).astype(np.int64)
    is_cut = np.isin(nodes, cuts)[at]
    at[is_cut] = nodes.size + np.arange(int(is_cut.sum()))  # a node of its own for each street that ends there
    n = nodes.size + int(is_cut.sum())
    graph = coo_array((np.ones(len(at), dtype=np.int8), (at[:, 0], at[:, 1])), shape=(n, n))
    labels: IntArray = connected_components(graph, directed=False)[1][at[:, 0]].astype(np.int64)
    return labels


def _n_apart(lines: np.ndarray) -> int:
    """Return how many groups of lines lie apart."""
    i, j = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=APART_M)
    graph = coo_array((np.ones(i.size, dtype=np.int8), (i, j)), shape=(len(lines), len(lines)))
    return int(connected_components(graph, directed=False)[0])
