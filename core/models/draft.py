from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.fields import EncryptedTextField
from core.scope import OwnScope, ScopedQuerySet


class Draft(models.Model):
    """What a person has typed into a form and not yet submitted. Written by `core.drafts` alone.

    The form is named by its address without the query: an object's own form has its own. The
    content is encrypted whole, because nobody knows what is typed before it is checked.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name="填写人"
    )
    address = models.CharField("表单", max_length=200, editable=False)
    content = EncryptedTextField("内容", editable=False)
    saved_at = models.DateTimeField("暂存时间", default=timezone.now, editable=False)

    scope = OwnScope("user_id")
    objects = models.Manager.from_queryset(ScopedQuerySet)()

    class Meta:
        verbose_name = "草稿"
        constraints = [
            models.UniqueConstraint(fields=["user", "address"], name="draft_one_a_form"),
            models.CheckConstraint(
                name="draft_of_the_console", condition=Q(address__startswith="/console/")
            ),
        ]

    def __str__(self) -> str:
        return self.address
