"""The audit log: the auditor's pages."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.filters import AuditFilter
from accounts.tables import AuditTable
from accounts.tasks import VERIFY
from core.deeds import said
from core.errors import Refused
from core.jobs import submit
from core.models import AuditEvent, Job
from core.views import ConsoleView, ListView, ObjectView


class AuditList(ListView):
    model = AuditEvent
    table = AuditTable
    filters = AuditFilter
    perm = "audit.view"
    title = "审计日志"
    template = "accounts/audit.html"
    empty = "还没有审计记录。"

    def page(self, status: int = 200, **context: Any) -> HttpResponse:
        checks = Job.objects.filter(kind=VERIFY)
        return super().page(status, check=checks.order_by("-created_at").first(), **context)


class AuditEventView(ObjectView):
    model = AuditEvent
    template = "accounts/audit_event.html"
    perm = "audit.view"
    list_url = "accounts:audit"
    list_label = "审计日志"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        event = self.get_object()
        what = said(event.action, event.object_type)
        self.title = f"{what} {event.object_label}"
        before, after = orjson.loads(event.before), orjson.loads(event.after)
        changes = [(name, before.get(name), after.get(name)) for name in {**before, **after}]
        return self.page(event=event, what=what, changes=changes)


class AuditVerify(ConsoleView):
    """Ask for a reading of the whole log."""

    perm = "audit.view"
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            submit(VERIFY, by=request.user, key="whole")
            messages.success(request, "已开始核对全部审计记录，完成后在本页显示结果。")
        except Refused as error:
            messages.info(request, error.message)
        return HttpResponseRedirect(reverse("accounts:audit"))
