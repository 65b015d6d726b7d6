from __future__ import annotations

import os
import time
import uuid

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from core.enums import ACTIVE, ENDED, WAITING, JobState
from core.scope import OwnRule, Scope, ScopedQuerySet


def timed_uuid() -> uuid.UUID:
    """A UUID of version 7: random, and in order of time, so that lists page by it."""
    stamp = (time.time_ns() // 1_000_000).to_bytes(6, "big")
    return uuid.UUID(bytes=_marked(stamp + os.urandom(10)))


def _marked(raw: bytes) -> bytes:
    number = int.from_bytes(raw, "big")
    number = number & ~(0xF << 76) | (0x7 << 76)
    number = number & ~(0x3 << 62) | (0x2 << 62)
    return number.to_bytes(16, "big")


class JobQuerySet(ScopedQuerySet):
    def active(self):
        return self.filter(state__in=ACTIVE)

    def held(self, job: Job):
        """The row of `job` while its run is the one that counts: the fence."""
        return self.filter(pk=job.pk, token=job.token, state=JobState.RUNNING)


class Job(models.Model):
    """One background run, from the wish to its end. The row is the truth and the broker's message
    only a knock on the door: it may be lost or come twice (docs/jobs.md).

    `token` is the fence: every change of hands raises it, and whoever holds an older one can
    neither report progress nor finish. Written by `core.jobs` alone.
    """

    id = models.UUIDField(primary_key=True, default=timed_uuid, editable=False)
    kind = models.CharField("类型", max_length=64)
    key = models.CharField("唯一键", max_length=200, blank=True)  # one active run of a kind
    title = models.CharField("名称", max_length=160)
    queue = models.CharField("队列", max_length=32)
    params = models.JSONField("参数", default=dict)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="jobs",
        db_index=False,
        verbose_name="发起人",
    )
    # What the owner must hold to run it and a reader to fetch its result, over what it is about.
    perm = models.CharField("所需权限", max_length=64, blank=True)
    about_type = models.CharField("对象类型", max_length=64, blank=True)
    about_id = models.CharField("对象编号", max_length=64, blank=True)

    state = models.CharField(
        "状态", max_length=12, choices=JobState.choices, default=JobState.PENDING
    )
    token = models.PositiveIntegerField(default=0, editable=False)
    attempt = models.PositiveSmallIntegerField("第几次", default=0)
    worker = models.CharField("工作进程", max_length=120, blank=True)
    done = models.PositiveIntegerField("已处理", default=0)
    total = models.PositiveIntegerField("总数", default=0)
    message = models.CharField("进展", max_length=200, blank=True)
    error = models.TextField("失败原因", blank=True)

    created_at = models.DateTimeField("提交时间", default=timezone.now, editable=False)
    send_after = models.DateTimeField(default=timezone.now, editable=False)
    sends = models.PositiveSmallIntegerField(default=0, editable=False)
    started_at = models.DateTimeField("开始时间", null=True, blank=True)
    heartbeat_at = models.DateTimeField("最近心跳", null=True, blank=True)
    suspect_at = models.DateTimeField(null=True, blank=True, editable=False)
    cancel_asked_at = models.DateTimeField("要求停止时间", null=True, blank=True)
    finished_at = models.DateTimeField("结束时间", null=True, blank=True)

    result_path = models.CharField(max_length=120, blank=True, editable=False)  # below MEDIA_ROOT
    result_name = models.CharField("结果文件", max_length=160, blank=True)
    result_size = models.PositiveBigIntegerField("大小", default=0)
    result_expires_at = models.DateTimeField("保留至", null=True, blank=True)

    scope = Scope(view="jobs.all", own=OwnRule("owner_id"))
    objects = models.Manager.from_queryset(JobQuerySet)()

    class Meta:
        verbose_name = "后台任务"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"],
                condition=Q(state__in=ACTIVE) & ~Q(key=""),
                name="job_key_once_while_active",
            ),
            models.CheckConstraint(
                name="job_ended_is_dated",
                condition=Q(state__in=ENDED, finished_at__isnull=False)
                | Q(state__in=ACTIVE, finished_at__isnull=True),
            ),
            models.CheckConstraint(
                name="job_running_has_a_heartbeat",
                condition=~Q(state=JobState.RUNNING)
                | Q(heartbeat_at__isnull=False, started_at__isnull=False),
            ),
            models.CheckConstraint(
                name="job_result_expires",
                condition=Q(result_path="") | Q(result_expires_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "-id"], name="job_owner"),
            models.Index(fields=["about_type", "about_id", "-id"], name="job_about"),
            models.Index(fields=["send_after"], condition=Q(state__in=WAITING), name="job_to_send"),
            models.Index(
                fields=["heartbeat_at"], condition=Q(state=JobState.RUNNING), name="job_running"
            ),
            models.Index(
                fields=["result_expires_at"], condition=~Q(result_path=""), name="job_result"
            ),
            models.Index(fields=["finished_at"], name="job_finished"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("core:job", args=[self.pk])

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def percent(self) -> int | None:
        """How far it is, 0–100; None while the total is unknown."""
        if self.state == JobState.DONE:
            return 100
        return min(99, self.done * 100 // self.total) if self.total else None

    @property
    def about(self) -> models.Model | None:
        """The object it was submitted for; None if none, or no longer there."""
        if not self.about_type:
            return None
        manager = apps.get_model(self.about_type)._base_manager
        return manager.filter(pk=self.about_id).first()
