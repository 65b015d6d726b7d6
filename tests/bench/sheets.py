"""What the tables cost: `DATABASE_URL=postgres://… python -m tests.bench.sheets [rows]`.

Units read from a workbook with every check, and written to one, against COPY of the same rows and
against stock django-import-export. Each pair is a process of its own, so that the peak memory is
its own; some 110 MB of it are Django itself. Needs an empty database, which it migrates.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import medians, peak, row

ROWS = 2_000
HEAD = ["单位名称", "统一社会信用代码", "单位类别", "所在社区代码", "单位党组织", "联络员"]


def main() -> None:
    rows = sys.argv[1] if len(sys.argv) > 1 else str(ROWS)
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "units.xlsx"
        for name in PAIRS:
            command = [sys.executable, "-m", "tests.bench.sheets", "--one", name, str(book), rows]
            subprocess.run(command, check=True)


def one(name: str, book: Path, rows: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    PAIRS[name](book, rows)


def prepare(book: Path, rows: int) -> None:
    _officer()
    _write_book(book, rows)


def read(book: Path, rows: int) -> None:
    officer = _officer()

    def ours():
        _ours(book, officer, rows)

    ours()
    ready = io.StringIO()
    _copy("COPY orgs_unit TO STDOUT", ready)

    def copy():
        ready.seek(0)
        _copy("COPY orgs_unit FROM STDIN", ready)

    took, copied = medians(ours, copy, before=_empty)
    row("import units", took, "COPY of the ready rows", copied, memory=peak())


def read_stock(book: Path, rows: int) -> None:
    officer = _officer()
    took, stock = medians(
        lambda: _ours(book, officer, rows), lambda: _stock(book, rows), before=_empty
    )
    row("the same", took, "stock django-import-export", stock, memory=peak())


def written(book: Path, rows: int) -> None:
    officer = _officer()
    _fill(book, officer, rows)
    took, copied = medians(lambda: _export(book.with_suffix(".out.xlsx"), officer), _copy_csv)
    row("export units as XLSX", took, "COPY TO CSV of the same query", copied, memory=peak())


def written_stock(book: Path, rows: int) -> None:
    officer = _officer()
    _fill(book, officer, rows)
    took, stock = medians(
        lambda: _export(book.with_suffix(".out.xlsx"), officer),
        lambda: _export_stock(book.with_suffix(".stock.xlsx")),
    )
    row("the same", took, "stock django-import-export", stock, memory=peak())


PAIRS: dict[str, Callable[[Path, int], None]] = {
    "prepare": prepare,
    "read": read,
    "read-stock": read_stock,
    "written": written,
    "written-stock": written_stock,
}


def _copy(statement: str, file: io.StringIO) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.copy_expert(statement, file)


def _copy_csv() -> None:
    _copy(
        "COPY (SELECT u.name, credit_code, u.kind, a.code, party_org, contact_name FROM orgs_unit u"
        " JOIN orgs_area a ON a.id = u.area_id ORDER BY u.id) TO STDOUT CSV",
        io.StringIO(),
    )


def _empty() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM orgs_unit")  # TRUNCATE would take the officers' grants along
        cursor.execute("VACUUM orgs_unit")


def _fill(book: Path, officer, rows: int) -> None:
    _empty()
    _ours(book, officer, rows)


def _officer():
    from accounts.models import User
    from tests.factories.accounts import person
    from tests.factories.orgs import small_city

    known = User.objects.filter(username="bench").first()
    if known:
        return known
    return person("org_department", small_city().city, username="bench")


def _write_book(book: Path, rows: int) -> None:
    from core.sheets.layout import Column, Layout
    from core.sheets.writing import write_table
    from orgs.models import Area
    from tests.factories.orgs import credit_code

    codes = list(Area.objects.filter(kind="community").values_list("code", flat=True))
    kinds = ("机关", "事业单位", "国有企业", "非公企业", "学校", "医院")
    write_table(
        book,
        Layout("驻区单位", [Column(head) for head in HEAD], title="驻区单位登记表"),
        (
            [f"第{n}号共建单位有限公司", credit_code(n), kinds[n % 6], codes[n % len(codes)],
             f"中共第{n}号共建单位支部", "王晓明"]
            for n in range(rows)
        ),
    )  # fmt: skip


def _ours(book: Path, officer, created: int) -> None:
    from core.sheets.checking import check, write
    from orgs.sheets import UnitSheet

    sheet = UnitSheet()
    checked = check(book, sheet, by=officer)
    assert not checked.errors, checked.errors[:3]
    assert len(checked.created) == created
    write(checked, sheet, by=officer)


def _stock(book: Path, rows: int) -> None:
    """The same columns and the same checks of single cells, as its documentation has it."""
    from import_export import fields, resources, widgets
    from import_export.formats.base_formats import XLSX

    from orgs.credit_code import fault
    from orgs.enums import UnitKind
    from orgs.models import Area, Unit

    labels = {str(label): value for value, label in UnitKind.choices}

    class Kind(widgets.Widget):
        def clean(self, value, row=None, **kwargs):
            return labels[value]

    class Code(widgets.CharWidget):
        def clean(self, value, row=None, **kwargs):
            if why := fault(value):
                raise ValueError(why)
            return value

    class UnitResource(resources.ModelResource):
        name = fields.Field("name", "单位名称")
        credit_code = fields.Field("credit_code", "统一社会信用代码", Code())
        kind = fields.Field("kind", "单位类别", Kind())
        area = fields.Field("area", "所在社区代码", widgets.ForeignKeyWidget(Area, "code"))
        party_org = fields.Field("party_org", "单位党组织")
        contact_name = fields.Field("contact_name", "联络员")

        class Meta:
            model = Unit
            import_id_fields = ("credit_code",)
            fields = ("name", "credit_code", "kind", "area", "party_org", "contact_name")

    data = XLSX().create_dataset(_without_title(book))
    result = UnitResource().import_data(data, raise_errors=True, use_transactions=True)
    assert result.totals["new"] == rows, result.totals


def _without_title(book: Path) -> bytes:
    """Stock wants the header in the first row."""
    import openpyxl

    loaded = openpyxl.load_workbook(book)
    sheet = loaded.active
    for box in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(box))
    sheet.delete_rows(1)
    out = io.BytesIO()
    loaded.save(out)
    return out.getvalue()


def _export(path: Path, officer) -> None:
    from core.exports import export_to
    from orgs.sheets import UnitRegister

    what = UnitRegister()
    export_to(path, what, by=officer, asked=what.read({}, officer))


def _export_stock(path: Path) -> None:
    from import_export import resources
    from import_export.formats.base_formats import XLSX

    from orgs.models import Unit

    class UnitResource(resources.ModelResource):
        class Meta:
            model = Unit
            fields = ("name", "credit_code", "kind", "area__code", "party_org", "contact_name")

    data = UnitResource().export(Unit.objects.select_related("area"))
    path.write_bytes(XLSX().export_data(data))


if __name__ == "__main__":
    if "--one" in sys.argv:
        one(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
