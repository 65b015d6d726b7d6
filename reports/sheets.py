"""The assessment summary (考核汇总表, domain.md §6): a row for each place, a column for each
indicator under its category, as the reviews' own run scored them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django import forms
from django.db.models import F, QuerySet, Window
from django.db.models.functions import Rank

from core.errors import Refused
from core.exports import Asked, Col, Exporter, Serial, exporter
from core.forms import Form
from core.periods import PeriodField, last_finished
from core.sheets.layout import Kind
from reports.enums import Category, ReviewState
from reports.models import Review, Score

# What a place is compared by: the places one step below it.
BELOW = {"city": "district", "district": "street", "street": "community"}
LEVELS = [("", "下一级"), ("district", "区县"), ("street", "街道/镇"), ("community", "社区/村")]


class AssessmentForm(Form):
    period = PeriodField(initial=lambda: last_finished().text)
    level = forms.ChoiceField(label="列出", choices=LEVELS, required=False)


@exporter
class Assessment(Exporter):
    """Places of one level, best first; equal totals share a rank."""

    identifier, title, perm = "assessment", "考核汇总表", "reports.export"
    model, form = Review, AssessmentForm

    def queryset(self, user: Any, asked: Asked) -> QuerySet:
        rows = super().queryset(user, asked).filter(period=asked["period"].text)
        level = asked["level"] or BELOW.get(asked.place.kind if asked.place else "city")
        if level:
            rows = rows.filter(level=level)
        ranked = Window(Rank(), order_by=F("total").desc())
        return rows.annotate(rank=ranked).order_by("-total", "area__code")

    def get_columns(self, user: Any, asked: Asked) -> Sequence[Col]:
        return [
            Serial(),
            Col("单位", "area_name", key=True),
            *(
                Col(
                    f"{indicator['label']}（{float(indicator['weight']):g}分）",
                    kind=Kind.SCORE,
                    group=Category(indicator["category"]).label,
                    width=10,
                )
                for indicator in self._indicators(user, asked)
            ),
            Col("加分", "bonus", kind=Kind.SCORE),
            Col("扣分", "deduction", kind=Kind.SCORE),
            Col("总分", "total", kind=Kind.SCORE),
            Col("等次", "band"),
            Col("名次", "rank", kind=Kind.NUMBER),
            Col("备注", "note", width=24),
        ]

    def rows(
        self, user: Any, asked: Asked, columns: Sequence[Col]
    ) -> tuple[int, Iterable[Sequence[Any]]]:
        reviews = list(self.queryset(user, asked))
        keys = [indicator["key"] for indicator in self._indicators(user, asked)]
        return len(reviews), _lines(reviews, keys)

    def _indicators(self, user: Any, asked: Asked) -> list[dict]:
        """Those of the newest run among the rows: one sheet has one scheme."""
        newest = (
            self.queryset(user, asked)
            .exclude(run=None)
            .order_by("-run_id")
            .values_list("run__indicators", flat=True)
            .first()
        )
        if newest is None:
            raise Refused(
                f"“{asked.place.name if asked.place else '所选范围'}”{asked['period'].label}"
                "还没有评估结果，请先发起评估，完成后再导出。"
            )
        return newest


def _lines(reviews: list[Review], keys: list[str]) -> Iterator[list[Any]]:
    marks: dict[int, dict[str, Score]] = {review.pk: {} for review in reviews}
    for score in Score.objects.filter(review__in=marks).order_by():
        marks[score.review_id][score.key] = score
    for number, review in enumerate(reviews, start=1):
        own = marks[review.pk]
        yield [
            number,
            review.area_name,
            *(own[key].marks if key in own else None for key in keys),
            review.bonus,
            review.deduction,
            review.total,
            review.band,
            review.rank,
            _remark(review, own),
        ]


def _remark(review: Review, own: dict[str, Score]) -> str:
    """What a reader of the sheet alone must know."""
    said = [review.note] if review.note else []
    if review.state != ReviewState.APPROVED:
        said.append(f"{review.get_state_display()}，未审定")
    folded = sum(1 for score in own.values() if score.value is None)
    if folded:
        said.append(f"{folded}项期内未发生，按其余得分率折算")
    return "；".join(said)
