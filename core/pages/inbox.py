"""The inbox: messages, each leading to what it is about."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from core import notify
from core.filters import CaseFilter, FilterSet, Search
from core.models import Notification
from core.tables import Column, Table
from core.views import ConsoleView, ListView, ObjectView


class InboxTable(Table):
    columns = (
        Column("title", "标题", link="core:message"),
        Column("body", "内容"),
        Column("read_at", "状态", render=lambda row: "已读" if row.read_at else "未读"),
        Column("created_at", "时间", time=True, sort="pk"),
    )


class InboxFilter(FilterSet):
    q = Search(fields=("title__icontains", "body__icontains"), label="查找通知", hint="标题或内容")
    read = CaseFilter(label="状态", choices=[("no", "未读"), ("yes", "已读")], case="is_read")

    class Meta:
        model = Notification
        fields = ()

    def is_read(self, value: str) -> Q:
        return Q(read_at__isnull=value == "no")


class Inbox(ListView):
    model = Notification
    table = InboxTable
    filters = InboxFilter
    title = "收件箱"
    template = "core/inbox.html"
    exports = False  # one's own messages, and gone when they are read
    empty = "与您有关的办理进展和任务结果会通知到这里。"


class Message(ObjectView):
    """Opening a message marks it read and leads to what it is about; without such a page it is
    shown itself."""

    model = Notification
    template = "core/message.html"
    list_url = "core:inbox"
    list_label = "收件箱"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        message = self.get_object()
        notify.mark_read(request.user, [message.pk])
        if message.url:
            return HttpResponseRedirect(message.url)
        self.title = message.title
        return self.page(object=message)


class MarkAllRead(ConsoleView):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        count = notify.mark_read(request.user)
        messages.success(request, f"{count} 条已标为已读。" if count else "没有未读的通知。")
        return HttpResponseRedirect(reverse("core:inbox"))
