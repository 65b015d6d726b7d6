"""Hostile files: each is refused or does nothing, within 5 seconds of the processor and 300 MB."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import openpyxl
import pytest
from django.http import QueryDict

from accounts.enums import Role
from core.content import identify
from core.errors import Refused
from core.exports import EXPORTERS, export_to
from core.files import clean_name
from core.list_export import ListSheet
from core.sheets.checking import check
from core.sheets.marking import errors_workbook
from core.sheets.text import FORMULA_STARTS
from core.views.lists import open_list
from orgs.actions.tree.files import MOST_BYTES, BadFile, read_lines
from orgs.sheets import UnitSheet
from tests.core.sheetkit import book, ods, raw_xlsx, text_cell
from tests.core.test_content import PNG, office
from tests.core.test_pictures import chunk
from tests.factories import members as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

ROOT = Path(__file__).parents[2]
HEAD = ["单位名称", "联络员"]

# Each file is read by a process of its own, forked where all is loaded already.
READER = f"""
import json, os, resource, sys
sys.path.insert(0, {str(ROOT)!r})
from core.errors import Refused
from core.sheets.reading import read_table

for path in sys.argv[1:]:
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_DATA, (300 << 20, 300 << 20))
        resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
        resource.setrlimit(resource.RLIMIT_FSIZE, (420 << 20, 420 << 20))
        try:
            table = read_table(path, {HEAD!r})
            said = ["read", len(table.rows), table.rows[0]["单位名称"]]
        except Refused as refusal:
            said = ["refused", refusal.message]
        print(json.dumps(said), flush=True)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    if status:
        print(json.dumps(["died", status]), flush=True)
