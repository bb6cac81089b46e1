"""Names of files that every disk takes."""

from __future__ import annotations

import re

#: names that Windows keeps for its devices, whatever follows behind a dot
_DEVICES = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[\d¹²³]) *(?:\..*)?", re.IGNORECASE)


def is_device(name: str) -> bool:
    """Whether Windows keeps a name for a device."""
    return _DEVICES.fullmatch(name) is not None
