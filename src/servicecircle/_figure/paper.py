"""The sheet: a page in millimetres on which texts, lines and areas are put, and its bytes, the same each run."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from .._page.palette import COLOURS
from .._validate import FloatArray, GeometryArray
from .fonts import Fonts

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path

MM_PER_INCH = 25.4
PT_PER_MM = 72 / MM_PER_INCH
DPI = 300
Format = Literal["png", "svg", "pdf"]
FORMATS: tuple[Format, ...] = ("png", "svg", "pdf")
#: what a file would say of the time and the program that made it
_METADATA: Mapping[str, Mapping[str, None]] = MappingProxyType(
    {
        "png": {"Software": None},
        "svg": {"Date": None, "Creator": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
)
#: matplotlib as it comes, whatever its user has set, but for what is printed here
_SETTINGS: Mapping[str, Any] = MappingProxyType(
    {
        "svg.hashsalt": "servicecircle",
        "svg.fonttype": "path",  # no viewer needs the font
        "pdf.fonttype": 3,  # fonts of outlines like Noto's are embedded so that every viewer draws and finds them
        "text.hinting": "no_hinting",  # letters run as wide on screen as on paper
        "path.simplify": False,
    }
)
#: matplotlib's settings belong to the whole process
_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def as_it_comes() -> Iterator[None]:
    """Let matplotlib draw with its own defaults and the settings of this project."""
    import matplotlib as mpl

    with _ONE_AT_A_TIME, mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)  # type: ignore[arg-type]
        yield


class Sheet:
    """A page; places in millimetres from its lower left corner, sizes of type and widths of lines in points."""

    def __init__(self, width: float, height: float, fonts: Fonts) -> None:
        from matplotlib.figure import Figure

        self.width, self.height, self.fonts = width, height, fonts
        self._figure = Figure(figsize=(width / MM_PER_INCH, height / MM_PER_INCH), dpi=DPI, facecolor="white")
        self._axes = self._figure.add_axes((0, 0, 1, 1))
        self._axes.set_xlim(0, width)
        self._axes.set_ylim(0, height)
        self._axes.axis("off")
        self._clip: Any = None
        self._z = 0.0
        self.texts: list[str] = []  # all that was put on it, as drawn

    def bytes(self, file_format: Format, *, dpi: int = DPI) -> bytes:
        """Return the page as a file; `dpi` is that of its pixels."""
        stream = io.BytesIO()
        self._figure.savefig(stream, format=file_format, dpi=dpi, metadata=dict(_METADATA[file_format]))
        return stream.getvalue()

    @contextmanager
    def clipped(self, box: tuple[float, float, float, float]) -> Iterator[None]:
        """Let what is put now end at a box (west, south, east, north)."""
        from matplotlib.patches import Rectangle

        west, south, east, north = box
        frame = Rectangle((west, south), east - west, north - south, transform=self._axes.transData)
        self._clip = frame
        try:
            yield
        finally:
            self._clip = None

    # ------------------------------------------------------------------------------------------------ shapes
    def area(self, shape: BaseGeometry, fill: str | None = None, *, alpha: float = 1.0, **line: Any) -> None:  # noqa: ANN401
        """Put an area (a polygon or several), filled, with an outline, or both: `colour`, `width`, `dash`..."""
        path = _polygon_path(shape)
        if path is not None:
            self.path(path, fill, alpha=alpha, **line)

    def path(
        self,
        path: Path,
        fill: str | None = None,
        *,
        alpha: float = 1.0,
        colour: str | None = None,
        width: float = 0.0,
        line_alpha: float = 1.0,
        dash: Sequence[float] | None = None,
        cap: Literal["butt", "round"] = "butt",
    ) -> None:
        """Put a path of matplotlib."""
        from matplotlib.colors import to_rgba
        from matplotlib.patches import PathPatch

        patch = PathPatch(
            path,
            facecolor="none" if fill is None else to_rgba(fill, alpha),
            edgecolor="none" if colour is None else to_rgba(colour, line_alpha),
            linewidth=width if colour is not None else 0.0,
            linestyle="-" if dash is None else (0, tuple(d / max(width, 1e-9) for d in dash)),
            joinstyle="round",
            capstyle=cap,
        )
        self._add(patch)

    def box(
        self,
        west: float,
        south: float,
        east: float,
        north: float,
        fill: str | None = None,
        **more: Any,  # noqa: ANN401
    ) -> None:
        """Put a rectangle."""
        self.area(shapely.box(west, south, east, north), fill, **more)

    def disc(self, x: float, y: float, radius: float, fill: str | None = None, **more: Any) -> None:  # noqa: ANN401
        """Put a disc."""
        from matplotlib.path import Path

        self.path(Path.circle((x, y), radius), fill, **more)

    def lines(self, lines: Sequence[FloatArray], colour: str, width: float, **more: Any) -> None:  # noqa: ANN401
        """Put lines, each an array of places."""
        path = _line_path(lines)
        if path is not None:
            self.path(path, colour=colour, width=width, **more)

    def _add(self, patch: Any) -> None:  # noqa: ANN401
        self._z += 1
        patch.set_zorder(self._z)
        self._axes.add_artist(patch)  # not `add_patch`, which measures each
        patch.set_clip_on(self._clip is not None)
        if self._clip is not None:
            patch.set_clip_path(self._clip)

    # ------------------------------------------------------------------------------------------------- texts
    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: str = COLOURS["ink"],
        *,
        across: Literal["left", "center", "right"] = "left",
        bold: float = 0.0,
        halo: float = 0.0,
        turn: float = 0.0,
        is_serif: bool = False,
        is_stacked: bool = False,
    ) -> float:
        """
        Put one line of text, its middle at height `y`; return how wide it runs (mm).

        `bold` is a stroke in the text's own colour, `halo` one in the colour of paper behind it (points). A stacked
        text has one character under the other.
        """
        line, face = self.fonts.fit(text, is_serif=is_serif)
        if not line:
            return 0.0
        self.texts.append(line)
        shown = "\n".join(line) if is_stacked else line
        for stroke, stroke_colour in ((halo, COLOURS["halo"]), (bold, colour)):
            if stroke:
                self._letters((x, y), shown, stroke_colour, face.properties(size), across, turn=turn, stroke=stroke)
        self._letters((x, y), shown, colour, face.properties(size), across, turn=turn)
        return face.width_pt(line, size) / PT_PER_MM

    def _letters(
        self,
        at: tuple[float, float],
        text: str,
        colour: str,
        font: FontProperties,
        across: str,
        *,
        turn: float,
        stroke: float = 0.0,
    ) -> None:
        """Put letters, or the stroke around them: apart, since a text with effects is no text in a PDF."""
        from matplotlib.patheffects import Stroke

        self._z += 1
        letters = self._axes.text(
            *at,
            text,
            color=colour,
            fontproperties=font,
            ha=across,
            va="center" if turn or "\n" in text else "center_baseline",
            rotation=turn,
            linespacing=1.0,
            multialignment="center",
            parse_math=False,
            zorder=self._z,
        )
        if stroke:
            letters.set_path_effects([Stroke(linewidth=stroke, foreground=colour, joinstyle="round")])


def _polygon_path(shape: BaseGeometry) -> Path | None:
    """Return polygons as one path: outer rings one way, holes the other."""
    from matplotlib.path import Path

    parts = parts_of(shape)
    polygons = parts[(shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)]
    if not len(polygons):
        return None
    rings = shapely.get_rings(shapely.orient_polygons(polygons))
    coordinates, which = shapely.get_coordinates(rings, return_index=True)
    codes = np.full(len(coordinates), Path.LINETO, dtype=Path.code_type)
    first = np.r_[True, which[1:] != which[:-1]]
    codes[first] = Path.MOVETO
    codes[np.r_[first[1:], True]] = Path.CLOSEPOLY
    return Path(coordinates, codes)


def _line_path(lines: Sequence[FloatArray]) -> Path | None:
    from matplotlib.path import Path

    there = [line for line in lines if len(line) > 1]
    if not there:
        return None
    codes = np.full(sum(map(len, there)), Path.LINETO, dtype=Path.code_type)
    codes[np.cumsum([0, *map(len, there[:-1])])] = Path.MOVETO
    return Path(np.concatenate(there), codes)


def gathered(shapes: Iterable[BaseGeometry]) -> BaseGeometry:
    """Return shapes as one, not merged."""
    return shapely.GeometryCollection(list(shapes))


def coordinates_of(lines: Iterable[BaseGeometry]) -> list[FloatArray]:
    """Return the places of each line of some geometries."""
    parts = parts_of(gathered(lines))
    return [np.asarray(shapely.get_coordinates(part), dtype=np.float64) for part in parts]


def parts_of(shape: BaseGeometry) -> GeometryArray:
    """Return the single shapes in a geometry, however deep they stand."""
    parts = shapely.get_parts(np.array([shape], dtype=object))
    while (shapely.get_type_id(parts) > shapely.GeometryType.POLYGON).any():
        parts = shapely.get_parts(parts)
    return np.asarray(parts, dtype=object)