"""


def table(*pieces: bytes) -> list[bytes]:
    head = "".join(text_cell(f"{letter}1", name) for letter, name in zip("AB", HEAD, strict=True))
    row = f'<row r="1">{head}</row><row r="2">{text_cell("A2", "甲")}{text_cell("B2", "乙")}</row>'
    return [b"<sheetData>", row.encode(), *pieces, b"</sheetData>"]


def changed(
    source: Path, change: Callable[[str, bytes], bytes] = lambda _, data: data, **more: bytes
) -> None:
    """The package anew, with its parts changed and `more` parts (with ``__`` for the slash)."""
    with zipfile.ZipFile(source) as old:
        parts = {name: change(name, old.read(name)) for name in old.namelist()}
    parts |= {name.replace("__", "/"): data for name, data in more.items()}
    with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            new.writestr(name, data)


def entities(declared: str, part: str = "sheet1.xml") -> Callable[[str, bytes], bytes]:
    def change(name: str, data: bytes) -> bytes:
        if not name.endswith(part):
            return data
        return declared.encode() + data.replace("甲".encode(), b"&j;").replace(b'"S"', b'"&j;"')

    return change


def strings(count: int) -> Iterable[bytes]:
    yield f'<sst count="{count}" uniqueCount="{count}">'.encode()
    yield b"".join(b"<si><t>%0100d</t></si>" % n for n in range(count))
    yield b"</sst>"


LAUGHS = (
    '<!DOCTYPE w [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
OUTSIDE = '<!DOCTYPE w [<!ENTITY j SYSTEM "file:///etc/passwd">]>'
SST = (
    b'<Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
    b'relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
)
READ = ["read", 1, "甲"]  # what does harm elsewhere and is nothing here


def hostile(folder: Path) -> dict[Path, list | None]:
    """The files, and what is read of them; None: refused."""
    found: dict[Path, list | None] = {}

    def one(name: str, *pieces: bytes, want: list | None = None, before: bytes = b"") -> Path:
        path = raw_xlsx(folder / f"{name}.xlsx", [before, *table(*pieces)])
        found[path] = want
        return path

    one("declared size", before=b'<dimension ref="A1:XFD1048576"/>', want=READ)
    one("a cell at the end", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    changed(one("laughs in a sheet"), entities(LAUGHS))
    changed(one("laughs in the book"), entities(LAUGHS, "xl/workbook.xml"))
    changed(one("a file from outside"), entities(OUTSIDE))
    changed(one("bomb"), xl__media__x=bytes(150 << 20))
    one("deep", b'<row r="3">', b"<x>" * (10 << 20))
    changed(
        one("a million strings", want=READ),
        lambda name, data: data.replace(b"</Relationships>", SST) if "workbook" in name else data,
        **{"xl__sharedStrings.xml": b"".join(strings(1_000_000))},
    )
    away = {"..__..__etc__x": b"x", "__abs": b"x", "a\\..\\b": b"x"}
    changed(one("parts that lead away", want=READ), **away)
    changed(one("macros", want=READ), **{"xl__innocent.bin": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"})
    wide = "".join(f'<c r="{c}%d"><v>%d</v></c>' for c in "ABCDEFGHIJKLMNOPQRST")
    one("many cells", *(
        f'<row r="{n}">{wide.replace("%d", str(n))}</row>'.encode() for n in range(3, 150_000)
    ))  # fmt: skip
    repeated = '<table:table-row table:number-rows-repeated="1048576"><table:table-cell '
    repeated += 'table:number-columns-repeated="16384" office:value-type="float" office:value="1"/>'
    found[ods(folder / "repeated.ods", [repeated + "</table:table-row>"])] = None
    for name, data in {
        "program.xlsx": b"MZ\x90\0" + bytes(400),
        "page.xls": b"<html><script>alert(1)</script></html>",
        "blank lines.csv": b"\n" * (20 << 20),
        "commas.csv": b"," * (20 << 20),
        "quotes.csv": b'"' * ((20 << 20) - 1),
        "old.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096),
    }.items():
        (folder / name).write_bytes(data)
        found[folder / name] = None
    return found


def test_no_table_takes_a_worker_along(tmp_path):
    files = hostile(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", READER, *files],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    found = {path.name: said for path, said in zip(files, told, strict=True)}
    wrong = {
        path.name: found[path.name]
        for path, want in files.items()
        if (found[path.name] != want if want else found[path.name][0] != "refused")
    }
    assert not wrong


VBA = '<Default Extension="{}" ContentType="application/vnd.ms-office.vba{}roject"/>'
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("账.xlsx", b"MZ\x90\0" + bytes(99), "不是Excel"),
        ("账.xlsx", OLE + bytes(999), "旧版或加了密码"),
        ("图.png", b"<html><script>alert(1)</script></html>", "不是PNG"),
        ("图.jpg", PNG, "不是JPEG"),
        ("图.svg", b"<svg onload='alert(1)'/>", "不接收"),
        ("账.xlsm", office("xlsx"), "不接收"),
        ("账.xlsx", office("xlsx", xl__vbaProject__bin=OLE), "宏"),
        ("账.xlsx", office("xlsx", xl__styles2__xml=OLE + bytes(99)), "宏"),
        ("账.xlsx", office("xlsx", VBA.format("bin", "P")), "宏"),
        ("账.xlsx", office("xlsx", VBA.format("bin", "&#80;")), "宏"),
        ("账.xlsx", office("xlsx", VBA.format("bin", "&#x50;")), "宏"),
        ("书.docx", office("docx", "<!DOCTYPE x>"), "损坏"),
        ("书.docx", office(word__media__a=bytes(90 << 20)), "解压后过大"),
        ("书.docx", office(**{"..__..__x": b"x"}), "损坏"),
    ],
)  # fmt: skip
def test_an_attachment_that_is_something_else_is_refused(tmp_path, name, body, why):
    path = tmp_path / "upload"
    path.write_bytes(body)
    with pytest.raises(Refused, match=why):
        identify(path, name)


def test_a_picture_that_unpacks_to_gigabytes_is_refused(tmp_path):
    from core.pictures import strip

    size = (60_000).to_bytes(4) * 2 + b"\x08\x06\0\0\0"
    path = tmp_path / "图.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IEND", b""))
    with pytest.raises(Refused, match="像素过多"):
        strip(path)


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "C:\\Windows\\x.xlsx",
        "a\0.xlsx",
        "\u202excod.exe",
        "con.xlsx",
        "//h/s.xlsx",
    ],
)
def test_no_name_leads_anywhere(name):
    kept = clean_name(name)
    assert not set("/\\:\0\u202e") & set(kept)
    assert kept.split(".")[0].lower() != "con"
    assert kept not in {"", ".", ".."}


@pytest.mark.parametrize(
    "body", [b"PK\x03\x04" + bytes(99), b"\0" * 999, b'"' * 999, b"\xff\xfe\0\0"]
)
def test_a_file_of_areas_that_is_none_is_refused(tmp_path, body):
    path = tmp_path / "areas.csv"
    path.write_bytes(body)
    with pytest.raises(BadFile):
        read_lines(path)
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(BadFile, match="1 处错误"):
        read_lines(path)


# -- formulas

FORMULAS = [
    "=1+1",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠A1",
    "=cmd|'/c calc'!A0",
    '=DDE("cmd","/c calc","x")',
    '=HYPERLINK("http://x","点")',
    "<r></is></c><c r='Z9'><f>1+1</f></c><c><is></r>",
]


@pytest.fixture
def poisoned(db):
    """A city in which whatever people name themselves is a formula."""
    place = small_city()
    officer = person(Role.ORG_DEPARTMENT, place.city)
    for text in FORMULAS:
        unit(place.community, text, party_org=text, contact_name=text[:40])
    sides = make.side(place.community)
    for n, text in enumerate(FORMULAS):
        row = make.reported(sides, phone=f"1990000{n:04d}")
        type(row.member).objects.filter(pk=row.member_id).update(
            name=text[:40], party_org=text, speciality=text
        )
    return place, officer


def assert_harmless(path: Path, most: int = 1) -> None:
    """No cell is a formula or becomes one when it is edited, and at least `most` were dangerous."""
    assert dangerous_cells(path) >= most


def dangerous_cells(path: Path) -> int:
    """How many cells of a file look like formulas; none is one or becomes one when it is edited."""
    if path.suffix == ".csv":
        import csv

        with path.open(encoding="utf-8-sig", newline="") as file:
            cells = [cell for line in csv.reader(file) for cell in line]
        assert not [c for c in cells if c.startswith(tuple(FORMULA_STARTS)) and not _is_number(c)]
        return sum(c.startswith("'") for c in cells)
    with zipfile.ZipFile(path) as package:
        names = package.namelist()
        sheets = [package.read(n) for n in names if n.startswith("xl/worksheets/")]
    assert not [n for n in names if "external" in n.lower() or "vba" in n.lower()]
    assert not [1 for xml in sheets if b"<f>" in xml or b"<f " in xml or b"ddeLink" in xml]
    cells = [c for s in openpyxl.load_workbook(path) for line in s.iter_rows() for c in line]
    starts = [c for c in cells if isinstance(c.value, str) and c.value[:1] in FORMULA_STARTS]
    assert all(c.data_type == "s" and (c.quotePrefix or c.number_format == "@") for c in starts)
    return len(starts)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
def test_no_ledger_carries_a_formula(tmp_path, poisoned, suffix):
    _, officer = poisoned
    for identifier in ("units", "reporting"):
        what = EXPORTERS[identifier]()
        path = tmp_path / f"{identifier}.{suffix}"
        export_to(path, what, by=officer, asked=what.read({}, officer))
        assert_harmless(path, most=2 * (len(FORMULAS) - 1))


@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
def test_no_list_carries_a_formula(tmp_path, poisoned, suffix):
    _, officer = poisoned
    sheet = ListSheet(open_list("orgs:units", user=officer, query=QueryDict("")))
    path = tmp_path / f"list.{suffix}"
    export_to(path, sheet, by=officer, asked=sheet.asked)
    assert_harmless(path, most=len(FORMULAS) - 1)


def test_no_workbook_with_errors_carries_a_formula(tmp_path, poisoned):
    place, officer = poisoned
    heads = ["单位名称", "统一社会信用代码", "单位类别", "所在社区代码", "联络员"]
    lines = [[text, text, text, place.community.code, text] for text in FORMULAS]
    path = tmp_path / "a.csv"
    path.write_text(
        "\n".join(",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line)
                  for line in [heads, *lines]),
        encoding="utf-8",
    )  # fmt: skip
    found = check(path, UnitSheet(), by=officer)
    assert found.wrong_rows == len(FORMULAS)
    errors_workbook(path, found, UnitSheet(), tmp_path / "out.xlsx")
    assert_harmless(tmp_path / "out.xlsx", most=3 * (len(FORMULAS) - 3))
    # A formula in an upload comes back as what it showed, never as a formula.
    book(tmp_path / "b.xlsx", [heads, ["=1+1", "=2+2", "=cmd|'/c calc'!A0", "x", "y"]])
    found = check(tmp_path / "b.xlsx", UnitSheet(), by=officer)
    errors_workbook(tmp_path / "b.xlsx", found, UnitSheet(), tmp_path / "out.xlsx")
    assert_harmless(tmp_path / "out.xlsx", most=0)
