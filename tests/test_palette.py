from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from servicecircle._page import palette
from servicecircle._page.palette import COLOURS, MISSED, TINTS

LEAST = 9.0
LEAST_WATER = 4.0
#: Machado, Oliveira and Fernandes (2009), severity 1, on linear light
SIGHTS = {
    "normal": np.eye(3),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])
PAPER = COLOURS["paper"]
DARKEST = MISSED[-1]
NEAR_IN_MEANING = [
    (PAPER, TINTS[0]),
    *itertools.pairwise(TINTS),
    (TINTS[0], MISSED[0]),
    (PAPER, MISSED[0]),
    *itertools.pairwise(MISSED),
    (COLOURS["proposal"], DARKEST),
    (COLOURS["proposal"], COLOURS["gap"]),
    (COLOURS["proposal"], COLOURS["station"]),
    (COLOURS["proposal"], COLOURS["circle_line"]),
    (COLOURS["gap"], COLOURS["circle_line"]),
]


def lab(colour: str, sight: np.ndarray) -> tuple[float, float, float]:
    encoded = np.array(palette.rgb(colour)) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(sight @ linear, 0, 1) / WHITE  # a screen shows no other light
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def ciede2000(one: tuple[float, float, float], two: tuple[float, float, float]) -> float:
    """Sharma, Wu and Dalal (2005), Color Research and Application 30, 21-30."""
    (l1, a1, b1), (l2, a2, b2) = one, two
    c7 = ((math.hypot(a1, b1) + math.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - math.sqrt(c7 / (c7 + 25**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = math.degrees(math.atan2(b1, a1)) % 360, math.degrees(math.atan2(b2, a2)) % 360
    step = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    dh = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(step) / 2)
    mean_h = h1 + h2 if c1 * c2 == 0 else (h1 + step / 2) % 360
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * math.cos(math.radians(mean_h - 30))
        + 0.24 * math.cos(math.radians(2 * mean_h))
        + 0.32 * math.cos(math.radians(3 * mean_h + 6))
        - 0.20 * math.cos(math.radians(4 * mean_h - 63))
    )
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / math.sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    turn = 60 * math.exp(-(((mean_h - 275) / 25) ** 2))
    r_t = -math.sin(math.radians(turn)) * 2 * math.sqrt(mean_c**7 / (mean_c**7 + 25**7))
    x, y, z = (l2 - l1) / s_l, (c2 - c1) / s_c, dh / s_h
    return math.sqrt(x * x + y * y + z * z + r_t * y * z)


def difference(one: str, two: str) -> float:
    """The least difference over normal sight and the three kinds of colour blindness."""
    return min(ciede2000(lab(one, sight), lab(two, sight)) for sight in SIGHTS.values())


def contrast(one: str, two: str) -> float:
    def luminance(colour: str) -> float:
        encoded = np.array(palette.rgb(colour)) / 255
        linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
        return float(np.array([0.2126, 0.7152, 0.0722]) @ linear)

    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_difference_is_that_of_the_published_pairs() -> None:
    # Sharma, Wu and Dalal (2005), table 1, pairs 1, 7, 13, 17 and 25
    published = [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, -0.001, 2.49), (50.0, 0.0011, -2.49), 4.7461),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ]
    for one, two, expected in published:
        assert ciede2000(one, two) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("one", "two"), NEAR_IN_MEANING)
def test_colours_of_different_meaning_differ_for_every_sight(one: str, two: str) -> None:
    assert difference(one, two) >= LEAST


@pytest.mark.parametrize("ground", [PAPER, *TINTS[:2], *MISSED[:2]])
def test_what_is_not_there_yet_is_seen_but_paler_than_what_is_proposed(ground: str) -> None:
    pale = palette.mixed(COLOURS["proposal"], ground, palette.PALE)
    assert difference(pale, ground) >= LEAST
    assert difference(pale, COLOURS["proposal"]) >= LEAST
    assert difference(pale, COLOURS["station"]) >= LEAST


@pytest.mark.parametrize("tint", TINTS[:2])
def test_water_differs_from_circles_for_every_sight(tint: str) -> None:
    assert difference(COLOURS["water"], tint) >= LEAST_WATER


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *(
            (COLOURS[role], COLOURS["card"])
            for role in ("ink", "second", "muted", "proposal", "station", "shop", "focus")
        ),
        (COLOURS["tag_text"], COLOURS["tag"]),
        (COLOURS["label"], COLOURS["halo"]),
        (COLOURS["main_label"], TINTS[1]),
        (COLOURS["zone_text"], COLOURS["halo"]),
        (COLOURS["missed_text"], COLOURS["card"]),
    ],
)
def test_text_is_readable_on_its_ground(text: str, ground: str) -> None:
    assert contrast(text, ground) >= 4.5


def test_lines_of_circles_stand_out_of_their_tint() -> None:
    assert contrast(COLOURS["circle_line"], TINTS[1]) >= 4.5
    assert contrast(COLOURS["circle_line"], TINTS[0]) >= 3.7


def test_greys_fall_from_paper_to_the_innermost_circle_and_along_the_classes() -> None:
    for scale in ((PAPER, *TINTS), MISSED):
        greys = [lab(colour, SIGHTS["normal"])[0] for colour in scale]
        assert greys == sorted(greys, reverse=True)


@pytest.mark.parametrize("n", range(1, 8))
def test_fills_laid_over_each_other_give_the_tints(n: int) -> None:
    tints, fills = palette.circle_tints(n), palette.circle_fills(n)
    assert len(tints) == len(fills) == n
    seen = PAPER
    for fill, tint in zip(fills, tints, strict=True):
        seen = palette.mixed(fill, seen, palette.CIRCLE_ALPHA)
        assert np.abs(np.subtract(palette.rgb(seen), palette.rgb(tint))).max() <= 2


def test_two_circles_have_the_measured_tints() -> None:
    assert palette.circle_tints(2) == ("#D6E2EE", "#AEC8E7")


def test_the_style_sheet_gets_every_colour() -> None:
    variables = palette.style_variables()
    assert all(f"--{role.replace('_', '-')}:{colour}" in variables for role, colour in COLOURS.items())
