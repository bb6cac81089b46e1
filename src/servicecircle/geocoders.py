"""Services that look addresses up, through geopy: an address in, a match out, never a hang, no key shown."""

from __future__ import annotations

import json
import math
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from geopy import exc
from geopy.adapters import AdapterHTTPError, BaseSyncAdapter
from geopy.geocoders import BaiduV3, Nominatim
from geopy.geocoders.base import Geocoder

from .addresses import AddressMatch, GeocodeRule, Quality, number_in, plain_text

T = TypeVar("T")

#: seconds for one answer, look-up of the name and reading included; bytes of an answer
TIMEOUT_S = 15.0
MAX_ANSWER_BYTES = 1_000_000
#: answers of one quality farther apart than this are different places (metres)
_APART_M: Mapping[Quality, float] = MappingProxyType(
    {"exact": 500.0, "street": 3000.0, "area": 5000.0, "district": 50_000.0}
)
#: Nominatim: place_rank of houses and points, of streets, of neighbourhoods and villages; below are districts
_HOUSE_RANK, _STREET_RANK, _AREA_RANK = 28, 26, 19
#: Baidu: figure of confidence that means an error below 100 m, 500 m, 2 km
_BAIDU_CONFIDENCE: tuple[tuple[int, Quality], ...] = ((80, "exact"), (60, "street"), (40, "area"))
#: words of Baidu and Amap for what was matched; all others are points
_LEVELS: Mapping[str, Quality] = MappingProxyType(
    {
        **dict.fromkeys(
            ("国家", "省", "省份", "市", "城市", "区县", "开发区", "乡镇", "未知", "UNKNOWN", ""), "district"
        ),
        **dict.fromkeys(("村庄", "商圈", "热点商圈", "工业园区"), "area"),
        **dict.fromkeys(("道路", "交通线", "桥"), "street"),
    }
)
#: what a status number of Baidu means; those from 200 to 299 are about the key
_BAIDU_KEY = frozenset([3, 5, 101, 102, *range(200, 300)])
_BAIDU_QUOTA, _BAIDU_BUSY = frozenset([4, 301, 302]), frozenset([401, 402])
#: not known, or not understood: an answer about the address
_BAIDU_NONE = frozenset([1, 2])
_AMAP_KEY = frozenset(
    ["10001", "10002", "10005", "10006", "10007", "10008", "10009", "10010", "10011", "10012", "10013", "10026"]
)
_AMAP_QUOTA = frozenset(["10003", "10044", "10045", "40000", "40001", "40002", "40003"])
_AMAP_BUSY = frozenset(["10004", "10014", "10015", "10016", "10017", "10019", "10020", "10021", "10022", "10029"])
_AMAP_NONE = frozenset(["20000", "20001", "20012", "30000", "30001", "30002", "30003"])


class ServiceTroubleError(Exception):
    """A service gave no answer: what is told of it, and whether asking again may help."""

    def __init__(self, en: str, zh: str, *, may_pass: bool = False, wait_s: float | None = None) -> None:
        super().__init__(en)
        self.en, self.zh, self.may_pass, self.wait_s = en, zh, may_pass, wait_s


def asker_of(rule: GeocodeRule, *, key: str, server: str, agent: str) -> Callable[[str], AddressMatch]:
    """
    Return the function that looks one address up.

    Parameters
    ----------
    rule
        The service, and the city that is said with every address.
    key
        The user's key; "" for Nominatim, which has none.
    server
        Root of the server, with its scheme.
    agent
        What this program calls itself.

    Returns
    -------
    ask
        Takes an address, returns the match; raises `ServiceTroubleError` where there is no answer.
    """
    parts = urlsplit(server)
    usual: dict[str, Any] = {
        "scheme": parts.scheme,
        "timeout": TIMEOUT_S,
        "user_agent": agent,
        "adapter_factory": _Adapter,
    }
    root = server.rstrip("/")
    if rule.service == "nominatim":
        nominatim = _Nominatim(domain=root.split("://")[1], **usual)
        return lambda address: _asked(lambda: nominatim.match(address, rule.city), has_key=False)
    service = _Baidu(key, **usual) if rule.service == "baidu" else _Amap(key, **usual)
    service.api = root + service.api_path
    return lambda address: _asked(lambda: service.match(address, rule.city))


