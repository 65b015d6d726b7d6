"""Files as people send them. Each is made here; tests/data/sheets holds what cannot be."""

from __future__ import annotations

import random
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from core.errors import Refused
from core.sheets.opening import LIMITS, Limits, open_book
from core.sheets.reading import Wanted, read_table
from tests.core.sheetkit import (
    OWN_PEAK,
    book,
    bordered_to_the_bottom,
    ods,
    ods_row,
    raw_xlsx,
    text_cell,
)

DATA = Path(__file__).parents[1] / "data" / "sheets"
HEAD = ["单位名称", "统一社会信用代码", "人数"]
ONE = ["青岛第一医院", "91370200MA00000016", 12]


def told(table):
    return [tuple(row[name] for name in HEAD) for row in table.rows]


def refusal(path, columns=HEAD, **options) -> str:
    with pytest.raises(Refused) as caught:
        read_table(path, columns, **options)
    return caught.value.message


def test_a_plain_table(tmp_path):
    table = read_table(book(tmp_path / "a.xlsx", [HEAD, ONE]), HEAD)
    assert told(table) == [("青岛第一医院", "91370200MA00000016", "12")]
    assert (table.sheet, table.header, table.rows[0].number) == ("Sheet1", 1, 2)
    assert table.rows[0].raw("人数") == 12


def test_title_lines_blank_rows_and_foot_lines_are_not_data(tmp_path):
    path = book(
        tmp_path / "a.xlsx",
        [
            ["驻区单位登记表"],
            ["填报单位：某某街道"],
            [],
            ["序号", *HEAD],
            [1, *ONE],
            [],
            [2, "第二小学", "91370200MA00000024", 30],
            [" ", "\u3000", "", None],
            ["合计", None, None, 42],
            ["填报单位（盖章）：某某街道", None, "填报人：王某", "日期：2026-11-21"],
            ["说明：人数为在职人数"],
        ],
        merged=["A1:D1"],
    )
    table = read_table(path, HEAD)
    assert [row["单位名称"] for row in table.rows] == ["青岛第一医院", "第二小学"]
    assert [row.number for row in table.rows] == [5, 7]
    assert table.header == 4
    assert table.unknown == []


def test_rows_after_the_foot_are_not_dropped_in_silence(tmp_path):
    path = book(tmp_path / "a.xlsx", [HEAD, ONE, ["合计", "", 12], ["漏掉的单位", "9137", 3]])
    assert "第 3 行是落款或合计，第 4 行却还有数据" in refusal(path)


def test_header_names_match_in_spite_of_width_breaks_and_stars(tmp_path):
    heads = ["*单位\n名称", "统一社会信用代码（必填）", " 人 数 ", "错误信息", "别的"]
    table = read_table(book(tmp_path / "a.xlsx", [heads, ONE]), HEAD)
    assert told(table) == [("青岛第一医院", "91370200MA00000016", "12")]
    assert table.unknown == ["别的"]


def test_another_name_of_a_column_and_a_column_that_may_be_missing(tmp_path):
    path = book(tmp_path / "a.xlsx", [["社区代码", "单位名称"], ["370202001001", "甲"]])
    table = read_table(
        path,
        [
            Wanted("所在社区代码", aliases=("社区代码",)),
            "单位名称",
            Wanted("联络员", required=False),
        ],
    )
    row = table.rows[0]
    assert (row["所在社区代码"], row["单位名称"], row["联络员"]) == ("370202001001", "甲", "")
    assert row.raw("联络员") is None
    assert table.missing == ["联络员"]


def test_a_header_over_two_merged_rows(tmp_path):
    path = book(
        tmp_path / "a.xlsx",
        [
            ["共建协议台账"],
            ["编号", "甲方", None, "乙方", None, "备注"],
            [None, "名称", "联络员", "名称", "联络员", None],
            ["GJ-1", "社区", "王", "银行", "李", "好"],
        ],
        merged=["A1:F1", "A2:A3", "B2:C2", "D2:E2", "F2:F3"],
    )
    wanted = [
        "编号",
        Wanted("名称", group="甲方"),
        Wanted("联络员", group="甲方"),
        Wanted("名称", group="乙方"),
        Wanted("联络员", group="乙方"),
    ]
    table = read_table(path, wanted)
    assert len(table.rows) == 1
    row = table.rows[0]
    assert [row[w] for w in ("编号", "甲方名称", "甲方联络员", "乙方名称", "乙方联络员")] == [
        "GJ-1", "社区", "王", "银行", "李",
    ]  # fmt: skip
    assert table.unknown == ["备注"]
    # The same columns under plain one-row names.
    flat = ["编号", "甲方名称", "甲方联络员", "乙方名称", "乙方联络员"]
    table = read_table(book(tmp_path / "b.xlsx", [flat, ["1", "a", "b", "c", "d"]]), wanted)
    assert table.rows[0]["乙方联络员"] == "d"


