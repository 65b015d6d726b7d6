"""What the tables cost: `python -m tests.bench.sheets [rows]` (default 20,000).

Each measurement is a process of its own on a fresh SQLite database (another for stock), so that
the peak memory is its own. Prints seconds, processor seconds and megabytes, and the ratio of stock
django-import-export to ours for the import. Some 110 MB of each peak are Django itself.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

STEPS = ("prepare", "import-ours", "import-again", "export-ours", "export-stock", "import-stock")
HEAD = ["单位名称", "统一社会信用代码", "单位类别", "所在社区代码", "单位党组织", "联络员"]


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "units.xlsx"
        found = {}
        for name in STEPS:
            found[name] = _measured(name, book, rows)
            if name != "prepare":
                say("{:16} {seconds:7.2f} s {cpu:7.2f} s cpu {peak:5} MB", name, **found[name])
        stock, ours = found["import-stock"], found["import-ours"]
        ratios = {key: stock[key] / ours[key] for key in ours}
        say("stock / ours: {seconds:.1f} in time, {cpu:.1f} cpu, {peak:.1f} in memory", **ratios)


def say(text: str, *values: object, **named: object) -> None:
    sys.stdout.write(text.format(*values, **named) + "\n")
    sys.stdout.flush()


def _measured(name: str, book: Path, rows: int) -> dict[str, float]:
    state = book.with_name("stock" if name == "import-stock" else "ours")
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": os.environ.get("BENCH_DATABASE_URL", f"sqlite:///{state}.sqlite3"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.sheets", "--one", name, str(book), str(rows)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def one(name: str, book: Path, rows: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    officer = _officer()
    if name == "prepare":
        _write_book(book, rows)
        say("{}", "{}")
        return
    work: Callable[[], None] = {
        "import-ours": lambda: _ours(book, officer, rows),
        "import-again": lambda: _ours(book, officer, 0),
        "import-stock": lambda: _stock(book, rows),
        "export-ours": lambda: _export(book.with_suffix(".out.xlsx"), officer),
        "export-stock": lambda: _export_stock(book.with_suffix(".stock.xlsx")),
    }[name]
    begun, cpu = time.perf_counter(), _cpu()
    work()
    cost = {
        "seconds": time.perf_counter() - begun,
        "cpu": _cpu() - cpu,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    say("{}", json.dumps(cost))


def _cpu() -> float:
    """Processor seconds of this process and of the parser that it started and awaited."""
    used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


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
    import io

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
