from django.db import models
from django.urls import reverse

from core.scope import Scope, ScopedManager


class WorkdayOverride(models.Model):
    """A day on which this place works, or rests, against the national calendar."""

    day = models.DateField("日期", unique=True)
    is_workday = models.BooleanField("上班")
    note = models.CharField("依据", max_length=120)

    scope = Scope(view="workdays.edit")
    objects = ScopedManager()

    class Meta:
        verbose_name = "工作日调整"

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {'上班' if self.is_workday else '休息'}"

    def get_absolute_url(self) -> str:
        return reverse("core:workdays")
