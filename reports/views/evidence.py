"""The records behind one score: what was counted, and what was not."""

from __future__ import annotations

from django.http import Http404
from django.urls import reverse

from core.periods import parse_period
from core.scope import get_visible, require
from core.views import ListView
from reports.catalogue import MEASURES
from reports.models import Review
from reports.tables import EvidenceTable, evidence_columns


class Evidence(ListView):
    """Counted anew from the same definition: when records have changed since the run, the page
    says so beside the stored figure instead of showing a number that no longer adds up."""

    template = "reports/evidence.html"
    table = EvidenceTable
    perm = "reports.view"
    empty = "没有这样的记录。"

    def check_right(self) -> None:
        """404 for a review out of sight, 403 without the right over it."""
        user = self.request.user
        self.review = get_visible(
            Review.objects.select_related("area", "run"), user, pk=self.kwargs["pk"]
        )
        require(user, self.perm, self.review)
        self.score = self.review.scores.filter(key=self.kwargs["key"]).first()
        self.measure = MEASURES.get(self.kwargs["key"])
        if self.score is None or self.measure is None:
            raise Http404(f"{self.review!r} has no score {self.kwargs['key']}")
        self.missed = self.request.GET.get("missed") == "1"
        self.title = f"{self.measure.label}的依据"
        self.model = self.get_queryset().model

    def get_queryset(self):
        period = parse_period(self.review.period)
        return self.measure.records(self.review.area, period, missed=self.missed)

    @property
    def columns(self):
        return evidence_columns(self.measure.source)

    def scoped(self):
        """What the room of the records itself lets this person see."""
        return self.get_queryset().visible_to(self.request.user)

    def page(self, status: int = 200, **context):
        stored = self.score.whole - self.score.part if self.missed else self.score.part
        paging = context["paging"]
        return super().page(
            status,
            review=self.review,
            score=self.score,
            measure=self.measure,
            missed=self.missed,
            # A sum (of hours) is no number of records and is not held against them.
            changed=self.measure.counts_rows
            and not paging.more_than_counted
            and paging.total != stored,
            **context,
        )

    def crumbs(self):
        return [
            ("评估结果", reverse("reports:reviews") + self.place_suffix),
            (str(self.review), self.review.get_absolute_url() + self.place_suffix),
        ]
