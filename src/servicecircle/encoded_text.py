"""
Bytes as text: in which encoding a file is written, told by rules or stated by the study.

The rules, in this order: a byte order mark decides; text with a NUL in every tenth byte is UTF-16; what is valid
UTF-8 is UTF-8; what is valid GB 18030 (GBK is a part of it) is that. A reading counts only where most of its
letters are everyday ones: what reads better in another encoding, or well in none, is refused until the study
states `encoding`. Nothing is replaced on the way.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .chinese import everyday_characters, simplified

#: what a study may state -> Python's name; the larger encoding stands for its parts
ENCODINGS: Mapping[str, str] = MappingProxyType(
    {
        "utf-8": "utf-8-sig",
        "gbk": "gb18030",
        "gb18030": "gb18030",
        "utf-16": "utf-16",
        "utf-16-le": "utf-16-le",
        "utf-16-be": "utf-16-be",
        "big5": "big5hkscs",
    }
)
_ALIASES = {"utf8": "utf-8", "utf8sig": "utf-8", "gb2312": "gbk", "cp936": "gbk", "936": "gbk", "ansi": "gbk"} | {
    "utf16": "utf-16", "utf16le": "utf-16-le", "utf16be": "utf-16-be", "cp950": "big5", "950": "big5",
    "ansi936": "gbk", "big5hkscs": "big5", "65001": "utf-8", "ansi950": "big5", "unicode": "utf-16",
}  # fmt: skip
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
#: a NUL in so many bytes or more is no slip: the text is in UTF-16
_NULS = 0.1
#: share of everyday letters in a reading that counts, and in one that makes another doubtful
_PLAUSIBLE, _SURE = 0.6, 0.75
_N_SHOWN = 20


@dataclass(frozen=True)
class Decoded:
    """A text, and the encoding of `ENCODINGS` that it was in."""

    text: str
    encoding: str


class EncodingError(ValueError):
    """Bytes that are no text by the rules; the message in English and Chinese, and the row where it is known."""

    def __init__(self, en: str, zh: str, *, row: int | None = None) -> None:
        super().__init__(en)
        self.en, self.zh, self.row = en, zh, row


def encoding_named(name: str) -> str | None:
    """
    Return the encoding of `ENCODINGS` that a name means, None where it means none.

    Examples
    --------
    >>> encoding_named("UTF8"), encoding_named("CP936"), encoding_named("ANSI 936"), encoding_named("klingon")
    ('utf-8', 'gbk', 'gbk', None)
    """
    plain = re.sub(r"[\s_\-]+", "", name.casefold())
    known = {re.sub("-", "", one): one for one in ENCODINGS}
    return known.get(plain) or _ALIASES.get(plain)


def decoded(data: bytes, *, encoding: str | None = None) -> Decoded:
    """
    Return the text of a file, without a byte order mark.

    Parameters
    ----------
    data
        All bytes of the file.
    encoding
        What the study states, of `ENCODINGS`; None where it says nothing and the rules above decide.

    Raises
    ------
    EncodingError
        If the bytes are no text in the stated encoding, or in none that the rules know; or if the rules cannot
        tell, with both readings in the message.
    """
    marked = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), None)
    if marked:
        mark, name = marked
        if encoding and ENCODINGS[encoding] not in {ENCODINGS[name], "utf-16" if "16" in name else ""}:
            en = f'begins with the mark of {name}, and study.toml says encoding = "{encoding}". Take that out.'
            raise EncodingError(en, f"文件开头标明是 {name}，而 study.toml 写的是 {encoding}。请删去 encoding。")
        return Decoded(_strict(data[len(mark) :], name), name)
    if encoding:
        return Decoded(_strict(data, encoding), encoding)
    if b"\x00" in data and (wide := _wide(data)):
        return wide
    return _eight_bits(data)


def _eight_bits(data: bytes) -> Decoded:
    """Return a text in UTF-8 or GB 18030."""
    utf8, gbk = _or_error(data, "utf-8"), _or_error(data, "gbk")
    if isinstance(utf8, str):
        if isinstance(gbk, str) and not utf8.isascii():
            share = share_everyday(gbk, alone=True)
            if share >= _SURE and share > share_everyday(utf8):
                raise _either(("utf-8", utf8), ("gbk", gbk))
        return Decoded(utf8, "utf-8")
    if not isinstance(gbk, str):
        raise _in_none(data, utf8 if utf8.start >= gbk.start else gbk)
    if (at := _utf8_line(data)) is not None:
        raise _in_both(data, at, utf8)
    share, big5 = share_everyday(gbk), _or_error(data, "big5")
    if isinstance(big5, str) and share_everyday(big5) > share:
        raise _either(("gbk", gbk), ("big5", big5))
    if share < _PLAUSIBLE:
        shown = _sample(gbk)
        en = f'is not in UTF-8, and in GBK it reads as “{shown}”. If that is right write `encoding = "gbk"`, else '
        zh = f'不是 UTF-8 编码；按 GBK 读作“{shown}”。若无误请写 encoding = "gbk"；否则'
        raise EncodingError(en + _SAVE[0], zh + _SAVE[1])
    return Decoded(gbk, "gbk" if _is_gbk(data) else "gb18030")


_SAVE = ("save it in Excel as `CSV UTF-8`, or as .xlsx.", "请在 Excel 中另存为“CSV UTF-8”或 .xlsx。")


def _is_gbk(data: bytes) -> bool:
    try:
        data.decode("gbk")
    except UnicodeDecodeError:
        return False
    return True


def _utf8_line(data: bytes) -> int | None:
    """Return where a line of a text in GBK begins that reads better as UTF-8, None where none does."""
    at = 0
    for line in data.splitlines(keepends=True):
        if not line.isascii():
            utf8, gbk = _or_error(line, "utf-8"), _or_error(line, "gbk")
            if isinstance(utf8, str) and (not isinstance(gbk, str) or share_everyday(utf8) > share_everyday(gbk)):
                return at
        at += len(line)
    return None


def _or_error(data: bytes, encoding: str) -> str | UnicodeDecodeError:
    try:
        return data.decode(ENCODINGS[encoding])
    except UnicodeDecodeError as error:
        return error


def _strict(data: bytes, encoding: str) -> str:
    text = _or_error(data, encoding)
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    row = _row_of(data, text, encoding)
    en = f"is not in {encoding} from this row on. Is it cut off, or put together of two files?"
    raise EncodingError(en, f"从这一行起不是 {encoding} 编码。文件是否被截断，或由两个文件拼成？", row=row)


def _in_none(data: bytes, error: UnicodeDecodeError) -> EncodingError:
    """Return the error of bytes that are valid in no encoding, at the row up to which the best of them went."""
    row = _row_of(data, error, "utf-8" if error.encoding.startswith("utf") else "gbk")
    en = "is not in UTF-8, nor in GBK, from this row on: it is cut off, damaged, or put together of two files. "
    zh = "从这一行起既不是 UTF-8 也不是 GBK 编码：文件可能被截断、损坏或由两个文件拼成。"
    return EncodingError(en + _SAVE[0][0].upper() + _SAVE[0][1:], zh + _SAVE[1], row=row)


def _in_both(data: bytes, at: int, error: UnicodeDecodeError) -> EncodingError:
    """Return the error of a text in GBK with a line of UTF-8 at `at`; `error` is where it ends to be UTF-8."""
    rows = [_row_of(data, UnicodeDecodeError("", data, one, one + 1, ""), "gbk") for one in (at, error.start)]
    en = f"is in two encodings: row {rows[0]} in UTF-8, row {rows[1]} in GBK. Open each part in its own, and put "
    zh = f"混有两种编码：第 {rows[0]} 行是 UTF-8，第 {rows[1]} 行是 GBK。请分别打开后合并，另存为 .xlsx。"
    return EncodingError(en + "them together in an .xlsx.", zh, row=max(rows))


def _either(one: tuple[str, str], other: tuple[str, str]) -> EncodingError:
    told = [f"“{_sample(text)}” in {name}" for name, text in (one, other)]
    told_zh = [f"按 {name} 读作“{_sample(text)}”" for name, text in (one, other)]
    en = f"can be read in two encodings: as {told[0]}, or as {told[1]}. Write the right one, e.g. "
    zh = f"可按两种编码读取：{told_zh[0]}，{told_zh[1]}。请写明正确的一种，如 "
    return EncodingError(f'{en}`encoding = "{other[0]}"`.', f'{zh}encoding = "{other[0]}"。')


def _sample(text: str) -> str:
    """Return the first letters of a reading that are not ASCII."""
    found = "".join(re.findall(r"[^\x00-\x7f]+", text[:100_000]))[:_N_SHOWN]
    return "".join(c if c.isprintable() else "·" for c in found)


def _row_of(data: bytes, error: UnicodeDecodeError, encoding: str) -> int:
    """Return the row of a CSV, or line of another text, in which a wrong byte stands."""
    before = data[: error.start].decode(ENCODINGS[encoding], errors="replace") + "x"
    try:
        return sum(1 for _ in csv.reader(io.StringIO(before, newline="")))
    except csv.Error:  # a cell that is too long
        return before.count("\n") + 1


def _wide(data: bytes) -> Decoded | None:
    """Return a text in UTF-16 without a mark, None where a few NULs stand in a text of another encoding."""
    if data.count(0) < _NULS * len(data) and isinstance(_or_error(data, "utf-8"), str):
        return None
    readings = [(name, _or_error(data, name)) for name in ("utf-16-le", "utf-16-be")]
    good = [
        (sum(map(text.count, "\n,;\t")), name, text)
        for name, text in readings
        if isinstance(text, str) and "\x00" not in text and share_everyday(text) >= _PLAUSIBLE
    ]
    if not good:
        row = _row_of(data, UnicodeDecodeError("utf-8", data, data.index(0), data.index(0) + 1, "NUL"), "utf-8")
        en = "holds NUL bytes and is not in UTF-16: it is damaged. Export it anew."
        raise EncodingError(en, "含有 NUL 字节，又不是 UTF-16 编码：文件已损坏，请重新导出。", row=row)
    _, name, text = max(good, key=lambda one: one[0])
    return Decoded(text, name)


def share_everyday(text: str, *, alone: bool = False) -> float:
    """
    Share of the letters beyond ASCII that are everyday Chinese characters, less common ones as half; 1 without any.

    With `alone` a letter beside an ASCII letter is none: the 枚 of `K枚ln` is an `ö`.

    Examples
    --------
    >>> share_everyday("编号,名稱"), share_everyday("驿站"), share_everyday("鍚嶇О") < 0.2
    (1.0, 0.75, True)
    >>> share_everyday("K枚ln", alone=True)
    0.0
    """
    if text.isascii():
        return 1.0
    if alone:
        text = re.sub("(?<=[A-Za-z])[^\x00-\x7f]|[^\x00-\x7f](?=[A-Za-z])", "\u0250", text)
    common, n, good = everyday_characters(), 0, 0.0
    for letter, count in Counter(text).items():
        if letter > "\x7f" and unicodedata.category(letter)[0] in "LMC":
            n += count
            good += count * common.get(simplified(letter), 0.0)
    return good / n if n else 1.0


# ------------------------------------------------------------------------------------------------------------- CSV
SEPARATORS = (",", ";", "\t")
_HEAD_ROWS = 30


def separator_of(text: str, is_header: Callable[[list[str]], bool] | None = None) -> str:
    r"""
    Return the separator of a CSV: comma, semicolon or tab.

    A first line `sep=;` states it. Else the first of them under which one of the first 30 rows is a header; else
    that which makes the most cells of the first row, and rows as wide.

    Examples
    --------
    >>> separator_of("a;b;c\n1,5;2;3\n"), separator_of("a\tb\n1\t2\n"), separator_of("a\n")
    (';', '\t', ',')
    """
    if stated := re.match(r"sep=([,;\t])\r?\n", text):
        return stated[1]
    heads = {sep: _head(text, sep) for sep in SEPARATORS}
    if is_header:
        for sep, rows in heads.items():
            if any(is_header(cells) for cells in rows):
                return sep
    return max(SEPARATORS, key=lambda sep: _fit(heads[sep]))


def _head(text: str, separator: str) -> list[list[str]]:
    try:
        reader = csv.reader(io.StringIO(text[:200_000], newline=""), delimiter=separator)
        return [cells for cells in itertools.islice(reader, _HEAD_ROWS) if any(cell.strip() for cell in cells)]
    except csv.Error:
        return []


def _fit(rows: list[list[str]]) -> tuple[int, int]:
    """Return how many rows are as wide as the widest common width, times that width; 0 for one column."""
    widths = Counter(len(cells) for cells in rows if len(cells) > 1)
    return max(((n * width, width) for width, n in widths.items()), default=(0, 0))
