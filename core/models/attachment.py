from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from core.models.job import timed_uuid


class Attachment(models.Model):
    """A file that somebody put with an object. Written by `core.attachments` alone.

    It has no scope of its own: whoever sees the object sees its files. The object is named by
    type and id, without a foreign key, so that every room can have attachments.
    """

    id = models.UUIDField(primary_key=True, default=timed_uuid, editable=False)
    object_type = models.CharField(max_length=64, editable=False)
    object_id = models.CharField(max_length=64, editable=False)
    name = models.CharField("文件名", max_length=160)
    content_type = models.CharField("类型", max_length=100)
    size = models.PositiveBigIntegerField("大小")
    sha256 = models.CharField("校验值", max_length=64)
    path = models.CharField(max_length=120, unique=True, editable=False)  # below MEDIA_ROOT
    uploader = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name="上传人",
    )
    created_at = models.DateTimeField("上传时间", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "附件"
        indexes = [models.Index(fields=["object_type", "object_id", "id"], name="attachment_of")]
        constraints = [
            # The same file twice with one object is a slip, also when two people make it at once.
            models.UniqueConstraint(
                fields=["object_type", "object_id", "sha256"], name="attachment_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("core:attachment", args=[self.pk])
