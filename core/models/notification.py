from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from core.scope import OwnScope, ScopedQuerySet


class NotificationQuerySet(ScopedQuerySet):
    def unread(self):
        return self.filter(read_at__isnull=True)

    def mail_due(self):
        return self.filter(mail_due_at__lte=timezone.now())


class Notification(models.Model):
    """One message in one person's inbox. Written by `core.notify.notify` alone."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="notifications",
        verbose_name="收件人",
    )
    kind = models.CharField("类别", max_length=32, blank=True)
    title = models.CharField("标题", max_length=200)
    body = models.TextField("内容", blank=True)
    url = models.CharField("链接", max_length=300, blank=True)
    created_at = models.DateTimeField("时间", default=timezone.now, editable=False)
    read_at = models.DateTimeField("已读时间", null=True, blank=True)
    # The outbox of e-mail: due while it is to be sent, moved on by each try.
    mail_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    mail_tries = models.PositiveSmallIntegerField(default=0, editable=False)
    mailed_at = models.DateTimeField("邮件发出时间", null=True, blank=True, editable=False)

    scope = OwnScope("user_id")
    objects = models.Manager.from_queryset(NotificationQuerySet)()

    class Meta:
        verbose_name = "通知"
        constraints = [
            models.CheckConstraint(
                name="notification_mailed_is_not_due",
                condition=Q(mailed_at__isnull=True) | Q(mail_due_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="notification_inbox"),
            models.Index(
                fields=["user"], condition=Q(read_at__isnull=True), name="notification_unread"
            ),
            models.Index(
                fields=["mail_due_at"],
                condition=Q(mail_due_at__isnull=False),
                name="notification_mail_due",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("core:message", args=[self.pk])
