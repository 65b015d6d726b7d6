"""The import template of a resource: an empty table with dropdowns, and a sheet 填表说明."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from core.sheets.frame import head_rows, set_up_page, write_head
from core.sheets.layout import Kind, Layout
from core.sheets.opening import LIMITS
from core.sheets.reading import HELP
from core.sheets.resources import SheetField, SheetResource
from core.sheets.widths import text_width
from core.sheets.workbook import MergingSheet, Styles, open_workbook, sheet_name, write_line
from core.sheets.writing import replacing

_OPTIONS = "选项"
_INLINE = 255  # characters that Excel takes as a list inside the rule itself
_PROMPT = 255
_GENERAL_NOTES = (
    "红色表头为必填列；请勿改动表头文字和列的含义，列的顺序可以调整。",
    "编码、电话等列已设为文本格式；从别处复制时请“选择性粘贴—数值”。",
    "日期写成 2026-11-21、2026/11/21 或 2026年11月21日均可。",
    "上传后系统先检查全部内容，有错误时一行也不写入，并可下载标有“错误信息”的原表。",
)


def write_template(path: Path | str, resource: SheetResource) -> None:
    """Write the template workbook of `resource` to `path`."""
    path = Path(path)
    columns = resource.columns
    layout = Layout(
        sheet_name(resource.title), [c.column for c in columns], title=f"{resource.title}导入模板"
    )
    with replacing(path) as part, open_workbook(part) as book:
        styles = Styles(book)
        sheet = book.add_worksheet(layout.name, worksheet_class=MergingSheet)
        required = {c.column_name for c in columns if c.required}
        write_head(sheet, styles, layout, required)
        for place, column in enumerate(columns):
            width = max(12, text_width(column.header) + 2, text_width(column.example) + 2)
            # The column's own format: what is typed into an empty cell of a code stays text.
            look = styles.cell(column.widget.kind, border=0, align="left", text_wrap=False)
            sheet.set_column(place, place, min(width, 40), look)
        set_up_page(sheet, layout)
        _write_help(book, styles, resource)
        put_rules(book, sheet, columns, range(len(columns)), head_rows(layout))


def put_rules(
    book: Workbook,
    sheet: Worksheet,
    columns: Sequence[SheetField],
    places: Sequence[int],
    first_row: int,
) -> None:
    """Dropdowns and prompts below `first_row`; long lists stand on a hidden sheet."""
    last_row = first_row + LIMITS.rows - 1
    lists: list[Sequence[str]] = []
    for column, place in zip(columns, places, strict=True):
        rule: dict = {"validate": "any", "ignore_blank": True}
        if column.help:
            rule |= {"input_title": column.header[:32], "input_message": column.help[:_PROMPT]}
        choices = column.widget.choices
        if choices:
            source: list[str] | str = list(choices)
            if len(",".join(choices)) > _INLINE:
                lists.append(choices)
                letter = xl_col_to_name(len(lists) - 1)
                source = f"={_OPTIONS}!${letter}$1:${letter}${len(choices)}"
            rule |= {
                "validate": "list",
                "source": source,
                "error_title": column.header[:32],
                "error_message": "请从下拉列表中选择。",
            }
        if len(rule) > 2:
            sheet.data_validation(first_row, place, last_row, place, rule)
    if lists:
        options = book.add_worksheet(_OPTIONS)
        for row in range(max(map(len, lists))):
            for place, choices in enumerate(lists):
                if row < len(choices):
                    options.write_string(row, place, choices[row])
        options.hide()


def _write_help(book: Workbook, styles: Styles, resource: SheetResource) -> None:
    sheet = book.add_worksheet(HELP, worksheet_class=MergingSheet)
    heads = ("列名", "是否必填", "填写要求", "示例")
    for place, width in enumerate((24, 10, 60, 30)):
        sheet.set_column(place, place, width)
    sheet.set_row(0, 28)
    write_line(sheet, 0, len(heads) - 1, f"{resource.title}{HELP}", styles.title())
    for place, text in enumerate(heads):
        sheet.write_string(1, place, text, styles.head())
    row = 2
    for column in resource.columns:
        help_text = column.help
        if column.widget.choices:
            help_text = f"{help_text}：{'、'.join(column.widget.choices)}"
        said = (
            column.column_name,
            "必填" if column.required else "选填",
            help_text,
            column.example,
        )
        sheet.set_row(row, 20 * max(1, -(-2 * len(help_text) // 58)))
        for place, text in enumerate(said):
            sheet.write_string(row, place, text, styles.cell(Kind.TEXT))
        row += 1
    for number, note in enumerate((*_GENERAL_NOTES, *resource.notes), start=1):
        sheet.set_row(row, 20)
        write_line(sheet, row, len(heads) - 1, f"{number}. {note}", styles.line())
        row += 1
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
