"""An office's letterhead: a `.docx` that is opened only after a look at what is in it."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

from ..errors import InputError

#: the largest letterhead, packed and unpacked, and the most parts
MAX_BYTES, MAX_UNPACKED, MAX_PARTS = 20_000_000, 100_000_000, 2_000
_MAIN = "word/document.xml"
_EXTERNAL = re.compile(rb"TargetMode\s*=\s*[\"']\s*External", re.IGNORECASE)
_HYPERLINK = re.compile(rb"<Relationship\b[^>]*/hyperlink[\"'][^>]*>", re.IGNORECASE)
_MACRO = re.compile(r"vbaProject|vbaData|activeX|embeddings/", re.IGNORECASE)
_NAMED = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def letterhead_bytes(path: str | Path) -> bytes:
    """
    Read a letterhead: its styles, headers, footers and page are those of the proposal.

    Parameters
    ----------
    path
        A `.docx` file; its own text is left out.

    Returns
    -------
    data
        The file.

    Raises
    ------
    InputError
        If it cannot be read, is no `.docx`, is larger than 20 MB or unpacks to more than 100 MB, holds macros,
        embedded objects or entities, or points to files elsewhere.
    """
    file = Path(path)
    if file.suffix.lower() != ".docx":
        raise _wrong(file, "must end in .docx (save it as Word document).", "须为 .docx（请另存为 Word 文档）。")
    try:
        if not file.is_file():
            raise _wrong(file, "is no file.", "不存在或不是文件。")
        if file.stat().st_size > MAX_BYTES:
            raise _wrong(file, "is larger than 20 MB.", "超过 20 MB。")
        data = file.read_bytes()
    except OSError as error:
        raise _wrong(file, f"cannot be read ({error.strerror}).", f"无法读取（{error.strerror}）。") from error
    _look_inside(file, data)
    return data


def _look_inside(file: Path, data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            parts = book.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise _wrong(file, "unpacks to more than 100 MB.", "解压后超过 100 MB。")
            names = {part.filename for part in parts}
            if _MAIN not in names or "[Content_Types].xml" not in names:
                raise _wrong(file, "is no Word document.", "不是 Word 文档。")
            if any(_MACRO.search(name) for name in names):
                en, zh = "holds macros or embedded objects: save it without them.", "含宏或嵌入对象，请去掉后另存。"
                raise _wrong(file, en, zh)
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    _look_at(file, part.filename, book.read(part))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise _wrong(file, "is broken, or has a password.", "已损坏或设有密码。") from error


def _look_at(file: Path, name: str, text: bytes) -> None:
    plain = text.replace(b"\x00", b"")
    if _NAMED.search(plain):
        raise _wrong(file, "holds XML entities.", "含 XML 实体。")
    if name.endswith(".rels") and _EXTERNAL.search(_HYPERLINK.sub(b"", plain)):
        en = "points to files elsewhere (linked pictures, an attached template): embed or remove them."
        raise _wrong(file, en, "引用了外部文件（链接的图片、附加模板），请改为嵌入或删除。")


def _wrong(file: Path, en: str, zh: str) -> InputError:
    return InputError(f"The letterhead {file.name!r} {en}", zh=f"信头模板“{file.name}”{zh}")
