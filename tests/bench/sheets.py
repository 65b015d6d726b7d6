"""What the tables cost, on a copy of the seeded city: its two long ledgers out, registers in.

Each pair is a process of its own, so that the peak memory is its own; some 85 MB of it are Django
itself, and 55 more pypinyin's dictionaries where names are spelt. The files that are read are made
beforehand, by another process. What is written goes again between the rounds, the audit excepted.
"""

from __future__ import annotations

import functools
import io
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from tests.bench import medians, peak, row, seconds, share

ROWS = 20_000  # of a register at the city's full size
UNIT_HEAD = ["单位名称", "统一社会信用代码", "单位类别", "所在社区代码", "单位党组织", "联络员"]
MEMBER_HEAD = ["姓名", "手机号", "单位统一社会信用代码", "居住社区代码", "单位党组织", "特长"]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in PARTS:
            command = [sys.executable, "-m", "tests.bench.sheets", "--one", name, folder]
            subprocess.run(command, check=True)


def one(name: str, folder: Path) -> None:
    import django

    django.setup()
    PARTS[name](folder)


def rows() -> int:
    return round(ROWS * share())


# -- out


def export(identifier: str, title: str, folder: Path) -> None:
    from core.exports import EXPORTERS, export_to

    officer, what = _holder("org_department"), EXPORTERS[identifier]()
    asked = what.read({}, officer)
    paths = list(dict.fromkeys(source for column in what.columns for source in column.sources))
    sql, params = what.queryset(officer, asked).values_list(*paths).query.sql_with_params()
    took, copied = medians(
        lambda: export_to(folder / "out.xlsx", what, by=officer, asked=asked),
        lambda: _copy(f"COPY ({_filled_in(sql, params)}) TO STDOUT CSV", folder / "out.csv", "wb"),
    )
    row(f"{title} as XLSX", took, "COPY TO CSV of the same query", copied, at_most=8, memory=peak())


# -- in


class Register:
    """A table of new rows, which goes in and out again. `tables`: where they land, those that name
    others first."""

    resource: str
    role: str
    head: list[str]
    tables: tuple[str, ...]
    yardstick: str

    def __init__(self, folder: Path) -> None:
        self.folder, self.officer = folder, _holder(self.role)
        self.book = folder / f"{self.resource}.xlsx"
        self.marks = {table: _value(f"SELECT max(id) FROM {table}") for table in self.tables}
        self.audited = _value("SELECT max(id) FROM core_auditevent") or 0

    def lines(self) -> Iterator[list[Any]]:
        raise NotImplementedError

    def prepare(self) -> None:
        from core.sheets.layout import Column, Layout
        from core.sheets.writing import write_table

        layout = Layout("登记表", [Column(head) for head in self.head], title="登记表")
        write_table(self.book, layout, self.lines())

    def plain(self, most: int) -> bytes:
        """The first of the same rows as stock wants them: the header in the first row."""
        import openpyxl

        book, out = openpyxl.Workbook(write_only=True), io.BytesIO()
        sheet = book.create_sheet()
        for line in [self.head, *islice(self.lines(), most)]:
            sheet.append(line)
        book.save(out)
        return out.getvalue()

    def ours(self) -> None:
        from core.sheets.checking import check, write
        from core.sheets.resources import RESOURCES

        sheet = RESOURCES[self.resource]()
        checked = check(self.book, sheet, by=self.officer)
        assert not checked.errors, checked.errors[:3]
        assert len(checked.created) == rows()
        write(checked, sheet, by=self.officer)

    def empty(self) -> None:
        # Nothing refers to the new rows; asking every table that might takes minutes.
        _execute("SET session_replication_role = replica")
        for table, mark in self.marks.items():
            _execute(f"DELETE FROM {table} WHERE id > {mark}")
            _execute(f"VACUUM {table}")
        _execute("RESET session_replication_role")
        _execute("DROP TABLE IF EXISTS bench_audit")
        _execute("CREATE TABLE bench_audit (LIKE core_auditevent INCLUDING ALL)")

    def stock(self) -> float:
        """Seconds that stock takes for the rows."""
        raise NotImplementedError

    def measure(self) -> None:
        self.ours()
        for table, mark in [*self.marks.items(), ("core_auditevent", self.audited)]:
            ready = f"COPY (SELECT * FROM {table} WHERE id > {mark}) TO STDOUT"
            _copy(ready, self.folder / table, "wb")

        def copy() -> None:
            for table in reversed(self.tables):
                _copy(f"COPY {table} FROM STDIN", self.folder / table, "rb")

        def copy_all() -> None:
            copy()
            _copy("COPY bench_audit FROM STDIN", self.folder / "core_auditevent", "rb")

        took, copied, audited = medians(self.ours, copy, copy_all, before=self.empty)
        work = f"import {self.resource} with every check"
        row(work, took, "COPY of the ready rows", copied, at_most=5, memory=peak())
        self.empty()
        row(f"{work}, the same", took, "COPY of the rows and of their audit", audited)
        row(f"import the same {self.resource}", took, self.yardstick, self.stock(), faster=40)


