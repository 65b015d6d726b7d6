"""统计图: four questions about a place and a time, each answered by a picture and its table."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from core.charts import Chart, Figure, Kind, Row, Series
from core.formats import number, short_place
from core.periods import Period, period_of
from core.places import PARAM
from core.views import ConsoleView
from orgs.models import Area
from orgs.queries import Node, child_nodes, top_areas
from reports.forms import OverviewForm
from services import queries
from services.enums import BAD_GRADES, CONTACT_DAYS, ContactSpan, Grade, ItemKind

MONTHS = 12
SHOWN = 20  # places in the picture; a street may have seventy communities
# The level whose places are compared, by the kind of the chosen place. Needs lie at communities.
_BELOW = {"city": "district", "district": "street", "street": "community"}
_NAMES = {"district": "区县", "street": "街道", "community": "社区"}
_LATE = (ContactSpan.OVER, ContactSpan.LATE)


class Overview(ConsoleView):
    """Each figure opens the list that it counts, at the same place and for the same days."""

    perm = "reports.view"
    template = "reports/overview.html"
    title = "统计图"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = OverviewForm(request.GET if "period" in request.GET else None)
        # A wrong period is named at its field; the page shows the current one meanwhile.
        self.period: Period = form.chosen or period_of(timezone.localdate())
        charts = [self.trend(), self.contact(), self.grades(), self.below()]
        return self.page(form=form, period=self.period, charts=list(filter(None, charts)))

    @cached_property
    def compared(self) -> Area | None:
        """The place whose lower level is compared: the chosen one, or the only one there is."""
        if self.place:
            return self.place
        tops = list(top_areas(self.request.user, self.perm)[:2])
        return tops[0] if len(tops) == 1 else None

    def trend(self) -> Chart:
        months = _months(min(self.period.last, timezone.localdate()))
        counted = queries.needs_by_month(self.request.user, self.place, months)
        columns = (
            ("published", "published_at", Series("发布", "info")),
            ("claimed", "claimed_at", Series("认领", "warn")),
            ("closed", "closed_at", Series("销号", "ok")),
        )

        def figure(name: str, field: str, month: date) -> Figure:
            span = _span(field, month, _month_end(month))
            return self.figure(counted[name].get(month, 0), "items", kind=ItemKind.NEED, **span)

        return Chart(
            key="trend",
            title="需求发布、认领和销号的趋势",
            about=f"至 {months[-1]:%Y-%m} 的 {MONTHS} 个月，按需求项数计；认领后退出的不计。",
            kind=Kind.LINE,
            head="月份",
            series=tuple(series for *_, series in columns),
            rows=[
                Row(f"{month:%Y-%m}", tuple(figure(n, field, month) for n, field, _ in columns))
                for month in months
            ],
        )

    def below(self) -> Chart | None:
        place = self.compared
        level = _BELOW.get(place.kind) if place else None
        if level is None:
            return None
        counted = queries.needs_below(self.request.user, place, level, self.period)
        none = queries.Needs(0, 0)
        lines = [(area, counted.get(area.pk, none)) for area in child_nodes(place)]
        # Where most needs wait stands first; who published none has nothing to compare.
        lines.sort(key=lambda line: 101 if line[1].rate is None else line[1].rate)
        own = counted.get(None, none).published
        return Chart(
            key="below",
            title=f"各{_NAMES[level]}需求认领率",
            about="本期发布的需求中，已有单位或社区认领的占比。",
            kind=Kind.BARS,
            head=_NAMES[level],
            series=(Series("发布"), Series("已认领"), Series("认领率", "info")),
            rows=[self._below_row(area, needs) for area, needs in lines],
            note=f"另有 {own:,} 项由{place.name}本级发布，不在比较之内。" if own else "",
            most=100,
            shown=SHOWN,
        )

    def _below_row(self, area: Node, needs: queries.Needs) -> Row:
        span = _span("published_at", self.period.first, self.period.last)
        of_needs = {"kind": ItemKind.NEED, **span}
        taken = self.figure(needs.taken, "items", area, **of_needs, claimable="taken")
        return Row(
            short_place(area.name),
            (
                self.figure(needs.published, "items", area, **of_needs),
                taken,
                Figure(needs.rate, taken.href, "%"),
            ),
            href=_address("reports:overview", area, period=self.period.text),
        )

    def contact(self) -> Chart:
        counted = queries.contact_spans(self.request.user, self.place, self.period, timezone.now())
        span = _span("claimed_at", self.period.first, self.period.last)
        late = sum(counted.get(s, 0) for s in _LATE)
        due = sum(counted.values()) - counted.get(ContactSpan.WAITING, 0)
        return Chart(
            key="contact",
            title=f"认领后多久对接（时限 {CONTACT_DAYS} 日）",
            about="本期认领、没有退出的事项，按认领到对接的时间计数。",
            kind=Kind.BARS,
            head="对接用时",
            series=(Series("事项数", "info"),),
            rows=[
                Row(
                    str(s.label),
                    (self.figure(counted.get(s, 0), "claims", contact=s.value, **span),),
                    tone=_contact_tone(s),
                )
                for s in ContactSpan
            ],
            note=_share(due - late, due, f"在 {CONTACT_DAYS} 日内对接"),
        )

    def grades(self) -> Chart:
        counted = queries.grades(self.request.user, self.place, self.period)
        span = _span("rated_on", self.period.first, self.period.last)
        rated = sum(counted.values())
        return Chart(
            key="grades",
            title="群众和单位满意不满意",
            about="本期收到的评价，按五档计数。",
            kind=Kind.BARS,
            head="评价",
            series=(Series("评价数", "info"),),
            rows=[
                Row(
                    str(grade.label),
                    (self.figure(counted.get(grade, 0), "claims", grade=grade.value, **span),),
                    tone="bad" if grade in BAD_GRADES else "ok",
                )
                for grade in Grade
            ],
            note=_share(
                rated - sum(counted.get(g, 0) for g in BAD_GRADES), rated, "为基本满意及以上"
            ),
        )

    def figure(
        self, value: int, noun: str, place: Area | Node | None = None, **filters: Any
    ) -> Figure:
        """A number that opens to the list of the services room that it counts."""
        if not value:
            return Figure(value)
        return Figure(value, _address(f"services:{noun}", place or self.place, **filters))


def _address(name: str, place: Area | Node | None, **query: Any) -> str:
    at = {PARAM: place.pk} if place else {}
    return f"{reverse(name)}?{urlencode({**at, **query})}"


def _span(field: str, first: date, last: date) -> dict[str, str]:
    """The parameters of a `DayRange`."""
    return {f"{field}_after": first.isoformat(), f"{field}_before": last.isoformat()}


def _months(last: date) -> list[date]:
    """The first days of the months up to the one of `last`."""
    found = [last.replace(day=1)]
    while len(found) < MONTHS:
        found.insert(0, (found[0] - timedelta(days=1)).replace(day=1))
    return found


def _month_end(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _contact_tone(span: ContactSpan) -> str:
    if span in _LATE:
        return "bad"
    return "neutral" if span == ContactSpan.WAITING else "info"


def _share(part: int, whole: int, what: str) -> str:
    if not whole:
        return ""
    percent = number(round(100 * part / whole, 1))
    return f"{whole:,} 项中有 {part:,} 项{what}，占 {percent}%。"
