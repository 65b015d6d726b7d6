"""A transition of many rows as pages: choose on the list, look at what it will do, do it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from core import bulk, places
from core.forms import Form
from core.pagination import PAGE_SIZE
from core.scope import reach_of
from core.transitions import Transition
from core.views.lists import OfListView
from core.views.transits import reason_field

ROW, ALL, ROWS = "row", "all", "rows"


class BulkView(OfListView):
    """``lists/<page>/do/<name>/?<the list's query>&row=7&row=9``, or ``&all=1`` for every row
    that the filters match.

    The look is an address like any other and changes nothing. It names the rows that the deed
    will take; what joins the list later is not among them, and each is checked again when it is
    taken (`core.bulk`).
    """

    template = "console/bulk.html"
    added = (ROW, ALL)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show(self.build(), self._outlook())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        step, user = self.step, request.user
        keys = [key for key in request.POST.get(ROWS, "").split(",") if key][: bulk.MOST]
        form = self.build(request.POST)
        rows = bulk.pick(self.list.ordered(self.list.scoped()), keys)
        if not form.is_valid() or not keys:
            return self.show(
                form, bulk.look(rows, step, by=user, missing=len(keys) - len(rows)), status=422
            )
        reason = form.cleaned_data.get("reason", "")
        if len(keys) > bulk.AT_ONCE:
            job = bulk.order(
                page=self.list.page_name,
                place=self.request.GET.get(places.PARAM, ""),
                title=self.title,
                step=step,
                keys=keys,
                by=user,
                reason=reason,
            )
            return HttpResponseRedirect(job.get_absolute_url())
        return self.tell([bulk.take(row, step, by=user, reason=reason) for row in rows], keys)

    @cached_property
    def step(self) -> Transition:
        """404 for what the list does not offer, 403 without the right anywhere."""
        step = next((s for s in self.list.declared_steps() if s.name == self.kwargs["name"]), None)
        if step is None:
            raise Http404(f"{self.list.page_name} offers no {self.kwargs['name']!r}")
        if not reach_of(self.request.user, step.perm):
            raise PermissionDenied(f"user {self.request.user.pk} may not {step.name}")
        return step

    def check_right(self) -> None:
        super().check_right()
        self.title = f"批量{self.step.label}：{self.list.title}"

    def build(self, *data: Any) -> forms.Form:
        fields = {"reason": reason_field(self.step)} if self.step.reason else {}
        return type("BulkForm", (Form,), fields)(*data, user=self.request.user)

    def note_of(self, row: Model) -> str:
        """What tells a row from another of the same name, as the list has it."""
        said = (say(row) for say in self._telling.values())
        return " · ".join(filter(None, said))

    @cached_property
    def _telling(self) -> bulk.Telling:
        return self.list.table.telling(self.list.model)

    def show(self, form: forms.Form, outlook: bulk.Outlook, status: int = 200) -> HttpResponse:
        return self.page(
            status,
            form=form,
            step=self.step,
            outlook=outlook,
            note_of=self.note_of,
            rows_name=ROWS,
            keys=",".join(str(row.pk) for row in outlook.will),
            everything=self._everything() if ALL not in self.request.GET else None,
            is_job=len(outlook.will) > bulk.AT_ONCE,
            most=bulk.MOST,
            too_many=self.too_many,
            list_address=self.list_address(),
        )

    def tell(self, outcomes: list[bulk.Outcome], keys: list[str]) -> HttpResponse:
        """What became of it. Sent again, the page does no harm: what is done is not done twice."""
        left: dict[str, list] = {}
        for outcome in outcomes:
            if outcome.why_not is not None:
                left.setdefault(outcome.why_not, []).append(outcome.row)
        if gone := len(keys) - len(outcomes):
            left[f"{gone} 条{bulk.GONE}"] = []
        self.template = "console/bulk_done.html"
        return self.page(
            step=self.step,
            note_of=self.note_of,
            done=[outcome.row for outcome in outcomes if outcome.why_not is None],
            left=left,
            left_count=len(keys) - sum(o.why_not is None for o in outcomes),
            list_address=self.list_address(),
        )

    too_many = False

    def _outlook(self) -> bulk.Outlook:
        asked = self.request.GET
        if asked.get(ALL) == "1":
            rows = list(bulk.whole(self.list.ordered(self.list.filtered()))[: bulk.MOST + 1])
            self.too_many = len(rows) > bulk.MOST
            return bulk.look([] if self.too_many else rows, self.step, by=self.request.user)
        keys = list(dict.fromkeys(asked.getlist(ROW)))[:PAGE_SIZE]
        rows = bulk.pick(self.list.ordered(self.list.scoped()), keys)
        return bulk.look(rows, self.step, by=self.request.user, missing=len(keys) - len(rows))

    def _everything(self) -> int:
        """How many rows the filters match, as far as one deed goes."""
        return self.list.filtered().order_by().values("pk")[: bulk.MOST + 1].count()