# ----------------------------------------------------------------------------------------------------- services
class _Nominatim(Nominatim):  # type: ignore[misc]  # geopy has no types
    """OpenStreetMap's, or a server of one's own."""

    def match(self, address: str, city: str) -> AddressMatch:
        query = address if city in address else f"{city}{address}"
        return _best(self.geocode(query, exactly_one=False, limit=5, language="zh"))

    def _parse_json(self, page: Any, exactly_one: bool) -> list[AddressMatch]:  # noqa: ANN401, ARG002
        if not isinstance(page, list):
            raise _odd()
        return _whole([_nominatim_match(row) for row in page[:20] if isinstance(row, dict)], page)


class _Baidu(BaiduV3):  # type: ignore[misc]
    """Baidu's third version; its own `geocode` would log the key."""

    def match(self, address: str, city: str) -> AddressMatch:
        params = {"ak": self.api_key, "output": "json", "address": address, **({"city": city} if city else {})}
        return _best(self._call_geocoder(self._construct_url(self.api, self.api_path, params), self._parse_json))

    def _parse_json(self, page: Any, exactly_one: bool = True) -> list[AddressMatch]:  # noqa: ANN401, ARG002
        if not isinstance(page, dict):
            raise _odd()
        status = _code(page.get("status"))
        result = page.get("result")
        if status != "0":
            known = int(status) if status.isdigit() else -1
            if known in _BAIDU_NONE:
                return []
            raise _trouble_of(
                status, known in _BAIDU_KEY, is_quota=known in _BAIDU_QUOTA, is_busy=known in _BAIDU_BUSY
            )
        if not result:
            return []
        return _whole([_baidu_match(result)] if isinstance(result, dict) else [], result)


class _Amap(Geocoder):  # type: ignore[misc]
    """Amap (Gaode), which geopy does not know, on geopy's machinery."""

    api_path = "/v3/geocode/geo"

    def __init__(self, api_key: str, **usual: Any) -> None:  # noqa: ANN401
        super().__init__(**usual)
        self.api_key = api_key
        self.api = ""

    def match(self, address: str, city: str) -> AddressMatch:
        params = {"key": self.api_key, "output": "JSON", "address": address, **({"city": city} if city else {})}
        return _best(self._call_geocoder(f"{self.api}?{urlencode(params)}", self._parse_json))

    def _parse_json(self, page: Any) -> list[AddressMatch]:  # noqa: ANN401
        if not isinstance(page, dict):
            raise _odd()
        code = _code(page.get("infocode"))
        if _code(page.get("status")) != "1":
            if code in _AMAP_NONE:
                return []
            raise _trouble_of(code, code in _AMAP_KEY, is_quota=code in _AMAP_QUOTA, is_busy=code in _AMAP_BUSY)
        rows = page.get("geocodes")
        if not isinstance(rows, list):
            raise _odd()
        return _whole([_amap_match(row) for row in rows[:20] if isinstance(row, dict)], rows)


# ------------------------------------------------------------------------------------------------------ matches
def _nominatim_match(row: Mapping[str, Any]) -> AddressMatch | None:
    rank = number_in(row.get("place_rank"))
    quality: Quality = "district"
    if math.isfinite(rank):
        ranks: tuple[tuple[int, Quality], ...] = (
            (_HOUSE_RANK, "exact"),
            (_STREET_RANK, "street"),
            (_AREA_RANK, "area"),
        )
        quality = next((q for least, q in ranks if rank >= least), "district")
    elif row.get("class") in {"building", "amenity", "shop", "office", "tourism", "leisure"}:
        quality = "exact"
    elif row.get("class") == "highway":
        quality = "street"
    kind = plain_text(row.get("addresstype") or row.get("type"))
    level = f"place_rank {rank:.0f} {kind}".strip() if math.isfinite(rank) else kind
    importance = number_in(row.get("importance"))
    told = f"importance {importance:.3g}" if math.isfinite(importance) else ""
    matched = plain_text(row.get("display_name"))
    return _match(quality, row.get("lon"), row.get("lat"), level=level, confidence=told, matched=matched)


