"""What a file is, by what is in it."""

from __future__ import annotations

import io
import zipfile
import zlib

import openpyxl
import pytest

from core import content
from core.content import identify
from core.errors import Refused

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000b49444154789c6360000200000500017a5eab3f0000000049454e44ae42"
    "6082"
)
JPG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
_TYPES = {
    "docx": ("word/document.xml", "wordprocessingml.document.main+xml"),
    "xlsx": ("xl/workbook.xml", "spreadsheetml.sheet.main+xml"),
}


def office(suffix: str = "docx", types: str = "", **parts: bytes) -> bytes:
    """A small Office file; `parts` (with ``__`` for the slash) are added to it."""
    main, main_type = _TYPES[suffix]
    prefix = "application/vnd.openxmlformats-officedocument."
    index = f'<Types><Override ContentType="{prefix}{main_type}"/>{types}</Types>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", index)
        archive.writestr(main, "<document/>")
        for name, body in parts.items():
            archive.writestr(name.replace("__", "/"), body)
    return out.getvalue()


@pytest.fixture
def told(tmp_path):
    """``told(name, body)``: the content type, or the refusal raised."""

    def tell(name: str, body: bytes) -> str:
        path = tmp_path / "upload"
        path.write_bytes(body)
        return identify(path, name)

    return tell


@pytest.mark.parametrize(
    ("name", "body", "content_type"),
    [
        ("盖章扫描件.pdf", PDF, "application/pdf"),
        ("合影.png", PNG, "image/png"),
        ("合影.JPG", JPG, "image/jpeg"),
        ("协议.docx", office("docx"), content.ACCEPTED["docx"].content_type),
        ("名单.xlsx", office("xlsx"), content.ACCEPTED["xlsx"].content_type),
        ("说明.txt", "共建说明\r\n".encode(), "text/plain"),
        ("说明.txt", "共建说明".encode("gb18030"), "text/plain"),
        ("名单.csv", "\ufeff姓名,单位\n".encode(), "text/csv"),
    ],
)
def test_what_it_says_it_is_comes_in(told, name, body, content_type):
    assert told(name, body) == content_type


def test_a_workbook_of_a_real_program_comes_in(told):
    out, book = io.BytesIO(), openpyxl.Workbook()
    for _ in range(2000):
        book.active.append(["同一行"] * 20)
    book.save(out)
    assert told("名单.xlsx", out.getvalue())


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("木马.exe", b"MZ" + bytes(100), "不接收“.exe”文件"),
        ("没有扩展名", PDF, "没有扩展名"),
        ("页面.html", b"<script>alert(1)</script>", "不接收“.html”文件"),
        ("图.svg", b"<svg/>", "不接收“.svg”文件"),
        ("空.pdf", b"", "空的"),
        ("合影.pdf", PNG, "看起来是 png 文件"),
        ("合影.png", PDF, "内容不是PNG 图片"),
        ("网页.png", b"<html></html>", "内容不是PNG 图片"),
        ("半个.pdf", PDF[:-8], "损坏或不完整"),
        ("程序.txt", b"MZ\x00\x01\x02", "内容不是文本"),
        ("协议.docx", office("xlsx"), "内容不是Word 文档"),
        ("名单.xlsx", office("docx"), "内容不是Excel 工作簿"),
        ("协议.docx", PDF, "内容不是Word 文档"),
        ("旧版.docx", content._OLE + bytes(600), "旧版或加了密码"),
        ("旧版.doc", content._OLE + bytes(600), "不接收“.doc”文件"),
        ("宏.docx", office("docx", word__vbaProject=b"x"), "宏或控件"),
        ("宏.xlsx", office("xlsx", xl__macrosheets__sheet1=b"x"), "宏或控件"),
        ("控件.docx", office("docx", word__activeX__activeX1=b"x"), "宏或控件"),
        (
            "宏.docx",
            office("docx", types='<Override ContentType="x.macroEnabled.main+xml"/>'),
            "宏或控件",
        ),
        ("逃逸.docx", office("docx", **{"..__..__etc__passwd": b"x"}), "损坏或不完整"),
        ("炸弹.xlsx", office("xlsx", xl__sheet=bytes(content.RATIO_FROM * 2)), "解压后过大"),
        ("巨大.xlsx", office("xlsx", xl__sheet=bytes(content.UNPACKED_BYTES)), "解压后过大"),
        ("半个.docx", office("docx")[:-30], "内容不是Word 文档"),
    ],
)
def test_what_is_something_else_is_refused(told, name, body, why):
    with pytest.raises(Refused, match=why) as refused:
        told(name, body)
    assert refused.value.field == "file"


def test_a_template_from_elsewhere_is_refused(told):
    out = io.BytesIO(office("docx"))
    with zipfile.ZipFile(out, "a") as archive:
        link = '<Relationship Type="x/attachedTemplate" Target="http://a/" TargetMode="External"/>'
        archive.writestr("word/_rels/settings.xml.rels", link)
    with pytest.raises(Refused, match="外部模板"):
        told("协议.docx", out.getvalue())


def test_a_part_that_lies_about_its_length_is_refused(told):
    """Declared as a few bytes, it unpacks to megabytes: the sums do not match."""
    big = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = big.compress(bytes(5_000_000)) + big.flush()
    body = bytearray(office("docx", word__media=b"a" * 64))
    honest = zlib.compressobj(6, zlib.DEFLATED, -15)
    honest = honest.compress(b"a" * 64) + honest.flush()
    at = body.rfind(honest)
    assert at > 0
    assert len(packed) > len(honest)
    body[at : at + len(honest)] = packed[: len(honest)]
    with pytest.raises(Refused, match="损坏"):
        told("协议.docx", bytes(body))


def test_too_many_parts_are_refused(told):
    parts = {f"word__p{n}": b"" for n in range(content.PARTS)}
    with pytest.raises(Refused, match="过大"):
        told("协议.docx", office("docx", **parts))
