"""Files that people bring and take: names that are safe to show, answers that are safe to open."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import BinaryIO

from django.http import FileResponse

NAME_BYTES = 150  # of UTF-8: file systems hold 255, and a copy may get a suffix
_FORBIDDEN = re.compile(r'[\\/:*?"<>|]')
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def clean_name(name: str, fallback: str = "文件") -> str:
    """`name` as it can be saved on any system: no folders, no control or direction-turning
    characters, none that Windows refuses; shortened before its suffix."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C")
    name = _FORBIDDEN.sub("_", " ".join(name.split())).strip(". ")
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > 10:
        stem, suffix = name, ""
    stem = stem.strip() or fallback
    if _RESERVED.match(stem):
        stem = f"_{stem}"
    tail = f".{suffix}" if suffix else ""
    room = NAME_BYTES - len(tail.encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + tail


def send_file(
    source: Path | BinaryIO, name: str, content_type: str = "application/octet-stream"
) -> FileResponse:
    """`source` as a download under `name`: never shown in place, never guessed at, never cached.

    Raises `FileNotFoundError`. The caller has already asked for permission.
    """
    response = FileResponse(
        source.open("rb") if isinstance(source, Path) else source,
        as_attachment=True,
        filename=name,
        content_type=content_type,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response
