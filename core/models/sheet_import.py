from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.enums import ImportState
from core.models.job import Job, timed_uuid
from core.scope import OwnScope, ScopedManager


class SheetImport(models.Model):
    """One uploaded table on its way into the platform: checked, looked at, confirmed, written.

    It is the uploader's own until it is written. Written by `core.imports` alone.
    """

    id = models.UUIDField(primary_key=True, default=timed_uuid, editable=False)
    resource = models.CharField("表格", max_length=64)  # identifier of the SheetResource
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name="上传人",
    )
    name = models.CharField("文件名", max_length=160)
    size = models.PositiveBigIntegerField("大小")
    sha256 = models.CharField("校验值", max_length=64)
    path = models.CharField(max_length=120, blank=True, editable=False)  # below MEDIA_ROOT
    errors_path = models.CharField(max_length=120, blank=True, editable=False)

    state = models.CharField(
        "状态", max_length=12, choices=ImportState.choices, default=ImportState.CHECKING
    )
    # The run that checks or writes it now, or did last; small files are checked without one.
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    message = models.TextField("说明", blank=True)
    created = models.PositiveIntegerField("新增", default=0)
    changed = models.PositiveIntegerField("更新", default=0)
    same = models.PositiveIntegerField("无变化", default=0)
    wrong = models.PositiveIntegerField("有错误", default=0)
    preview = models.JSONField("预览", default=dict)
    created_at = models.DateTimeField("上传时间", default=timezone.now, editable=False)
    written_at = models.DateTimeField("写入时间", null=True, blank=True)

    scope = OwnScope("owner_id")
    objects = ScopedManager()

    class Meta:
        verbose_name = "表格导入"
        constraints = [
            models.CheckConstraint(
                name="import_written_is_dated",
                condition=Q(state=ImportState.WRITTEN, written_at__isnull=False)
                | (~Q(state=ImportState.WRITTEN) & Q(written_at__isnull=True)),
            )
        ]
        indexes = [
            models.Index(fields=["owner", "resource", "-id"], name="import_owner"),
            models.Index(fields=["created_at"], condition=~Q(path=""), name="import_files"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state_tone(self) -> str:
        return ImportState(self.state).tone

    @property
    def is_busy(self) -> bool:
        """Whether a run is at work on it. One that died leaves the state, and is no longer busy."""
        at_work = self.state in (ImportState.CHECKING, ImportState.WRITING)
        return at_work and self.job is not None and self.job.is_active

    @property
    def is_stuck(self) -> bool:
        """Whether a run was to bring it on, and ended without doing so."""
        return self.state in (ImportState.CHECKING, ImportState.WRITING) and not self.is_busy
