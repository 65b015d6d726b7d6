"""What a file is, by what is in it. The name's suffix and the browser's word are only claims.

`identify(path, name)` returns the content type, or refuses with a sentence. Office files are
opened as the zips that they are: the right parts must be there, macros, controls and remote
templates must not, and what unpacks to too much is not unpacked.
"""

from __future__ import annotations

import codecs
import html
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import filetype

from core.errors import Refused

UNPACKED_BYTES = 100 * 2**20
PARTS = 5000
RATIO = 200  # unpacked to packed, of what is large enough to matter
RATIO_FROM = 10 * 2**20
INDEX_BYTES = 2 * 2**20  # of the parts that are read here

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # Word and Excel before 2007, and any that has a password
_OOXML = "application/vnd.openxmlformats-officedocument."
_DAMAGED = "文件已损坏或不完整。请用原软件打开确认后重新保存，再上传。"
_TOO_BIG_INSIDE = "文件解压后过大，可能有问题。请删去多余的内容或图片，另存后再上传。"
_MACROS = "文件含有宏或控件，为安全起见不接收。请另存为不含宏的 {suffix} 文件后上传。"
_REMOTE = "文件引用了外部模板，为安全起见不接收。请在“模板”设置中去掉引用，另存后上传。"
_OLD_OFFICE = (
    "这是旧版或加了密码的 Office 文件，无法检查内容。请去掉密码，另存为 docx 或 xlsx 后上传。"
)


class Accepted(NamedTuple):
    content_type: str
    label: str
    check: Callable[[Path, str], bool]  # with the suffix; False when the content is another


def identify(path: Path, name: str) -> str:
    """The content type of the file at `path`, whose name makes a claim. Raises `Refused`."""
    suffix = Path(name).suffix.lower().removeprefix(".")
    claimed = ACCEPTED.get(suffix)
    if claimed is None:
        known = "、".join(sorted(ACCEPTED))
        said = f"“.{suffix}”文件" if suffix else "没有扩展名的文件"
        raise Refused(f"不接收{said}。可以上传：{known}。", field="file")
    if path.stat().st_size == 0:
        raise Refused("文件是空的。请确认选对了文件。", field="file")
    with path.open("rb") as file:
        head = file.read(8)
    if head == _OLE:
        raise Refused(_OLD_OFFICE, field="file")
    if not claimed.check(path, suffix):
        raise Refused(_mismatch(path, name, claimed), field="file")
    return claimed.content_type


def _mismatch(path: Path, name: str, claimed: Accepted) -> str:
    found = filetype.guess(path)
    is_what = f"，看起来是 {found.extension} 文件" if found else ""
    return f"“{name}”的内容不是{claimed.label}{is_what}。请不要只改扩展名，用原软件另存为需要的格式再上传。"


def _media(content_type: str) -> Callable[[Path, str], bool]:
    def check(path: Path, suffix: str) -> bool:
        found = filetype.guess(path)
        return found is not None and found.mime == content_type

    return check


def _pdf(path: Path, suffix: str) -> bool:
    with path.open("rb") as file:
        if file.read(5) != b"%PDF-":
            return False
        file.seek(max(0, path.stat().st_size - 2048))
        if b"%%EOF" not in file.read():
            raise Refused(_DAMAGED, field="file")
    return True


def _text(path: Path, suffix: str) -> bool:
    return any(_decodes(path, encoding) for encoding in ("utf-8-sig", "gb18030"))


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while block := file.read(2**16):
                if any(c < " " and c not in "\t\r\n\f" for c in decoder.decode(block)):
                    return False
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


_MAIN = {
    "docx": ("word/document.xml", b"wordprocessingml.document.main+xml"),
    "xlsx": ("xl/workbook.xml", b"spreadsheetml.sheet.main+xml"),
}


def _office(path: Path, suffix: str) -> bool:
    main, main_type = _MAIN[suffix]
    try:
        with zipfile.ZipFile(path) as archive:
            names = _names_of(archive)
            if main not in names or "[Content_Types].xml" not in names:
                return False
            types = _read(archive, "[Content_Types].xml")
            _refuse_active(names, types, suffix)
            if main_type not in types:
                return False
            _refuse_remote(archive, names)
            _refuse_hidden(archive, suffix)
            # Reads every part to its end: a part whose length was lied about has a wrong sum.
            if archive.testzip() is not None:
                raise Refused(_DAMAGED, field="file")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError):
        if zipfile.is_zipfile(path):
            raise Refused(_DAMAGED, field="file") from None
        return False
    return True


def _names_of(archive: zipfile.ZipFile) -> set[str]:
    """The parts' names, once their number and sizes are bearable. Nothing is unpacked for it."""
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    if len(parts) > PARTS or unpacked > UNPACKED_BYTES:
        raise Refused(_TOO_BIG_INSIDE, field="file")
    if unpacked > RATIO_FROM and unpacked > RATIO * max(packed, 1):
        raise Refused(_TOO_BIG_INSIDE, field="file")
    names = {part.filename for part in parts}
    if len(names) != len(parts) or any(map(_leads_away, names)):
        raise Refused(_DAMAGED, field="file")
    if any(part.flag_bits & 1 for part in parts):
        raise Refused(_OLD_OFFICE, field="file")
    return names


def _leads_away(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ".." in name.split("/") or "\0" in name


def _refuse_active(names: set[str], types: bytes, suffix: str) -> None:
    lowered = {name.lower() for name in names}
    parts = ("vbaproject", "vbadata", "activex/", "macrosheets/", "/oleobject", "ctrlprops/")
    active = any(part in name for name in lowered for part in parts)
    kinds = types.lower()
    if active or b"macroenabled" in kinds or b"vbaproject" in kinds or b"activex" in kinds:
        raise Refused(_MACROS.format(suffix=suffix), field="file")


def _refuse_hidden(archive: zipfile.ZipFile, suffix: str) -> None:
    """Macros and embedded objects under any name: what holds them is a compound file."""
    for part in archive.infolist():
        with archive.open(part) as file:
            if file.read(len(_OLE)) == _OLE:
                raise Refused(_MACROS.format(suffix=suffix), field="file")


def _refuse_remote(archive: zipfile.ZipFile, names: set[str]) -> None:
    for name in names:
        if name.endswith(".rels"):
            links = _read(archive, name).lower()
            if b"attachedtemplate" in links and b"external" in links:
                raise Refused(_REMOTE, field="file")


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    """An index of the package, with what it writes as references (``vba&#80;roject``) in the clear."""
    with archive.open(name) as part:
        text = part.read(INDEX_BYTES + 1)
    odd = text[:2] in (b"\xff\xfe", b"\xfe\xff") or b"<!DOCTYPE" in text or b"\0" in text
    if odd or len(text) > INDEX_BYTES:
        raise Refused(_DAMAGED, field="file")  # no program writes its index so
    return html.unescape(text.decode("utf-8", "replace")).encode()


ACCEPTED: dict[str, Accepted] = {
    "pdf": Accepted("application/pdf", "PDF", _pdf),
    "png": Accepted("image/png", "PNG 图片", _media("image/png")),
    "jpg": Accepted("image/jpeg", "JPEG 图片", _media("image/jpeg")),
    "jpeg": Accepted("image/jpeg", "JPEG 图片", _media("image/jpeg")),
    "docx": Accepted(f"{_OOXML}wordprocessingml.document", "Word 文档", _office),
    "xlsx": Accepted(f"{_OOXML}spreadsheetml.sheet", "Excel 工作簿", _office),
    "txt": Accepted("text/plain", "文本", _text),
    "csv": Accepted("text/csv", "文本表格", _text),
}
