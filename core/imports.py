"""A table into the platform: taken, checked, confirmed, written. Nothing is ever half written.

::

    sheet = take(UnitSheet, request.FILES["file"], by=user)   # checked at once, or in a job
    confirm(sheet, by=user)                                   # written by a job, all or nothing
    drop(sheet, by=user)                                      # or given up

A register of people does not lie about: the file, the marked workbook and what was shown of them
go with the write, with giving up, or within a day of the upload. The row stays.

What stands between the steps is a row (`SheetImport`). The file is checked once more when it is
written, in the person's reach as it is then; what would no longer do exactly what was confirmed
is not written. The write, the row's last state and the audit are one transaction of that job.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core import audit
from core.enums import IMPORT_ENDED, ImportState
from core.errors import Conflict, Refused
from core.files import clean_name
from core.jobs import Run, job_kind, submit
from core.models import SheetImport
from core.scope import require
from core.sheets.checking import Checked, check, write
from core.sheets.marking import errors_workbook
from core.sheets.opening import LIMITS
from core.sheets.resources import RESOURCES, SheetResource

FOLDER = "imports"  # below MEDIA_ROOT
AT_ONCE = 32 * 1024  # bytes of a file that is checked while the person waits: some 1,000 rows
SHOWN = 100  # errors and changes on the page; all are in the workbook
FILES_KEPT = timedelta(hours=23, minutes=40)  # swept every ten minutes: never a day
UNNAMED_FILE_KEPT = timedelta(hours=2)  # longer than an upload or a check takes
SWEPT = 500  # rows at a time
CHANGED = "确认之后，有关数据已被他人修改，没有写入任何一行。请对照下面最新的检查结果核对后再办理。"

Told = Callable[[int, int, str], None]


def resource_of(sheet: SheetImport) -> SheetResource:
    return RESOURCES[sheet.resource]()


def path_of(sheet: SheetImport) -> Path:
    """The uploaded file. Raises `Refused` when it was deleted."""
    if not sheet.path:
        raise Refused("上传的文件已删除。请重新上传。")
    return Path(settings.MEDIA_ROOT) / sheet.path


def errors_of(sheet: SheetImport) -> tuple[Path, str] | None:
    """The workbook with the column 错误信息 and its name; None if there is none (any more)."""
    if not sheet.errors_path:
        return None
    stem = sheet.name.rpartition(".")[0] or sheet.name
    return Path(settings.MEDIA_ROOT) / sheet.errors_path, clean_name(f"{stem}-错误信息.xlsx")


# -- what people do


def take(resource: type[SheetResource], upload: UploadedFile, *, by: Any) -> SheetImport:
    """Keep an uploaded table and have it checked. Raises `Refused` for what is too large."""
    require(by, resource.perm)
    if upload.size > LIMITS.size:
        raise Refused(
            f"文件超过 {LIMITS.size // 2**20} MB。请删除表中的图片和多余的格式，或分成几个文件上传。",
            field="file",
        )
    with _kept(upload) as (path, digest), transaction.atomic():
        sheet = SheetImport.objects.create(
            resource=resource.identifier,
            owner=by,
            name=clean_name(upload.name or "", "表格"),
            size=upload.size,
            sha256=digest,
            path=path,
        )
        if sheet.size > AT_ONCE:
            _send(sheet, "core.import_check", "检查", by)
    if sheet.size <= AT_ONCE:
        _settle(sheet, _examined(sheet, by))
    return SheetImport.objects.get(pk=sheet.pk)


def confirm(sheet: SheetImport, *, by: Any) -> SheetImport:
    """Have a checked table written. Raises `Conflict` when it does not wait for that."""
    resource = resource_of(sheet)
    require(by, resource.perm)
    with transaction.atomic():
        sheet = _locked(sheet)
        if sheet.state != ImportState.READY:
            raise Conflict(
                f"“{sheet.name}”当前是“{sheet.get_state_display()}”，不能确认导入。请刷新页面查看。"
            )
        path_of(sheet)
        sheet.state = ImportState.WRITING
        sheet.message = ""
        sheet.save(update_fields=["state", "message"])
        _send(sheet, "core.import_write", "导入", by)
    return sheet


def check_again(sheet: SheetImport, *, by: Any) -> SheetImport:
    """Check the same file anew: what it is held against has changed, or a run was cut off."""
    require(by, resource_of(sheet).perm)
    with transaction.atomic():
        sheet = _locked(sheet)
        _check_open(sheet)
        path_of(sheet)
        sheet.state = ImportState.CHECKING
        sheet.save(update_fields=["state"])
        _send(sheet, "core.import_check", "检查", by)
    return sheet


def drop(sheet: SheetImport, *, by: Any) -> SheetImport:
    """Give up an import that waits. Raises `Conflict` when it is at work or at its end."""
    require(by, resource_of(sheet).perm)
    with transaction.atomic():
        sheet = _locked(sheet)
        _check_open(sheet)
        _give_up(sheet, "您已放弃这次导入，没有写入任何一行。上传的文件已删除。")
    return sheet


def _check_open(sheet: SheetImport) -> None:
    if sheet.state in IMPORT_ENDED:
        raise Conflict(f"“{sheet.name}”当前是“{sheet.get_state_display()}”，不能再处理。")
    if sheet.is_busy:
        raise Conflict(f"“{sheet.name}”正在处理，请等待完成。")


def _give_up(sheet: SheetImport, why: str) -> None:
    sheet.state, sheet.message = ImportState.DROPPED, why
    _forget(sheet)
    sheet.save(update_fields=["state", "message", *_FILES])


def _forget(sheet: SheetImport) -> None:
    """Let the files of a locked row go with this transaction; the caller saves `_FILES`.

    What was shown of the rows is personal data too, and goes with them.
    """
    _unlink(sheet.path, sheet.errors_path)
    sheet.path, sheet.errors_path, sheet.preview = "", "", {}


_FILES = ("path", "errors_path", "preview")


def _unlink(*names: str) -> None:
    """Delete files below MEDIA_ROOT once this transaction stands."""
    for name in filter(None, names):
        file = Path(settings.MEDIA_ROOT) / name
        transaction.on_commit(lambda file=file: file.unlink(missing_ok=True), robust=True)


# -- what jobs do


@job_kind("core.import_check", queue="sheets", title="检查导入表格", minutes=15)
def run_check(job: Run, *, sheet: str) -> None:
    """Check the file and say what it would do. A second run finds the same."""
    row = SheetImport.objects.get(pk=sheet)
    if row.state != ImportState.CHECKING:
        return
    values = _examined(row, job.owner, job.progress)
    with job.atomic():
        _settle(row, values)
    job.progress(1, 1, _summary(SheetImport.objects.get(pk=sheet)))


@job_kind("core.import_write", queue="sheets", title="导入表格", minutes=30)
def run_write(job: Run, *, sheet: str) -> None:
    """Check once more and write. A second run finds it written and does nothing."""
    row = SheetImport.objects.get(pk=sheet)
    if row.state != ImportState.WRITING:
        return
    resource = resource_of(row)
    checked = check(path_of(row), resource, by=job.owner, tell=job.progress)
    if checked.errors or checked.print != row.preview.get("print"):
        raise _changed(job, row, checked)
    try:
        _write(job, row, checked)
    except Conflict:  # somebody registered one of the rows between the check and the write's locks
        raise _changed(job, row, check(path_of(row), resource, by=job.owner)) from None
    job.progress(1, 1, _summary(SheetImport.objects.get(pk=sheet)))


def _changed(job: Run, row: SheetImport, checked: Checked) -> Refused:
    """Nothing was written: the row waits again, with what the file would do by now."""
    values = _outcome(row, checked, resource_of(row))
    values["message"] = values["message"] or CHANGED
    with job.atomic():
        _settle(row, values, ImportState.WRITING)
    return Refused(CHANGED)


def _write(job: Run, row: SheetImport, checked: Checked) -> None:
    """Raises `Conflict` when the write finds other rows than the check."""
    created, changed = len(checked.created), len(checked.changed)
    job.progress(0, 0, "正在写入")
    with job.atomic():
        row = _locked(row)
        written = write(checked, resource_of(row), by=job.owner)
        if getattr(written, "created", created) != created:
            raise Conflict(CHANGED)
        row.state, row.written_at = ImportState.WRITTEN, timezone.now()
        row.created, row.changed, row.same, row.wrong = created, changed, checked.same, 0
        row.message = ""
        _forget(row)
        row.save()
        after = {"file": row.name, "sha256": row.sha256, "created": created, "changed": changed}
        audit.record("core.import", row, by=job.owner, after=after)


def _examined(sheet: SheetImport, by: Any, tell: Told | None = None) -> dict[str, Any]:
    """What a check of the file comes to, as values of the row."""
    resource = resource_of(sheet)
    try:
        checked = check(path_of(sheet), resource, by=by, tell=tell)
        return _outcome(sheet, checked, resource)
    except Refused as refusal:
        return _failed(refusal.message)


def _failed(why: str) -> dict[str, Any]:
    """What cannot be imported keeps no file: only another one leads on."""
    gone = {"path": "", "errors_path": "", "preview": {}}
    return {"state": ImportState.FAILED, "message": why, **gone}


def _outcome(sheet: SheetImport, checked: Checked, resource: SheetResource) -> dict[str, Any]:
    if not (checked.errors or checked.created or checked.changed):
        return {
            **_failed("表中各行与系统中的记录完全相同，没有需要写入的内容。"),
            "same": checked.same,
        }
    values: dict[str, Any] = {
        "state": ImportState.WRONG if checked.errors else ImportState.READY,
        "message": "",
        "created": len(checked.created),
        "changed": len(checked.changed),
        "same": checked.same,
        "wrong": checked.wrong_rows,
        "errors_path": "",
        "preview": _preview(checked, resource),
    }
    if checked.errors:
        errors_path = f"{FOLDER}/{sheet.pk.hex}-{secrets.token_hex(4)}.xlsx"
        whole = Path(settings.MEDIA_ROOT) / errors_path
        errors_workbook(path_of(sheet), checked, resource, whole)
        values["errors_path"] = errors_path
    return values


def _preview(checked: Checked, resource: SheetResource) -> dict[str, Any]:
    key = resource.key_field
    lead = resource.columns[0]

    def named(ready) -> str:
        return str(ready.values.get(lead.attribute) or ready.values[key.attribute])

    return {
        "print": checked.print,
        "sheet": checked.table.sheet,
        "rows": len(checked.table.rows),
        "notes": checked.notes[:SHOWN],
        "errors": [list(error) for error in checked.errors[:SHOWN]],
        "errors_total": len(checked.errors),
        "created": [[r.number, named(r)] for r in checked.created[:SHOWN]],
        "changed": [
            [r.number, named(r), [[c, *pair] for c, pair in r.changes.items()]]
            for r in checked.changed[:SHOWN]
        ],
    }


def _settle(
    sheet: SheetImport, values: dict[str, Any], expected: str = ImportState.CHECKING
) -> None:
    """Bring the row on, if it still is where this run began; files that it names no more go."""
    moved = SheetImport.objects.filter(pk=sheet.pk, state=expected).update(**values)
    if not moved:
        _unlink(values["errors_path"])
        return
    _unlink(sheet.errors_path)
    if not values.get("path", sheet.path):
        _unlink(sheet.path)


def _summary(sheet: SheetImport) -> str:
    if sheet.state == ImportState.WRITTEN:
        return f"新增 {sheet.created} 行，更新 {sheet.changed} 行"
    if sheet.state == ImportState.WRONG:
        return f"{sheet.wrong} 行有错误，请查看"
    if sheet.state == ImportState.READY:
        return f"检查通过：将新增 {sheet.created} 行，更新 {sheet.changed} 行，请确认"
    return sheet.message[:200]


def _send(sheet: SheetImport, kind: str, verb: str, by: Any) -> None:
    resource = RESOURCES[sheet.resource]
    sheet.job = submit(
        kind,
        by=by,
        perm=resource.perm,
        key=sheet.pk.hex,
        title=f"{verb}{resource.title}：{sheet.name}",
        sheet=str(sheet.pk),
    )
    sheet.save(update_fields=["job"])


def _locked(sheet: SheetImport) -> SheetImport:
    rows = SheetImport.objects.select_for_update(of=("self",)).select_related("job")
    return rows.get(pk=sheet.pk)


@contextlib.contextmanager
def _kept(upload: UploadedFile) -> Iterator[tuple[str, str]]:
    """The upload on disk below MEDIA_ROOT, and its SHA-256; gone again if the block fails."""
    folder = Path(settings.MEDIA_ROOT) / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    path = folder / f"{secrets.token_hex(16)}.upload"
    digest = hashlib.sha256()
    try:
        with path.open("xb") as file:
            for chunk in upload.chunks():
                digest.update(chunk)
                file.write(chunk)
        yield f"{FOLDER}/{path.name}", digest.hexdigest()
    except BaseException:
        path.unlink(missing_ok=True)
        raise


# -- what the clock does


def drop_old_files() -> int:
    """Give up what has waited too long, and delete its files; the rows stay and tell it."""
    too_long = SheetImport.objects.filter(created_at__lt=timezone.now() - FILES_KEPT)
    return sum(map(_drop_old, too_long.exclude(path="").order_by("created_at")[:SWEPT]))


@transaction.atomic
def _drop_old(sheet: SheetImport) -> bool:
    sheet = _locked(sheet)
    if sheet.is_busy:  # a run has begun on it, and will end
        return False
    _let_go(sheet, "上传后一天内没有确认导入，没有写入任何一行。上传的文件已删除。")
    return True


def drop_lost_files() -> int:
    """Give up, after the platform was restored from a copy, the uploads whose files no copy keeps.
    A run that still waits finds nothing to do."""
    kept = SheetImport.objects.exclude(path="", errors_path="")
    return sum(map(_drop_lost, kept.order_by("created_at")))


@transaction.atomic
def _drop_lost(sheet: SheetImport) -> bool:
    sheet = _locked(sheet)
    _let_go(sheet, "系统已从备份恢复，上传的文件不在备份中，没有写入任何一行。请重新上传。")
    return True


def _let_go(sheet: SheetImport, why: str) -> None:
    """An ended upload loses its files; one that waits is given up for this reason."""
    if sheet.state in IMPORT_ENDED:
        _forget(sheet)
        sheet.save(update_fields=_FILES)
    else:
        _give_up(sheet, why)


def named(paths: list[str]) -> set[str]:
    """Which of these files have a row."""
    rows = SheetImport.objects.filter(Q(path__in=paths) | Q(errors_path__in=paths))
    return {path for pair in rows.values_list("path", "errors_path") for path in pair if path}
