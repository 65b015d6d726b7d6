from django.db import models


class Serial(models.Model):
    """The last number given out under one key (a place and a year). See actions/numbering.py."""

    key = models.CharField("编号段", max_length=40, primary_key=True)
    last = models.PositiveIntegerField("末号", default=0)

    class Meta:
        verbose_name = "编号"

    def __str__(self) -> str:
        return f"{self.key}: {self.last}"
