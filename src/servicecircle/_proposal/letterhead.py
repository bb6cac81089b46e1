"""An office's letterhead: a `.docx` that is opened only after a look at what is in it."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

from ..errors import InputError

#: the largest letterhead, packed and unpacked, and the most parts
MAX_BYTES, MAX_UNPACKED, MAX_PARTS = 20_000_000, 100_000_000, 2_000
_MAIN = "word/document.xml"
_MACRO = re.compile(r"vbaProject|vbaData|activeX|embeddings/", re.IGNORECASE)
#: kinds of content that a plain document does not have
_MACRO_TYPE = re.compile(r"macroEnabled|vbaProject|oleObject|activeX", re.IGNORECASE)
#: fields that fetch something when the document is opened
_FETCHES = re.compile(r"\b(INCLUDEPICTURE|INCLUDETEXT|DDEAUTO|DDE|IMPORT|LINK)\b", re.IGNORECASE)
_NAMED = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_TYPES = "[Content_Types].xml"


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
    import docx

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            parts = book.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise _wrong(file, "unpacks to more than 100 MB.", "解压后超过 100 MB。")
            names = {part.filename for part in parts}
            if _MAIN not in names or _TYPES not in names:
                raise _wrong(file, "is no Word document.", "不是 Word 文档。")
            if any(_MACRO.search(name) for name in names):
                raise _with_macros(file)
            for part in parts:
                text = book.read(part)
                if _is_xml(part.filename, text):
                    _look_at(file, part.filename, text)
        if not docx.Document(io.BytesIO(data)).sections:
            raise _wrong(file, "has no page set up.", "没有页面设置。")
    except InputError:
        raise
    except Exception as error:  # whatever a broken file makes its readers raise
        raise _wrong(file, "is broken, or has a password.", "已损坏或设有密码。") from error


def _is_xml(name: str, text: bytes) -> bool:
    """Whether a part is XML; its name may say otherwise, what readers take it for stands elsewhere."""
    begin = text[:200].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return name.lower().endswith((".xml", ".rels")) or begin.startswith(b"<")


def _look_at(file: Path, name: str, text: bytes) -> None:
    """Look at a part as its reader will see it: no entity, no way to another file, nothing that runs."""
    from lxml import etree

    if _NAMED.search(text.replace(b"\x00", b"")):
        raise _wrong(file, "holds XML entities.", "含 XML 实体。")
    root = etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    for element in root.iter("{*}Relationship"):
        kind = str(element.get("Type", ""))
        is_link = kind.endswith("/hyperlink")
        if kind.endswith("/aFChunk"):
            raise _wrong(
                file, "holds another document within: copy its text.", "内嵌了其他文档，请改为直接粘贴内容。"
            )
        if str(element.get("TargetMode", "")).strip().lower() == "external" and not is_link:
            en = "points to files elsewhere (linked pictures, an attached template): embed or remove them."
            raise _wrong(file, en, "引用了外部文件（链接的图片、附加模板），请改为嵌入或删除。")
    if name == _TYPES and any(_MACRO_TYPE.search(str(element.get("ContentType", ""))) for element in root.iter()):
        raise _with_macros(file)
    if any(
        _is_address(key, value) for e in root.iter("{*}imagedata", "{*}fill") for key, value in e.attrib.items()
    ):
        raise _wrong(file, "shows pictures from elsewhere: embed them.", "引用了外部图片，请改为嵌入。")
    told = ["".join(e.itertext()) for e in root.iter("{*}instrText")]
    fields = [*told, "".join(told), *_simple_fields(root)]  # one field may stand in several pieces
    if any(_FETCHES.search(field) for field in fields):
        raise _wrong(file, "has fields that fetch other files.", "含有会读取其他文件的域，请删除。")


def _is_address(key: str, value: str) -> bool:
    """Whether an attribute of a drawing names a file that is not in the document."""
    return key.rpartition("}")[2] in {"src", "href", "althref"} and ("://" in value or value.startswith("\\\\"))


def _simple_fields(root: Any) -> list[str]:  # noqa: ANN401
    """Return the instructions of fields that are one element."""
    return [
        str(value) for e in root.iter("{*}fldSimple") for key, value in e.attrib.items() if key.endswith("instr")
    ]


def _with_macros(file: Path) -> InputError:
    return _wrong(file, "holds macros or embedded objects: save it without them.", "含宏或嵌入对象，请去掉后另存。")


def _wrong(file: Path, en: str, zh: str) -> InputError:
    return InputError(f"The letterhead {file.name!r} {en}", zh=f"信头模板“{file.name}”{zh}")
