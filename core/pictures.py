"""Pictures without what the camera wrote beside them: place, time, device, owner, thumbnail.

`strip(path)` copies a JPEG's segments or a PNG's chunks that make up the picture and leaves out
every other, so what nobody thought of goes too. What stands behind the picture's end (a second
picture, a film) goes as well. Of EXIF one value stays: which side is up, in a block written
here. The pixels are never decoded (docs/adr/0008-pictures-stripped.md).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from core.errors import Refused

PARTS = 50_000  # a picture of 20 MB has some 2,500
PIXELS = 120_000_000  # declared; a camera's 108 million come in, what swells to gigabytes does not
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_EXIF = b"Exif\0\0"
_DAMAGED = "图片已损坏或不完整。请重新拍摄或另存后上传。"
_TOO_MANY_PIXELS = "图片的像素过多，打开时可能死机。请缩小后再上传。"

# What draws the picture or says how its colours are meant; animation (APNG) is drawing too.
_PNG_KEPT = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"sBIT", b"bKGD", b"hIST", b"pHYs", b"sPLT",
    b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI", b"acTL", b"fcTL", b"fdAT",
}  # fmt: skip

_SOI, _EOI, _SOS, _COM = 0xD8, 0xD9, 0xDA, 0xFE
_APP = range(0xE0, 0xF0)
_SIZES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # the frame headers; the three are tables
_BARE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


class _Part(NamedTuple):
    """A JPEG segment with its marker (a scan with all its data), or a PNG chunk's type and data."""

    kind: int | bytes
    body: bytes


def strip(path: Path) -> None:
    """Rewrite the JPEG or PNG at `path` as the bare picture; any other file is left as it is.

    Raises `Refused` (at field ``file``) for one that is damaged or too large to be opened.
    """
    with path.open("rb") as file:
        head = file.read(len(_PNG))
    if head == _PNG:
        bare = _bare_png
    elif head.startswith(_JPEG):
        bare = _bare_jpeg
    else:
        return
    given = path.read_bytes()
    try:
        made = bare(given)
    except (struct.error, IndexError, ValueError):
        raise Refused(_DAMAGED, field="file") from None
    if made != given:
        path.write_bytes(made)


# -- JPEG: segments of a marker and a length, up to the end-of-image marker


def _bare_jpeg(given: bytes) -> bytes:
    kept, upright = [], b""
    for kind, body in _segments(given):
        if kind in _SIZES:
            height, width = struct.unpack_from(">HH", body, 5)
            _check_pixels(width, height)
        if kind == 0xE1 and body[4:].startswith(_EXIF):
            upright = upright or _upright(body[4 + len(_EXIF) :])
        elif kind == 0xE0 and body[4:9] == b"JFIF\0":
            # The density, without the thumbnail that may follow it.
            kept.append(
                b"\xff\xe0\x00\x10" + struct.pack("12s2x", *struct.unpack_from("12s", body, 4))
            )
        elif not _is_told(kind, body):
            kept.append(body)
    if upright:
        block = _EXIF + upright
        # Readers look for it first, or after JFIF.
        at = 1 if kept and kept[0][1] == 0xE0 else 0
        kept.insert(at, b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block)
    return b"\xff\xd8" + b"".join(kept) + b"\xff\xd9"


def _is_told(kind: int, body: bytes) -> bool:
    """Whether a segment tells about the picture and is not needed to draw it."""
    if kind == _COM:
        return True
    if kind not in _APP:
        return False
    colours = kind == 0xE2 and body[4:].startswith(b"ICC_PROFILE\0")
    transform = kind == 0xEE and body[4:].startswith(b"Adobe")
    return not (colours or transform)


def _segments(given: bytes) -> Iterator[_Part]:
    """The segments between start and end of the picture. Raises `ValueError` if it has no end."""
    at = 2
    for _ in range(PARTS):
        if given[at] != 0xFF:
            raise ValueError("no marker")
        while given[at + 1] == 0xFF:  # fill bytes
            at += 1
        kind = given[at + 1]
        if kind == _EOI:
            return
        if kind in _BARE:
            at += 2
            continue
        if kind in (0, _SOI):
            raise ValueError("no marker")
        (length,) = struct.unpack_from(">H", given, at + 2)
        end = at + 2 + length
        if length < 2 or end > len(given):
            raise ValueError("cut off")
        if kind == _SOS:
            found = _SCAN_END.search(given, end)
            if found is None:
                raise ValueError("no end")
            end = found.start()
        yield _Part(kind, given[at:end])
        at = end
    raise ValueError("too many segments")


# -- PNG: chunks of a length, a type, data and a sum, up to IEND


def _bare_png(given: bytes) -> bytes:
    kept, upright = [], b""
    for kind, data in _chunks(given):
        if kind == b"IHDR":
            _check_pixels(*struct.unpack_from(">II", data))
        if kind == b"eXIf":
            upright = upright or _upright(data)
        elif kind in _PNG_KEPT:
            kept.append(_Part(kind, data))
    if not kept or kept[0].kind != b"IHDR":
        raise ValueError("no header")
    if upright:
        kept.insert(1, _Part(b"eXIf", upright))
    return _PNG + b"".join(map(_chunk, kept))


def _chunks(given: bytes) -> Iterator[_Part]:
    """The chunks to the last. Raises `ValueError` for one with a wrong sum, or if there is no last."""
    at = len(_PNG)
    for _ in range(PARTS):
        length, kind = struct.unpack_from(">I4s", given, at)
        data = given[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", given, at + 8 + length)
        if checksum != zlib.crc32(kind + data):
            raise ValueError("wrong sum")
        yield _Part(kind, data)
        if kind == b"IEND":
            return
        at += 12 + length
    raise ValueError("too many chunks")


def _chunk(part: _Part) -> bytes:
    whole = part.kind + part.body
    return struct.pack(">I", len(part.body)) + whole + struct.pack(">I", zlib.crc32(whole))


# -- both


def _check_pixels(width: int, height: int) -> None:
    if width * height > PIXELS:
        raise Refused(_TOO_MANY_PIXELS, field="file")


def _upright(exif: bytes) -> bytes:
    """An EXIF block with nothing but the orientation found in `exif`; empty if it has none to tell."""
    try:
        turned = _orientation(exif)
    except struct.error:  # a damaged block; the picture is shown as it lies
        return b""
    if not 2 <= turned <= 8:
        return b""
    return struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, turned, 0, 0)


def _orientation(exif: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 0
    (first,) = struct.unpack_from(f"{order}I", exif, 4)
    (entries,) = struct.unpack_from(f"{order}H", exif, first)
    for n in range(entries):
        tag, kind, count, value = struct.unpack_from(f"{order}HHIH", exif, first + 2 + 12 * n)
        if (tag, kind, count) == (0x0112, 3, 1):
            return value
    return 0