def test_only_the_upper_row_of_a_merged_header_is_asked_for(tmp_path):
    path = book(
        tmp_path / "a.xlsx",
        [["单位名称", "人数", None], [None, "党员", "群众"], ["甲", 1, 2]],
        merged=["A1:A2", "B1:C1"],
    )
    table = read_table(path, ["单位名称"])
    assert [(r.number, r["单位名称"]) for r in table.rows] == [(3, "甲")]


def test_a_two_row_header_in_a_format_that_tells_of_no_merges(tmp_path):
    path = ods(
        tmp_path / "a.ods",
        [
            ods_row("编号", "甲方", "", "乙方", ""),
            ods_row("", "名称", "联络员", "名称", "联络员"),
            ods_row("GJ-1", "社区", "王", "银行", "李"),
        ],
    )
    wanted = ["编号", Wanted("联络员", group="甲方"), Wanted("联络员", group="乙方")]
    row = read_table(path, wanted).rows[0]
    assert (row["编号"], row["甲方联络员"], row["乙方联络员"]) == ("GJ-1", "王", "李")


def test_merged_cells_of_the_body_hold_for_each_of_their_rows(tmp_path):
    path = book(
        tmp_path / "a.xlsx",
        [["社区", "单位名称"], ["东社区", "甲"], [None, "乙"], [None, "丙"], ["西社区", "丁"]],
        merged=["A2:A4"],
    )
    table = read_table(path, ["社区", "单位名称"])
    assert [(r["社区"], r["单位名称"]) for r in table.rows] == [
        ("东社区", "甲"), ("东社区", "乙"), ("东社区", "丙"), ("西社区", "丁"),
    ]  # fmt: skip


def test_hidden_sheets_and_the_help_sheet_are_not_data(tmp_path):
    path = book(
        tmp_path / "a.xlsx",
        [["列", "说明"], ["单位名称", "全称"]],
        title="填表说明",
        also=[
            ("旧数据", [HEAD, ["旧单位", "1", 1]], "hidden"),
            ("更旧", [HEAD, ["更旧单位", "1", 1]], "veryHidden"),
            ("数据", [HEAD, ONE], "visible"),
        ],
    )
    table = read_table(path, HEAD)
    assert table.sheet == "数据"
    assert [row["单位名称"] for row in table.rows] == ["青岛第一医院"]


def test_a_long_sheet_that_is_not_read_leaves_nothing_to_the_next(tmp_path):
    others = [[f"列 {n}", "说明 " * 20] for n in range(2000)]
    ours = [[f"第{n}号单位", f"9137{n:014}", n] for n in range(3000)]
    path = book(
        tmp_path / "a.xlsx", others, title="填表说明", also=[("数据", [HEAD, *ours], "visible")]
    )
    table = read_table(path, HEAD)
    assert [row.number for row in table.rows] == list(range(2, 3002))
    assert [[row.raw(name) for name in HEAD] for row in table.rows] == ours


def test_two_sheets_that_fit_are_a_question_not_a_guess(tmp_path):
    path = book(
        tmp_path / "a.xlsx", [HEAD, ONE], title="一季度", also=[("二季度", [HEAD, ONE], "visible")]
    )
    assert "“一季度”、“二季度”" in refusal(path)


def test_a_header_that_is_not_there_names_what_is_missing(tmp_path):
    assert "没有找到表头" in refusal(book(tmp_path / "a.xlsx", [["a", "b"], [1, 2]]))
    said = refusal(book(tmp_path / "b.xlsx", [["标题"], ["单位名称", "人数"], ["甲", 1]]))
    assert said.startswith("工作表“Sheet1”第 2 行像是表头，但缺少“统一社会信用代码”")
    said = refusal(book(tmp_path / "c.xlsx", [[*HEAD, "人数"], [*ONE, 1]]))
    assert "“人数”重复出现" in said
    assert "第 1 行是表头，下面没有数据" in refusal(book(tmp_path / "d.xlsx", [HEAD]))


