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

    if text.isascii():
        code = segno.make_qr(text, error="m")
    else:  # as bytes that say they are UTF-8: some look like Shift JIS, to segno and to readers that guess
        code = segno.make_qr(text, error="m", mode="byte", encoding="utf-8", eci=True)
    stream = io.BytesIO()
    code.save(stream, kind="png", scale=_SCALE, border=_BORDER)
    return QrCode(stream.getvalue(), int(code.symbol_size(_SCALE, _BORDER)[0]))
