"""What must not stand in a text that anybody may read (domain.md §7)."""

from __future__ import annotations

import re

from core.errors import Refused

_ID_NUMBER = re.compile(r"(?<!\d)\d{17}[\dXx](?![\dA-Za-z])")
_MOBILE = re.compile(r"(?<!\d)1[3-9]\d[-\s]?\d{4}[-\s]?\d{4}(?!\d)")
_DOOR = re.compile(r"\d+\s*(?:单元|号楼|栋|幢)\s*\d+\s*(?:单元)?\s*\d*\s*(?:室|户|号)")


def check_published(text: str, *, field: str, where: str) -> None:
    """Refuse a text for publication that names a person's number, phone or door."""
    check_no_id_number(text, field=field, where=where)
    if _MOBILE.search(text):
        raise Refused(
            f"{where}中有手机号，发布后任何人都能看到。请删去；需要联系的，由社区线下对接。",
            field=field,
        )
    if _DOOR.search(text):
        raise Refused(f"{where}中有门牌户号，可能指向某一户居民。请只写到小区或楼栋。", field=field)


def check_no_id_number(text: str, *, field: str, where: str) -> None:
    """The platform holds no ID-card numbers anywhere, published or not."""
    if _ID_NUMBER.search(text):
        raise Refused(f"{where}中有身份证号，平台不收集身份证号，请删去后再提交。", field=field)
