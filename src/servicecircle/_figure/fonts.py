"""Fonts of a figure: by file, never by name, so that a character is drawn on every machine or told of."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._optional import import_optional
from .._page.words import WORDS
from ..errors import InputError, Lang, MissingPackageError

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

#: the extra that installs what figures need, and the package in it that carries fonts
EXTRA, FONT_PACKAGE = "report", "pylopdf_fonts_zh_cn"
#: what stands for a character that no font has: the mark that printers use for it, or the first that a font has
STAND_INS = "〓□?"
#: size at which widths are measured; they grow with the size
MEASURED_PT = 100.0
#: categories of Unicode that leave no mark, or break a line
_NO_MARK = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
_VARIATIONS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


class Face:
    """One font file: what it has, how wide it runs."""

    def __init__(self, path: Path) -> None:
        from matplotlib.font_manager import get_font

        self.path = str(path)
        self._font = get_font(self.path)
        self.characters: frozenset[int] = frozenset(self._font.get_charmap())
        self._widths: dict[str, float] = {}

    def has(self, text: str) -> bool:
        """Whether every character of a text can be drawn."""
        return all(ord(c) in self.characters for c in text)

    def width_pt(self, text: str, size: float) -> float:
        """Return how wide a line runs at a size, in points."""
        if text not in self._widths:
            from matplotlib.ft2font import LoadFlags

            self._font.set_size(MEASURED_PT, 72)
            self._font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
            self._widths[text] = self._font.get_width_height()[0] / 64 / MEASURED_PT
        return self._widths[text] * size

    def properties(self, size: float) -> FontProperties:
        """Return the font at a size, for matplotlib."""
        from matplotlib.font_manager import FontProperties

        return FontProperties(fname=self.path, size=size)


@lru_cache(maxsize=8)
def _face(path: str, _changed: int) -> Face:
    """Return a font file, read once; `_changed` tells a file that was replaced from what it was."""
    return Face(Path(path))


class Fonts:
    """The fonts of one figure: the user's, where one is given, then those of the package; and what none has."""

    def __init__(self, lang: Lang, font: str | Path | None = None) -> None:
        """
        Find and check the fonts.

        Raises
        ------
        MissingPackageError
            If there is neither a font nor the package that carries one.
        InputError
            If the font cannot be read, or lacks characters of the figure's own words.
        """
        import_optional("matplotlib", extra=EXTRA)
        self.missing: set[str] = set()
        own = [] if font is None else [_users_face(Path(font))]
        try:
            package: Any = import_optional(FONT_PACKAGE, extra=EXTRA)
        except MissingPackageError as error:
            if not own:
                msg = "Figures need a Chinese font: pip install 'servicecircle[report]', or give a `font` file."
                zh = "图件需要中文字体。请安装：pip install 'servicecircle[report]'，或用 font 指定字体文件。"
                raise MissingPackageError(msg, zh=zh) from error
            package = None
        carried = (
            [] if package is None else [_package_face(package.sans_path()), _package_face(package.serif_path())]
        )
        self._sans = own + carried[:1]
        self._serif = own + carried[1:]
        self._check_words(lang, font)

    def _check_words(self, lang: Lang, font: str | Path | None) -> None:
        column = 0 if lang == "zh" else 1
        needed = sorted({c for pair in WORDS.values() for c in pair[column] if c.isalpha()})
        lacking = [c for c in needed if not any(face.has(c) for face in self._sans)]
        if lacking:
            told = " ".join(lacking[:5])
            msg = f"`font` {str(font)!r} has no {told}. Give a font with Chinese characters, or none."
            raise InputError(msg, zh=f"字体“{font}”缺少汉字 {told} 等。请换用含汉字的字体，或不指定字体。")

    def fit(self, text: object, *, is_serif: bool = False) -> tuple[str, Face]:
        """
        Return a text as it can be drawn on one line, and the font for it.

        The first font that has all of it draws it; else the one that lacks least, with a stand-in for each
        character that it lacks, which is remembered in `missing`.
        """
        faces = self._serif if is_serif else self._sans
        line = plain_line(str(text))
        for face in faces:
            if face.has(line):
                return line, face
        face = min(faces, key=lambda face: sum(ord(c) not in face.characters for c in line))
        stand_in = next((c for c in STAND_INS if face.has(c)), "")
        self.missing |= {c for c in line if ord(c) not in face.characters}
        return "".join(c if ord(c) in face.characters else stand_in for c in line), face

    def width_pt(self, text: str, size: float) -> float:
        """Return how wide a line runs at a size, in points, as `fit` has it drawn."""
        line, face = self.fit(text)
        return face.width_pt(line, size)


def plain_line(text: str) -> str:
    """Return a text as one line without characters that leave no mark: breaks become spaces, the rest goes."""
    kept = []
    for c in text:
        if c.isspace():
            kept.append(" ")
        elif unicodedata.category(c) not in _NO_MARK and not any(ord(c) in block for block in _VARIATIONS):
            kept.append(c)
    return " ".join("".join(kept).split())


def _users_face(path: Path) -> Face:
    try:
        return _face(str(path.resolve(strict=True)), path.stat().st_mtime_ns)
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        msg = f"`font` {str(path)!r} cannot be read as a font: give the path of a .ttf, .otf or .ttc file."
        raise InputError(msg, zh=f"无法读取字体文件“{path}”。请给出 .ttf、.otf 或 .ttc 文件的路径。") from error


def _package_face(path: Path) -> Face:
    return _face(str(path), 0)
