"""Addresses in place of coordinates: what a study asks for, what a service answered, and the file that keeps it."""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast, get_args
from urllib.parse import urlsplit

from .datum import Datum
from .errors import InputError
from .headers import without_numbers
from .whole_files import make_folder, write_text

Service = Literal["nominatim", "baidu", "amap"]
SERVICES: tuple[Service, ...] = get_args(Service)
#: how exactly a point is known, the finest first
Quality = Literal["exact", "street", "area", "district", "ambiguous", "none"]
QUALITIES: tuple[Quality, ...] = get_args(Quality)
#: those that are a point at all, and may be accepted
ACCEPTED: tuple[Quality, ...] = QUALITIES[:4]
QUALITY_ZH: Mapping[Quality, str] = MappingProxyType(
    {
        "exact": "精确",
        "street": "道路",
        "area": "片区",
        "district": "区县",
        "ambiguous": "多处",
        "none": "未找到",
    }
)
#: of the points that each service gives
SERVICE_DATUM: Mapping[Service, Datum] = MappingProxyType({"nominatim": "wgs84", "baidu": "bd09", "amap": "gcj02"})
#: the servers that are asked if nobody says another
USUAL_HOST: Mapping[Service, str] = MappingProxyType(
    {
        "nominatim": "https://nominatim.openstreetmap.org",
        "baidu": "https://api.map.baidu.com",
        "amap": "https://restapi.amap.com",
    }
)
#: questions a second if the study does not say; the first is the rule of the public server
USUAL_RATE: Mapping[Service, float] = MappingProxyType({"nominatim": 1.0, "baidu": 3.0, "amap": 3.0})

#: beside study.toml
ANSWERS_FILE = "geocoded.json"
_FORMAT, _VERSION = "servicecircle geocoded addresses", 1
#: of the file; ten times that of 100,000 answers
MAX_BYTES = 400_000_000
#: of an address, and of a text that a service gave
MAX_ADDRESS, MAX_TEXT = 200, 200
MAX_PLACES = 99
_KEY = re.compile("[0-9a-f]{64}")
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]+")


@dataclass(frozen=True)
class GeocodeRule:
    """How a study wants addresses looked up: the service, where, in which city, and how exact is exact enough."""

    service: Service
    host: str = ""  # "": the usual server
    city: str = ""  # said with every address
    accept: Quality = "street"  # coarser matches are refused
    per_second: float = 0.0  # questions a second; 0: as usual

    @property
    def server(self) -> str:
        """Return the root of the server, with its scheme."""
        return self.host or USUAL_HOST[self.service]

    @property
    def rate(self) -> float:
        """Return the most questions a second."""
        return self.per_second or USUAL_RATE[self.service]

    def key_of(self, address: str) -> str:
        """Return the key under which the answer to an address is kept: a digest of all that is asked."""
        asked = json.dumps([self.service, self.host, self.city, address], ensure_ascii=False)
        return hashlib.sha256(asked.encode()).hexdigest()


@dataclass(frozen=True)
class AddressMatch:
    """What a service answered to an address; the point in the service's own datum."""

    quality: Quality
    lon: float | None = None  # degrees; None where there is no point
    lat: float | None = None
    level: str = ""  # the service's own word for how exact: 门牌号, place_rank 30
    confidence: str = ""  # the service's own figure, where it gives one
    matched: str = ""  # the address that the service took it for
    n_places: int = 1  # how many places fit; 2 or more where `ambiguous`

    def __post_init__(self) -> None:
        has_point = self.quality in ACCEPTED
        if self.quality not in QUALITIES or (has_point and not _is_place(self.lon, self.lat)):
            msg = f"no match: quality {self.quality!r}, point {self.lon!r}, {self.lat!r}."
            raise InputError(msg)


@dataclass(frozen=True)
class Addresses:
    """The rule of a study, and the answers that are kept beside it, by `GeocodeRule.key_of`."""

    rule: GeocodeRule
    answers: Mapping[str, AddressMatch]

    def match(self, address: str) -> AddressMatch | None:
        """Return the answer to an address; None where it was not asked yet."""
        return self.answers.get(self.rule.key_of(address))


def plain_address(cell: str) -> str:
    r"""
    Return an address as it is asked: half-width, one blank between words, without persons' numbers.

    Examples
    --------
    >>> plain_address(" 互助路２８号楼\n 电话13800138000 ")
    '互助路28号楼 电话'
    """
    text = unicodedata.normalize("NFKC", without_numbers(_UNSEEN.sub(" ", cell)))
    return " ".join(without_numbers(text).replace("***", " ").replace("|", " ").split())