class Units(Register):
    resource, role, head = "units", "org_department", UNIT_HEAD
    tables = ("orgs_unit",)
    yardstick = "stock django-import-export (once; of the parts a tenth of the city's rows, scaled)"

    def lines(self) -> Iterator[list[Any]]:
        from orgs.models import Area
        from tests.factories.orgs import credit_code

        codes = list(Area.objects.filter(kind="community").values_list("code", flat=True))
        kinds = ("机关", "事业单位", "国有企业", "非公企业", "学校", "医院")
        for n in range(rows()):
            yield [f"第{n}号共建单位有限公司", credit_code(9_000_000 + n), kinds[n % 6],
                   codes[n % len(codes)], f"中共第{n}号共建单位支部", "王晓明"]  # fmt: skip

    def stock(self) -> float:
        """A minute and more for the whole: once there. It goes row by row, so that a tenth of the
        city's rows stand for those of a part: at a tenth five times, for these are all."""
        few = rows() if share() == 1 else min(rows(), ROWS // 10)
        plain = self.plain(few)
        (took,) = medians(
            lambda: _stock(_units(), plain, few),
            before=self.empty,
            times=5 if share() < 0.2 else 1,
        )
        self.empty()
        return took * rows() / few


class Members(Register):
    """A street's own residents, who work anywhere in the city."""

    resource, role, head = "members", "street_officer", MEMBER_HEAD
    tables = ("members_reporting", "members_member")
    yardstick = "stock django-import-export (a tenth of the rows, once, scaled)"

    def lines(self) -> Iterator[list[Any]]:
        from orgs.models import Area, Unit

        grant = self.officer.grants.get(role=self.role)
        homes = Area.objects.filter(kind="community", street=grant.area_id)
        codes = list(homes.values_list("code", flat=True))
        units = list(
            Unit.objects.filter(state="active").values_list("credit_code", flat=True)[:5000]
        )
        for n in range(rows()):
            yield [f"王{'晓明建国'[n % 4]}{'东南西北'[n // 4 % 4]}", f"199{n:08d}",
                   units[n % len(units)], codes[n % len(codes)], None, "法律咨询"]  # fmt: skip

    def stock(self) -> float:
        """Minutes for the whole, row by row: a tenth of the rows, once, stand for it."""
        few = rows() // 10
        plain = self.plain(few)
        took = seconds(lambda: _stock(_members(), plain, few))
        self.empty()
        return took * rows() / few


PARTS: dict[str, Callable[[Path], None]] = {
    "reporting": functools.partial(export, "reporting", "export the ledger of dual reporting"),
    "lists": functools.partial(export, "lists", "export the ledger of the lists"),
    "prepare": lambda folder: [Units(folder).prepare(), Members(folder).prepare()],
    "units": lambda folder: Units(folder).measure(),
    "members": lambda folder: Members(folder).measure(),
}


# -- the database


def _holder(role: str) -> Any:
    from accounts.models import Grant

    return Grant.objects.filter(role=role, user__is_active=True).order_by("pk").first().user


def _execute(statement: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)


def _value(statement: str) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def _filled_in(sql: str, params: tuple) -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        return cursor.mogrify(sql, params).decode()


def _copy(statement: str, path: Path, mode: str) -> None:
    from django.db import connection, transaction

    with path.open(mode) as file, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off")  # as the export has it
        cursor.copy_expert(statement, file)


# -- stock: the same columns and the same checks of single cells, as its documentation has it; no
# scope, no comparison with what is registered, no audit


def _stock(resource: Any, book: bytes, new: int) -> None:
    from import_export.formats.base_formats import XLSX

    result = resource.import_data(
        XLSX().create_dataset(book), raise_errors=True, use_transactions=True
    )
    assert result.totals["new"] == new, result.totals


def _units() -> Any:
    from import_export import fields, resources, widgets

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

    return UnitResource()


def _members() -> Any:
    """A number is found by its blind index, among those who have not left: of them alone there is an
    index. With each new member goes the reporting that it opens."""
    from django.utils import timezone
    from import_export import fields, resources, widgets

    from core.fields import blind_index
    from members.actions.member import clean_phone
    from members.models import Member, Reporting
    from orgs.models import Area, Unit

    class Phone(widgets.CharWidget):
        def clean(self, value, row=None, **kwargs):
            return clean_phone(value)

    class MemberResource(resources.ModelResource):
        name = fields.Field("name", "姓名")
        phone = fields.Field("phone", "手机号", Phone())
        phone_index = fields.Field("phone_index", "索引")
        unit = fields.Field(
            "unit", "单位统一社会信用代码", widgets.ForeignKeyWidget(Unit, "credit_code")
        )
        area = fields.Field("area", "居住社区代码", widgets.ForeignKeyWidget(Area, "code"))
        party_org = fields.Field("party_org", "单位党组织", default="")
        speciality = fields.Field("speciality", "特长")

        class Meta:
            model = Member
            import_id_fields = ("phone_index",)
            fields = ("name", "phone", "phone_index", "unit", "area", "party_org", "speciality")

        def get_queryset(self):
            return Member.objects.filter(left_on__isnull=True).exclude(phone_index="")

        def before_import(self, dataset, **kwargs):
            at = dataset.headers.index("手机号")
            dataset.append_col(lambda row: blind_index(clean_phone(row[at])), header="索引")

        def after_save_instance(self, instance, row, **kwargs):
            Reporting.objects.create(
                member=instance,
                unit_id=instance.unit_id,
                area_id=instance.area_id,
                opened_on=timezone.localdate(),
            )

    return MemberResource()


if __name__ == "__main__":
    if "--one" in sys.argv:
        one(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