def test_xls_is_read_and_known_by_its_content(tmp_path):
    misnamed = tmp_path / "其实是xls.xlsx"
    misnamed.write_bytes((DATA / "units.xls").read_bytes())
    table = read_table(misnamed, ["单位名称", "统一社会信用代码", "登记日期"])
    assert [(r.number, r["单位名称"], r["统一社会信用代码"]) for r in table.rows] == [
        (3, "青岛第一医院", "91370200MA00000016"),
        (4, "㐂𠮷商行", "913702003"),
    ]
    assert table.rows[0].raw("登记日期") == date(2026, 11, 21)


def test_ods_is_read(tmp_path):
    path = ods(
        tmp_path / "a.ods",
        [
            ods_row(*HEAD, blanks=16_381),
            ods_row(*ONE, blanks=16_381),
            ods_row(blanks=16_384, times=1_048_574),
        ],
    )
    assert told(read_table(path, HEAD)) == [("青岛第一医院", "91370200MA00000016", "12")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_csv_in_every_encoding_that_offices_save(tmp_path, encoding, delimiter):
    path = tmp_path / "a.csv"
    rows = [HEAD, ['"青岛\n第一"', "91370200MA00000016", "12"], ["", "", ""]]
    path.write_bytes("\r\n".join(delimiter.join(map(str, r)) for r in rows).encode(encoding))
    table = read_table(path, HEAD)
    assert told(table) == [("青岛\n第一", "91370200MA00000016", "12")]


def test_csv_keeps_rare_characters_of_gb18030(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("单位名称\r\n㐂𠮷商行\r\n".encode("gb18030"))
    assert read_table(path, ["单位名称"]).rows[0]["单位名称"] == "㐂𠮷商行"


def test_csv_that_cannot_be_read_says_why(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xff\x81\x81\x30,\xff\xff\n")
    assert "文字编码" in refusal(path)
    path.write_text('单位名称,统一社会信用代码,人数\n"甲,1,2\n乙,2,3\n')
    assert "引号不成对" in refusal(path)


def test_csv_quotes_against_formulas_are_taken_off(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("单位名称\n'=甲\n'普通\n")
    assert [r["单位名称"] for r in read_table(path, ["单位名称"]).rows] == ["=甲", "'普通"]


def test_files_that_are_no_tables_are_named_for_what_they_are(tmp_path):
    path = tmp_path / "a.xlsx"
    for content, said in [
        (b"", "空的"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\x89PNG\r\n", "图片"),
        (b"<html><table><tr><td>1", "网页格式"),
        (b"\xef\xbb\xbf  <?xml version='1.0'?><Workbook>", "网页格式"),
        (b"MZ\x00\x01\x02", "不是表格文件"),
        (b"PK\x03\x04 cut short", "已损坏"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 4096, "已损坏"),
    ]:
        path.write_bytes(content)
        assert said in refusal(path), content
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("word/document.xml", "<w/>")
    assert "不是表格文件" in refusal(path)
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("xl/workbook.bin", "x")
    assert "xlsb" in refusal(path)


def test_files_under_a_password_are_told_so(tmp_path):
    assert "密码" in refusal(DATA / "locked.xlsx")
    assert "密码" in refusal(ods(tmp_path / "a.ods", [ods_row(*HEAD)], encrypted=True))
    # An xls says it with a FILEPASS record after the first BOF.
    data = bytearray((DATA / "units.xls").read_bytes())
    start = data.index(bytes.fromhex("0908100000060500")) + 20
    data[start : start + 2] = bytes.fromhex("2f00")
    (tmp_path / "a.xls").write_bytes(data)
    assert "密码" in refusal(tmp_path / "a.xls")


def test_damaged_workbooks_are_refused_whatever_the_parser_does(tmp_path):
    good = book(tmp_path / "good.xlsx", [HEAD, *[ONE] * 50]).read_bytes()
    chance = random.Random(20261121)
    path = tmp_path / "bad.xlsx"
    for _ in range(12):
        data = bytearray(good)
        for _ in range(chance.randint(1, 30)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data[: chance.randint(100, len(data))])
        with pytest.raises(Refused):
            read_table(path, HEAD)


def test_limits_on_size_rows_and_columns(tmp_path):
    path = book(tmp_path / "a.xlsx", [HEAD, *[ONE] * 30])
    assert "超过 20 行" in refusal(path, limits=Limits(rows=20))
    assert "超过 2 列" in refusal(path, limits=Limits(columns=2))
    assert "超过上限" in refusal(path, limits=Limits(size=1000))
    csv = tmp_path / "a.csv"
    csv.write_text("单位名称,统一社会信用代码,人数\n" + "a,b,1\n" * 30)
    assert "超过 20 行" in refusal(csv, limits=Limits(rows=20))
    assert "超过 2 列" in refusal(csv, limits=Limits(columns=2))


def test_a_zip_bomb_is_refused_before_it_is_opened(tmp_path):
    path = raw_xlsx(tmp_path / "a.xlsx", [b" " * 1_000_000] * 60)
    assert path.stat().st_size < 300_000
    assert "解开后过大" in refusal(path)


@pytest.mark.parametrize("far", ["A1048576", "XFD1", "XFD1048576"])
def test_a_stray_cell_at_the_end_of_the_sheet(tmp_path, far):
    number = far.lstrip("AXFD")
    cells = "".join(text_cell(f"{c}1", t) for c, t in zip("ABC", HEAD, strict=True))
    stray = text_cell(far, "x")
    xml = (
        f"<sheetData><row r='1'>{cells}{stray}</row></sheetData>"
        if number == "1"
        else f"<sheetData><row r='1'>{cells}</row><row r='{number}'>{stray}</row></sheetData>"
    )
    path = raw_xlsx(tmp_path / "a.xlsx", [xml.encode()])
    if far == "A1048576":  # one column wide: read, and the row is shown at its number
        assert [row.number for row in read_table(path, HEAD).rows] == [1048576]
    else:
        assert "列" in refusal(path) or "很远" in refusal(path)


@pytest.fixture(scope="module")
def bordered(tmp_path_factory):
    path = tmp_path_factory.mktemp("bordered") / "a.xlsx"
    raw_xlsx(path, bordered_to_the_bottom(HEAD, [str(v) for v in ONE], columns=5))
    assert path.stat().st_size < LIMITS.size
    return path


def test_a_million_empty_formatted_rows_cost_little(bordered):
    """Peak memory of reader and parser together, in a process that does nothing else."""
    program = f"""{OWN_PEAK}
import resource, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from core.sheets.reading import read_table
table = read_table({str(bordered)!r}, {HEAD!r})
assert len(table.rows) == 1, table.rows
print(own_peak() + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 300


def test_empty_rows_do_not_move_the_others(tmp_path):
    def pieces():
        yield b"<sheetData>"
        for number in range(1, 150_001):
            if number % 30_000 == 1:
                cells = "".join(
                    text_cell(f"{c}{number}", t) for c, t in zip("ABC", HEAD, strict=True)
                )
            else:
                cells = "".join(f'<c r="{c}{number}" s="1"/>' for c in "ABC")
            yield f'<row r="{number}" spans="1:3">{cells}</row>'.encode()
        yield b"</sheetData>"

    path = raw_xlsx(tmp_path / "a.xlsx", pieces())
    (sheet,) = [[number for number, _ in s.rows] for s in open_book(path)]
    assert sheet == list(range(1, 150_001, 30_000))


def test_a_reader_that_stops_early_leaves_no_process_behind(tmp_path):
    sheets = open_book(book(tmp_path / "a.xlsx", [HEAD, *[ONE] * 5000]))
    next(next(sheets).rows)
    sheets.close()


def test_numbers_dates_and_errors_keep_their_kind(tmp_path):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(["编码", "日期", "数", "公式", "勾"])
    sheet.append([370202199001011234, date(2026, 11, 21), 0.1, "=1+1", True])
    workbook.save(tmp_path / "a.xlsx")
    row = read_table(tmp_path / "a.xlsx", ["编码", "日期", "数", "公式", "勾"]).rows[0]
    assert row.raw("编码") == pytest.approx(370202199001011234, rel=1e-14)
    assert row.raw("日期") == date(2026, 11, 21)
    assert (row["日期"], row["数"], row["公式"], row["勾"]) == ("2026-11-21", "0.1", "", "是")
