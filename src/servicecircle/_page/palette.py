"""
Colours of the map page: one meaning a colour.

Blue is reached, orange to brown is riders not reached, crimson is what is proposed; the rest is quiet. The same
constants go to the style sheet (as custom properties) and to the script, so that there is one place to change, and
`tests/test_palette.py` measures their differences for normal and colour-blind sight.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: role -> colour; `_` becomes `-` in the style sheet
COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#F6F4EF",
        "print_paper": "#FAF9F6",
        "campus": "#F0ECE3",
        "green": "#E0E8D6",
        "pitch": "#D7E2CC",
        "water": "#B8D8D1",
        "water_line": "#86AEAB",
        "building": "#5B4E38",
        "street": "#FFFFFF",
        "casing": "#B9B1A1",
        "print_casing": "#A79F8F",
        "thin_street": "#D3CCBE",
        "footway": "#C4BBAA",
        "pedestrian": "#FBF8F0",
        "circle_line": "#1D4E89",
        "gap": "#7A3A06",
        "tag": "#FFFAF1",
        "tag_text": "#6B3205",
        "missed": "#DE8A2E",
        "missed_text": "#8A4A0C",
        "proposal": "#B0124A",
        "station": "#163E66",
        "shop": "#2A6CB0",
        "shop_text": "#35628F",
        "depot": "#3F4347",
        "candidate": "#6B6459",
        "night": "#5B2A86",
        "zone": "#8A8193",
        "zone_text": "#5E5668",
        "ink": "#1F2A33",
        "second": "#4A555F",
        "muted": "#66707A",
        "label": "#5F594D",
        "main_label": "#4B463C",
        "halo": "#FDFCF9",
        "card": "#FFFFFF",
        "rule": "#DEDAD1",
        "soft_rule": "#ECE9E2",
        "focus": "#1D4E89",
        "white": "#FFFFFF",
        "frame": "#8C8A84",
        "edge": "#A8A49A",
        "print_rule": "#C9C5BB",
        "shade": "#F1EFEA",
    }
)

#: riders not reached, four classes, few to many
MISSED = ("#FBE3BF", "#F5BE7C", "#DE8A2E", "#A05E14")
#: circles as they look on paper, the largest break first; two are the rule
TINTS = ("#D6E2EE", "#AEC8E7", "#7AA5D8", "#4A82C2")
#: share of a circle's own colour in what is seen
CIRCLE_ALPHA = 0.55
#: share of its own colours in a proposed place while today is shown
PALE = 0.5


def rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue (0 to 255) of `#RRGGBB`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(channels: list[float]) -> str:
    return "#" + "".join(f"{min(255, max(0, round(c))):02X}" for c in channels)


def mixed(over: str, under: str, alpha: float) -> str:
    """Return what is seen where `over`, at `alpha`, lies on `under`."""
    return _hex([alpha * a + (1 - alpha) * b for a, b in zip(rgb(over), rgb(under), strict=True)])


def circle_tints(n: int) -> tuple[str, ...]:
    """Return what `n` nested circles look like on paper, the largest first."""
    if n == 1:
        return (TINTS[1],)
    if n <= len(TINTS):
        return TINTS[:n]
    steps = [i / (n - 1) for i in range(n)]
    return tuple(mixed(TINTS[-1], TINTS[0], step) for step in steps)


def circle_fills(n: int, *, ground: str = COLOURS["paper"]) -> tuple[str, ...]:
    """Return the fills that, at `CIRCLE_ALPHA` one over the other on the ground, give `circle_tints(n)`."""
    fills, under = [], ground
    for tint in circle_tints(n):
        pairs = zip(rgb(tint), rgb(under), strict=True)
        fills.append(_hex([(seen - (1 - CIRCLE_ALPHA) * below) / CIRCLE_ALPHA for seen, below in pairs]))
        under = tint
    return tuple(fills)


def style_variables() -> str:
    """Return the colours, and how pale pale is, as one rule of custom properties."""
    lines = [f"--{role.replace('_', '-')}:{colour}" for role, colour in COLOURS.items()]
    return ":root{" + ";".join([*lines, f"--pale:{PALE}"]) + "}"
