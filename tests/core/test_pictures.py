"""Pictures come in bare: what draws them stays, what tells about them does not."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import pictures
from core.errors import Refused
from core.pictures import strip

SECRET = "GPS 36.0671N 120.3826E 王某的手机".encode()


def exif(orientation: int | None = 6, order: str = "<") -> bytes:
    """What a telephone writes: maker, orientation, and a pointer to where it was."""
    tags = [(0x010F, 2, len(SECRET), 8 + 2 + 12 * 3 + 4), (0x8825, 4, 1, 8)]
    if orientation is not None:
        value = orientation << (16 if order == ">" else 0)  # a SHORT lies at the left of its field
        tags.insert(1, (0x0112, 3, 1, value))
    head = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8)
    entries = b"".join(struct.pack(f"{order}HHII", *tag) for tag in tags)
    return head + struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + SECRET


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


JFIF = segment(0xE0, b"JFIF\0\x01\x02\x01\x00\x48\x00\x48\0\0")
# Eight grey pixels square: a table each, one code each, one block.
DRAWN = (
    segment(0xDB, b"\0" + bytes([1] * 64))
    + segment(0xC0, b"\x08\x00\x08\x00\x08\x01\x01\x11\x00")
    + segment(0xC4, b"\x00" + bytes([1] + [0] * 15) + b"\x00")
    + segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\x00")
)
SCAN = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x3f"
COLOURS = segment(0xE2, b"ICC_PROFILE\0\x01\x01profile")
ADOBE = segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01")


def jpeg(*told: bytes, scans: bytes = SCAN, behind: bytes = b"") -> bytes:
    return b"\xff\xd8" + JFIF + b"".join(told) + DRAWN + scans + b"\xff\xd9" + behind


def chunk(kind: bytes, data: bytes) -> bytes:
    whole = kind + data
    return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))


def png(*told: bytes, width: int = 2, behind: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, 2, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(b"\0\x10\x20" * 2))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(told) + rows + chunk(b"IEND", b"") + behind


@pytest.fixture
def stripped(tmp_path):
    def run(given_: bytes) -> bytes:
        path = tmp_path / "picture"
        path.write_bytes(given_)
        strip(path)
        return path.read_bytes()

    return run


@pytest.mark.parametrize(
    "told",
    [
        segment(0xE1, b"Exif\0\0" + exif(1)),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + SECRET),
        segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04" + SECRET),
        segment(0xFE, SECRET),
        segment(0xE2, b"MPF\0" + SECRET),
        segment(0xEB, b"JP\0\0jumb" + SECRET),
        segment(0xE0, b"JFXX\0\x10" + SECRET),
        b"\xff\xff" + segment(0xE5, SECRET)[1:],  # with fill bytes before it
    ],
)
def test_a_jpeg_loses_what_tells_about_it_and_keeps_what_draws_it(stripped, told):
    assert stripped(jpeg(told, COLOURS, ADOBE)) == jpeg(COLOURS, ADOBE)


def test_what_stands_behind_the_picture_goes(stripped):
    film = jpeg(segment(0xE1, b"Exif\0\0" + exif()))
    assert stripped(jpeg(behind=film)) == jpeg()
    assert stripped(png(behind=SECRET)) == png()


def test_the_thumbnail_in_the_first_segment_goes(stripped):
    small = segment(0xE0, b"JFIF\0\x01\x02\x01\x00\x48\x00\x48\x01\x01" + b"\x10\x20\x30")
    assert stripped(jpeg().replace(JFIF, small)) == jpeg()


def test_the_data_of_several_scans_stays_byte_for_byte(stripped):
    """Stuffed bytes and restart marks are not the end of a scan; tables may stand between two."""
    scans = SCAN + b"\xff\x00\xff\xd0\x3f\xff\xd7" + segment(0xC4, b"\x01" + bytes(16)) + SCAN
    told = segment(0xFE, SECRET)
    assert stripped(jpeg(told, scans=scans + told + SCAN)) == jpeg(scans=scans + SCAN)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", [2, 6, 8])
def test_which_side_is_up_stays_and_nothing_else_of_it(stripped, orientation, order):
    told = exif(orientation, order)
    only = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    kept = segment(0xE1, b"Exif\0\0" + only)
    assert stripped(jpeg(COLOURS, segment(0xE1, b"Exif\0\0" + told))) == jpeg(kept, COLOURS)
    assert stripped(png(chunk(b"eXIf", told))) == png(chunk(b"eXIf", only))


@pytest.mark.parametrize("told", [exif(None), exif(1), exif(9), exif()[:20], b"", b"XX" + exif()])
def test_exif_without_a_turn_goes_whole(stripped, told):
    assert stripped(jpeg(segment(0xE1, b"Exif\0\0" + told))) == jpeg()
    assert stripped(png(chunk(b"eXIf", told))) == png()


def test_a_png_loses_what_tells_about_it_and_keeps_what_draws_it(stripped):
    told = [chunk(kind, SECRET) for kind in (b"tEXt", b"iTXt", b"zTXt", b"tIME", b"prVt")]
    drawn = [chunk(b"gAMA", struct.pack(">I", 45455)), chunk(b"tRNS", b"\0\x10")]
    assert stripped(png(told[0], drawn[0], *told[1:], drawn[1])) == png(*drawn)


@pytest.mark.parametrize(
    "given_",
    [
        jpeg()[:-2],  # no end
        jpeg()[:60],  # within a segment
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe1\x00\x01\xff\xd9",  # a length that is none
        jpeg().replace(JFIF, segment(0xE0, b"JFIF\0")),
        png()[:-4],
        png()[:50],
        png().replace(b"IDAT", b"IDAt"),  # the sum no longer fits
        b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""),
        png(*[chunk(b"tEXt", b"")] * pictures.PARTS),
        jpeg(*[segment(0xFE, b"")] * pictures.PARTS),
    ],
)
def test_a_damaged_picture_is_refused(stripped, given_):
    with pytest.raises(Refused, match="损坏") as refused:
        stripped(given_)
    assert refused.value.field == "file"


def test_a_picture_that_would_unpack_to_gigabytes_is_refused_unopened(stripped):
    with pytest.raises(Refused, match="像素过多"):
        stripped(png(width=100_000_000))
    frame = struct.pack(">HH", 8, 8)
    with pytest.raises(Refused, match="像素过多"):
        stripped(jpeg().replace(b"\x08" + frame, b"\x08" + struct.pack(">HH", 60_000, 60_000), 1))


def test_what_is_no_picture_is_left_as_it_is(stripped):
    for body in (b"%PDF-1.4 " + SECRET, b"", SECRET):
        assert stripped(body) == body


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0xE0, 0xEF), st.integers(0, 200))
def test_whatever_it_is_given_it_ends_with_a_picture_or_a_refusal(
    tmp_path_factory, noise, marker, at
):
    """Noise within the segments, and a picture overwritten at any place."""
    whole = jpeg(segment(marker, noise))
    path = tmp_path_factory.getbasetemp() / "noise"
    for body in (whole, whole[:at] + noise + whole[at:], png()[:at] + noise + png()[at:]):
        path.write_bytes(body)
        try:
            strip(path)
        except Refused:
            continue
        once = path.read_bytes()
        strip(path)
        assert path.read_bytes() == once
