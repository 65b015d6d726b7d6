"""Pages of service records: one activity for many members, many records confirmed at once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse

from core.views import Action, ActionFormView, DetailView, ListView
from members.actions.service import confirm_services, record_services
from members.filters import ServiceFilter
from members.forms import BatchForm, ConfirmForm
from members.models import ServiceRecord
from members.tables import ServiceTable

LABEL = "服务记录"


class ServiceList(ListView):
    model = ServiceRecord
    table = ServiceTable
    filters = ServiceFilter
    perm = "members.view"
    title = LABEL
    bulk = ("confirm", "return")
    empty = "还没有服务记录。党员报到后，由社区登记服务时间和内容。"
    actions = (
        Action(
            "登记服务", "members:servicerecord-add", "members.receive", icon="plus", tone="primary"
        ),
        Action("批量确认", "members:servicerecords-confirm", "members.receive", icon="check"),
    )


class ServiceDetail(DetailView):
    model = ServiceRecord
    template = "members/service.html"
    perm = "members.view"
    related = ("member", "unit", "area", "post", "recorded_by", "decided_by", "reporting")
    list_label = LABEL


class OfManyServices(ActionFormView):
    model = ServiceRecord
    creates = True
    perm = "members.receive"
    list_label = LABEL

    def build(self, *data: Any) -> forms.Form:
        form = self.form(*data, user=self.request.user)
        form.offer(self.place)
        return form

    def success_url(self, result: Any) -> str:
        return reverse("members:servicerecords") + self.place_suffix


class ServiceAdd(OfManyServices):
    form = BatchForm
    action = staticmethod(record_services)
    title = "登记服务"
    lead = "一次活动登记一次：选中参加的党员。30 天以前的服务请在该党员的报到页面补录。"
    done = "服务已登记，待确认。"


class ServicesConfirm(OfManyServices):
    form = ConfirmForm
    action = staticmethod(confirm_services)
    title = "批量确认服务"
    lead = "去掉有疑问的记录，其余一并确认。自己补录的记录须由他人确认，不在此列。"
    submit = "确认所选记录"
    done = "所选记录已确认。"
