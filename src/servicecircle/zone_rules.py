"""Rules for zones: how depots are assigned, how balanced zones are to be, how long a contact table is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from .errors import InputError

#: how a depot comes to a zone: the one that it stands in, that of the nearest post, or the least way with a limit
AssignBy = Literal["polygon", "nearest", "balanced"]
ASSIGN_BY: tuple[AssignBy, ...] = ("polygon", "nearest", "balanced")
#: most stations, or shops, in a list of the nearest
MAX_CONTACTS = 50


@dataclass(frozen=True)
class AssignRule:
    """How the depots of a study are assigned to its zones."""

    by: AssignBy = "polygon"
    limit: float | None = None  # most riders of a zone, for `balanced`; None: as even as whole riders allow
    split: bool = True  # riders of one depot may go to several zones, for `balanced`

    def __post_init__(self) -> None:
        if self.by not in ASSIGN_BY:
            msg = f"`by` must be one of {', '.join(ASSIGN_BY)}, got {self.by!r}."
            raise InputError(msg, zh=f"by 应为 {'、'.join(ASSIGN_BY)} 之一，现为 {self.by!r}。")
        if self.limit is not None and not (math.isfinite(self.limit) and self.limit > 0):
            msg = f"`limit` must be a number of riders above 0, got {self.limit!r}."
            raise InputError(msg, zh=f"limit 应为大于 0 的骑手数，现为 {self.limit!r}。")


@dataclass(frozen=True)
class BalanceRule:
    """How zones are balanced by riders."""

    tolerance: float = 0.1  # share of the mean by which a zone's riders may lie above or below it
    keep_minutes: float = 2.0  # what a change of zone has to save each of its riders, in minutes to the post
    within_minutes: float | None = None  # no block farther than this from the post of its zone; None: any

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance <= 1:
            msg = f"`tolerance` must be a share from 0 to 1, got {self.tolerance!r}."
            raise InputError(msg, zh=f"tolerance 应为 0 到 1 之间的比例，现为 {self.tolerance!r}。")
        if not (math.isfinite(self.keep_minutes) and self.keep_minutes >= 0):
            msg = f"`keep_minutes` must be minutes, 0 or more, got {self.keep_minutes!r}."
            raise InputError(msg, zh=f"keep_minutes 应为不小于 0 的分钟数，现为 {self.keep_minutes!r}。")
        if self.within_minutes is not None and not (math.isfinite(self.within_minutes) and self.within_minutes > 0):
            msg = f"`within_minutes` must be minutes above 0, got {self.within_minutes!r}."
            raise InputError(msg, zh=f"within_minutes 应为大于 0 的分钟数，现为 {self.within_minutes!r}。")


@dataclass(frozen=True)
class ContactRule:
    """How many of the nearest stations and shops a contact table lists, and what codes it draws."""

    stations: int = 3
    shops: int = 3
    qr: str = ""  # QR code of each place: `geo`, `ledger`, or an address with {lat} and {lon}; "": none
    qr_datum: str = ""  # of the coordinates in it; "": that of the service named in it, else wgs84

    def __post_init__(self) -> None:
        for name in ("stations", "shops"):
            n = getattr(self, name)
            if isinstance(n, bool) or not isinstance(n, int) or not 0 <= n <= MAX_CONTACTS:
                msg = f"`{name}` must be a whole number from 0 to {MAX_CONTACTS}, got {n!r}."
                raise InputError(msg, zh=f"{name} 应为 0 到 {MAX_CONTACTS} 的整数，现为 {n!r}。")