def _baidu_match(row: Mapping[str, Any]) -> AddressMatch | None:
    place = row.get("location")
    if not isinstance(place, dict):
        return None
    level, confidence = plain_text(row.get("level")), number_in(row.get("confidence"))
    by_figure: Quality = next((q for least, q in _BAIDU_CONFIDENCE if confidence >= least), "district")
    if _code(row.get("precise")) == "1":
        by_figure = "exact"
    quality = max(by_figure, _LEVELS.get(level, "exact"), key=list(_APART_M).index)
    figures = [f"{name} {number_in(row.get(name)):.0f}" for name in ("confidence", "comprehension") if name in row]
    told = ", ".join([f"precise {_code(row.get('precise'))}", *figures])
    return _match(quality, place.get("lng"), place.get("lat"), level=level, confidence=told, matched="")


def _amap_match(row: Mapping[str, Any]) -> AddressMatch | None:
    lon, _, lat = plain_text(row.get("location")).partition(",")
    level = plain_text(row.get("level"))
    matched = plain_text(row.get("formatted_address"))
    return _match(_LEVELS.get(level, "exact"), lon, lat, level=level, confidence="", matched=matched)


def _match(
    quality: Quality, lon: object, lat: object, *, level: str, confidence: str, matched: str
) -> AddressMatch | None:
    """Return a match, None where its point is none."""
    x, y = number_in(lon), number_in(lat)
    if not (abs(x) <= 180 and abs(y) <= 90) or (x, y) == (0.0, 0.0):  # noqa: PLR2004
        return None
    return AddressMatch(quality, x, y, level=level, confidence=confidence, matched=matched)


def _whole(matches: Sequence[AddressMatch | None], given: object) -> list[AddressMatch]:
    """Return the matches that are whole; if something was given and none is, it is no answer."""
    whole = [match for match in matches if match is not None]
    if given and not whole:
        raise _odd()
    return whole


def _best(matches: Sequence[AddressMatch] | None) -> AddressMatch:
    """Return the first of the finest matches; `ambiguous` where others as fine lie elsewhere, `none` of none."""
    if not matches:
        return AddressMatch("none")
    order = list(_APART_M)
    finest = min((match.quality for match in matches), key=order.index)
    alike = [match for match in matches if match.quality == finest]
    first = alike[0]
    apart = [match for match in alike[1:] if _metres(first, match) > _APART_M[finest]]
    if not apart:
        return first
    told = " / ".join(match.matched for match in (first, *apart) if match.matched)
    return AddressMatch("ambiguous", matched=plain_text(told), n_places=1 + len(apart))


def _metres(a: AddressMatch, b: AddressMatch) -> float:
    ax, ay, bx, by = (math.radians(v or 0.0) for v in (a.lon, a.lat, b.lon, b.lat))
    half = math.sin((by - ay) / 2) ** 2 + math.cos(ay) * math.cos(by) * math.sin((bx - ax) / 2) ** 2
    return 2 * 6_371_000.0 * math.asin(min(1.0, math.sqrt(half)))


def _code(value: object) -> str:
    """Return a status as digits, "?" where it is none: nothing else of an error's text is shown."""
    text = str(value)[:12] if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() else "?"


# ------------------------------------------------------------------------------------------------------ trouble
def _asked(ask: Callable[[], AddressMatch], *, has_key: bool = True) -> AddressMatch:
    """Ask once; whatever goes wrong becomes a trouble that shows neither the key nor the question."""
    try:
        return ask()
    except ServiceTroubleError:
        raise
    except exc.GeocoderRateLimited as error:
        raise _busy(429, error.retry_after) from None
    except exc.GeocoderTimedOut:
        en, zh = f"did not answer within {TIMEOUT_S:g} s", f"在 {TIMEOUT_S:g} 秒内没有回答"
        raise ServiceTroubleError(en, zh, may_pass=True) from None
    except exc.GeocoderUnavailable as error:
        en, zh = f"cannot be reached ({error}): is this machine online?", f"连接不上（{error}），请检查网络"
        raise ServiceTroubleError(en, zh) from None
    except (exc.GeocoderAuthenticationFailure, exc.GeocoderInsufficientPrivileges):
        raise (_refused_key(403) if has_key else _blocked()) from None
    except exc.GeocoderQuotaExceeded:
        raise _no_quota(402) from None
    except exc.GeocoderServiceError as error:
        status = _status_of(error)
        if status is not None and status >= 500:  # noqa: PLR2004
            raise _busy(status) from None
        raise _odd(f" ({status})" if status else "") from None
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError):
        raise _odd() from None


def _status_of(error: BaseException) -> int | None:
    cause = error.__cause__
    return cause.status_code if isinstance(cause, AdapterHTTPError) else None


