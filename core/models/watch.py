from django.conf import settings
from django.db import models
from django.utils import timezone

from core.scope import OwnScope, ScopedQuerySet


class WatchQuerySet(ScopedQuerySet):
    def on(self, obj: models.Model):
        """Those that follow `obj`."""
        return self.filter(object_type=obj._meta.label_lower, object_id=str(obj.pk))


class Watch(models.Model):
    """A person follows an object. Written by `core.watching` alone.

    The object is named by type and id, without a foreign key, so that every room's can be
    followed; whoever loses sight of it loses the row with the next that happens.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name="关注人"
    )
    object_type = models.CharField(max_length=64, editable=False)
    object_id = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField("关注时间", default=timezone.now, editable=False)

    scope = OwnScope("user_id")
    objects = models.Manager.from_queryset(WatchQuerySet)()

    class Meta:
        verbose_name = "关注"
        constraints = [
            models.UniqueConstraint(fields=["user", "object_type", "object_id"], name="watch_once"),
            models.CheckConstraint(
                name="watch_names_an_object",
                condition=~models.Q(object_type="") & ~models.Q(object_id=""),
            ),
        ]
        indexes = [models.Index(fields=["object_type", "object_id"], name="watch_of")]

    def __str__(self) -> str:
        return f"{self.object_type} {self.object_id}"