def checked_host(text: str) -> str:
    """
    Return a server's root, `https://` where no scheme is said.

    Raises
    ------
    InputError
        If it is no plain http or https address of a server.

    Examples
    --------
    >>> checked_host("nominatim.example.org"), checked_host("http://10.0.0.5:8080/")
    ('https://nominatim.example.org', 'http://10.0.0.5:8080')
    """
    whole = text.strip() if "://" in text else f"https://{text.strip()}"
    try:
        parts = urlsplit(whole)
        is_plain = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_plain = False
    if (
        not is_plain
        or parts.scheme not in {"http", "https"}
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
        or not re.fullmatch(r"[\x21-\x7e]+", whole)
    ):
        msg = "must be the address of a server, e.g. https://nominatim.example.org, without a user or a query."
        raise InputError(msg, zh="应为服务器地址，如 https://nominatim.example.org，不含用户名和查询参数。")
    return whole.rstrip("/")


def read_answers(path: Path) -> tuple[dict[str, AddressMatch], tuple[str, str] | None]:
    """
    Read the kept answers; nothing in the file is trusted.

    Parameters
    ----------
    path
        The file of `write_answers`. None there is no answer, and no trouble.

    Returns
    -------
    answers
        By key: those that are whole.
    trouble
        What to tell of the rest, in English and Chinese; None where all is well.
    """
    try:
        if not path.exists():
            return {}, None
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return {}, ("is no file of kept answers and was not read.", "不是已查地址的结果文件，未读入。")
        content = json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=_refused)
    except (OSError, ValueError, RecursionError):
        return {}, (
            "cannot be read and counts as empty: its addresses have to be looked up again. Restore or delete it.",
            "无法读取，视为空文件：其中的地址需要重新查询。请恢复或删除该文件。",
        )
    if not isinstance(content, dict) or (content.get("format"), content.get("version")) != (_FORMAT, _VERSION):
        return {}, ("is no file of kept answers and was not read.", "不是已查地址的结果文件，未读入。")
    kept = content.get("answers")
    rows = kept if isinstance(kept, dict) else {}
    answers = {key: match for key, row in rows.items() if (match := _match(key, row)) is not None}
    if len(answers) == len(rows) and isinstance(kept, dict):
        return answers, None
    n = len(rows) - len(answers)
    return answers, (
        f"holds {n} answer(s) that cannot be and are left out: their addresses have to be looked up again.",
        f"有 {n} 条无效结果，已略去：相应地址需要重新查询。",
    )


def write_answers(path: Path, answers: Mapping[str, AddressMatch]) -> None:
    """
    Write the answers, whole or not at all, in the order of their keys; answers of the file that are not here stay.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    every = read_answers(path)[0] | dict(answers)
    rows = ",\n".join(
        f"{json.dumps(key)}: {json.dumps(asdict(every[key]), ensure_ascii=False, allow_nan=False)}"
        for key in sorted(every)
    )
    head = f'"format": {json.dumps(_FORMAT)}, "version": {_VERSION}'
    make_folder(path.parent)
    write_text(path, f'{{{head}, "answers": {{\n{rows}\n}}}}\n')


def plain_text(value: object) -> str:
    """Return a service's text in one short line without persons' numbers, "" where it is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return " ".join(without_numbers(_UNSEEN.sub(" ", str(value)[: 4 * MAX_TEXT])).split())[:MAX_TEXT]


def number_in(value: object) -> float:
    """Return a finite number that a service gave as a number or a text; `nan` where it is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return math.nan
    try:
        number = float(str(value)[:40])
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _match(key: str, row: Any) -> AddressMatch | None:  # noqa: ANN401
    if not _KEY.fullmatch(key) or not isinstance(row, dict) or row.get("quality") not in QUALITIES:
        return None
    lon, lat = number_in(row.get("lon")), number_in(row.get("lat"))
    has_point = _is_place(lon, lat)
    n_places = row.get("n_places", 1)
    try:
        return AddressMatch(
            cast("Quality", row["quality"]),
            lon=lon if has_point else None,
            lat=lat if has_point else None,
            level=plain_text(row.get("level")),
            confidence=plain_text(row.get("confidence")),
            matched=plain_text(row.get("matched")),
            n_places=min(max(int(n_places), 1), MAX_PLACES) if isinstance(n_places, int) else 1,
        )
    except InputError:
        return None


def _is_place(lon: float | None, lat: float | None) -> bool:
    if lon is None or lat is None or not (math.isfinite(lon) and math.isfinite(lat)):
        return False
    return abs(lon) <= 180 and abs(lat) <= 90 and (lon, lat) != (0.0, 0.0)  # noqa: PLR2004


def _refused(text: str) -> float:
    msg = f"{text} is no number of JSON"
    raise ValueError(msg)
