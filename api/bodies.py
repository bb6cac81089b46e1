"""What is sent: a content with its ETag, packed where the visitor can unpack it, 304 where she has it already."""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import cached_property
from http import HTTPStatus

from fastapi import Request, Response

#: shorter contents are sent as they are: packing gains nothing
LEAST_PACKED = 1000
#: a visitor may keep what is sent, but asks each time whether it still holds: a 304 costs next to nothing
CACHE_CONTROL = "no-cache"
_PACKABLE = re.compile(r"text/|application/(?:[^;]*\+)?json|application/vnd\.oai\.openapi\+json|image/svg")
_TAG = re.compile(r'(?:W/)?"([^"]*)"')


class Body:
    """
    A content that may be sent many times: its ETag and its packed form are each made once, when first wanted.

    Parameters
    ----------
    data
        The content.
    media_type
        Its type, as `Content-Type` says it.
    """

    def __init__(self, data: bytes, media_type: str) -> None:
        self.data = data
        self.media_type = media_type

    @cached_property
    def digest(self) -> str:
        """What stands for the content: the same bytes always have the same."""
        return hashlib.sha256(self.data).hexdigest()[:32]

    @cached_property
    def packed(self) -> bytes:
        """The content as gzip; the same each time."""
        return gzip.compress(self.data, compresslevel=6, mtime=0)

    @property
    def most_bytes(self) -> int:
        """How much memory it takes at most, packed form and all."""
        return 2 * len(self.data) if self.is_packable else len(self.data)

    def make_ready(self) -> None:
        """Make both now, so that no visitor waits for them."""
        _ = (self.digest, self.packed if self.is_packable else b"")

    @property
    def is_packable(self) -> bool:
        """Whether packing it makes it shorter; a picture is packed already."""
        return len(self.data) >= LEAST_PACKED and _PACKABLE.match(self.media_type) is not None


def answer(request: Request, body: Body, *, by_language: bool = False, lang: str | None = None) -> Response:
    """
    Answer with a content, or with 304 if the visitor says that she has it.

    Each form of the content, plain and packed, has a strong ETag of its own.

    Parameters
    ----------
    request
        Its `Accept-Encoding` and `If-None-Match` are looked at.
    body
        The content.
    by_language
        Whether the content hangs on `Accept-Language`.
    lang
        The language of the content, where it has one.
    """
    is_packed = body.is_packable and takes_gzip(request.headers.get("accept-encoding", ""))
    tag = f"{body.digest}-gzip" if is_packed else body.digest
    varies = [*(["Accept-Encoding"] if body.is_packable else []), *(["Accept-Language"] if by_language else [])]
    headers = {"ETag": f'"{tag}"', "Cache-Control": CACHE_CONTROL}
    if varies:
        headers["Vary"] = ", ".join(varies)
    if has_tag(request.headers.getlist("if-none-match"), tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if lang is not None:
        headers["Content-Language"] = lang
    if is_packed:
        headers["Content-Encoding"] = "gzip"
    return Response(body.packed if is_packed else body.data, media_type=body.media_type, headers=headers)


def takes_gzip(accepted: str) -> bool:
    """
    Return whether `Accept-Encoding` lets gzip through.

    Examples
    --------
    >>> [takes_gzip(text) for text in ("gzip, br", "*", "br;q=1, gzip;q=0", "identity", "")]
    [True, True, False, False, False]
    """
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, parameter = part.partition(";")
        weights[name.strip()] = _weight(parameter)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def has_tag(stated: list[str], tag: str) -> bool:
    """
    Return whether `If-None-Match` names an ETag, weak or strong, or all.

    Examples
    --------
    >>> has_tag(['"a", W/"b"'], "b"), has_tag(["*"], "b"), has_tag(['"a"'], "b"), has_tag([], "b")
    (True, True, False, False)
    """
    return any(text.strip() == "*" or tag in _TAG.findall(text) for text in stated)


def _weight(parameter: str) -> float:
    """Return the `q` of a coding: 1 where none is stated, 0 where it cannot be read."""
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