def _trouble_of(code: str, is_key: bool, *, is_quota: bool, is_busy: bool) -> ServiceTroubleError:
    if is_key:
        return _refused_key(code)
    if is_quota:
        return _no_quota(code)
    return _busy(code) if is_busy else _odd(f" ({code})")


def _refused_key(code: str | int) -> ServiceTroubleError:
    en = f"refused the key (status {code}): is it right, of the kind Web service, and allowed from this address?"
    return ServiceTroubleError(
        en, f"拒绝了密钥（状态 {code}）：请核对密钥是否正确、是否为“Web 服务”类型、IP 白名单是否包含本机"
    )


def _blocked() -> ServiceTroubleError:
    en = "refused to answer (status 403): it shuts out who asks too much or against its rules"
    return ServiceTroubleError(en, "拒绝回答（状态 403）：查询过多或不合其规定者会被拒绝")


def _no_quota(code: str | int) -> ServiceTroubleError:
    return ServiceTroubleError(
        f"says that the quota of the key is used up (status {code})", f"表示密钥的配额已用完（状态 {code}）"
    )


def _busy(code: str | int, wait_s: float | None = None) -> ServiceTroubleError:
    en, zh = f"is busy, or is asked too often (status {code})", f"繁忙，或查询过于频繁（状态 {code}）"
    return ServiceTroubleError(en, zh, may_pass=True, wait_s=wait_s)


def _odd(code: str = "") -> ServiceTroubleError:
    en, zh = f"gave an answer that cannot be read{code}", f"给出的回答无法解读{code}"
    return ServiceTroubleError(en, zh, may_pass=True)


# --------------------------------------------------------------------------------------------------------- HTTP
class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A key does not follow wherever a server points."""

    def redirect_request(self, *_arguments: Any) -> None:  # noqa: ANN401
        return None


class _Adapter(BaseSyncAdapter):  # type: ignore[misc]
    """HTTP for geopy with an end to everything: time, size, redirects; it logs nothing."""

    def __init__(self, *, proxies: Any, ssl_context: Any) -> None:  # noqa: ANN401
        super().__init__(proxies=proxies, ssl_context=ssl_context)
        self._opener = urllib.request.build_opener(
            _NoRedirect, urllib.request.HTTPSHandler(context=ssl_context), urllib.request.ProxyHandler(proxies)
        )

    def get_json(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> Any:  # noqa: ANN401
        return json.loads(self.get_text(url, timeout=timeout, headers=headers))

    def get_text(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> str:
        return _within(timeout, lambda: self._read(url, timeout, headers)).decode("utf-8-sig")

    def _read(self, url: str, timeout: float, headers: Mapping[str, str]) -> bytes:
        ends = time.monotonic() + timeout
        try:
            with self._opener.open(urllib.request.Request(url, headers=dict(headers)), timeout=timeout) as page:
                read = bytearray()
                while (part := page.read1(65536)) and len(read) <= MAX_ANSWER_BYTES:
                    read += part
                    if time.monotonic() > ends:
                        raise TimeoutError
        except urllib.error.HTTPError as error:
            error.close()
            told = {name.lower(): value for name, value in error.headers.items()}
            msg = "HTTP error"
            raise AdapterHTTPError(msg, status_code=error.code, headers=told, text="") from None
        except TimeoutError:
            raise exc.GeocoderTimedOut from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise exc.GeocoderTimedOut from None
            raise exc.GeocoderUnavailable(_reason(error.reason)) from None
        except HTTPException:
            raise exc.GeocoderParseError from None
        except OSError as error:
            raise exc.GeocoderUnavailable(_reason(error)) from None
        if len(read) > MAX_ANSWER_BYTES:
            raise exc.GeocoderParseError
        return bytes(read)


def _reason(error: object) -> str:
    """Return why there is no connection, without any address in it."""
    return (getattr(error, "strerror", None) or type(error).__name__) if isinstance(error, OSError) else "no answer"


def _within(seconds: float, work: Callable[[], T]) -> T:
    """Do `work` aside and wait so long: looking up a name, or headers that trickle, have no end of their own."""
    done: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put((work(), None))
        except Exception as error:  # it is raised again where it is waited for
            done.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        made, error = done.get(timeout=seconds + 1.0)
    except queue.Empty:
        raise exc.GeocoderTimedOut from None
    if error is not None:
        raise error
    return made  # type: ignore[return-value]
