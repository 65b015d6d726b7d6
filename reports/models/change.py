from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class Change(models.Model):
    """A mark: records of `room` at a place have changed since open reviews were last brought up
    to date. Written by triggers on the tables that reviews count (`reports.triggers`), in the
    transaction of the change itself; taken away by `reports.actions.refresh`.

    Ids and a name, no relations: a mark is written at every change of a record and read once.
    """

    # What stands for a review that has come back to 待核, whatever its records did meanwhile.
    REOPENED = "reports"

    room = models.CharField(max_length=12)  # the app whose records they are
    area_id = models.BigIntegerField(null=True)  # None: every place

    class Meta:
        verbose_name = "待更新标记"

    def __str__(self) -> str:
        return f"{self.room} {self.area_id or ''}"


class Tally(models.Model):
    """What a run last counted for each place itself, without what lies below it, so that only
    what has changed is counted anew: ``{source: {"figures": [name, …], "places": {area id:
    [number, …]}}}``. Of use while reviews of the run are open."""

    run = models.OneToOneField("reports.Run", models.CASCADE, related_name="tally")
    stood = models.JSONField(default=list)  # of each place its id, its street's, its district's
    figures = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = "评估计数"

    def __str__(self) -> str:
        return f"{self.run}计数"
