"""QR codes as pictures: the same text gives the same bytes."""

from __future__ import annotations

import io
from dataclasses import dataclass

#: pixels of a module, and modules of the quiet border that the standard asks for
_SCALE, _BORDER = 6, 4


@dataclass(frozen=True)
class QrCode:
    """A QR code as a black and white PNG."""

    png: bytes
    pixels: int  # of each side


def qr_code(text: str) -> QrCode:
    """Return the QR code of a text, in UTF-8, that stands a blot on 15 % of it."""
    import segno

    is_plain = text.isascii()  # else the code says that it is UTF-8: readers would guess, and some wrongly
    code = segno.make_qr(text, error="m", encoding=None if is_plain else "utf-8", eci=not is_plain)
    stream = io.BytesIO()
    code.save(stream, kind="png", scale=_SCALE, border=_BORDER)
    return QrCode(stream.getvalue(), int(code.symbol_size(_SCALE, _BORDER)[0]))
