"""Residents' tickets: the inbox, one, and the phone for the call back."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from core.views import ActionFormView, DetailView, ListView
from services.actions.tickets import reveal_phone
from services.filters import TicketFilter
from services.forms import RevealForm
from services.models import Ticket
from services.tables import TicketTable

_LABEL = "居民诉求"


class TicketList(ListView):
    model = Ticket
    table = TicketTable
    filters = TicketFilter
    perm = "services.tickets"
    title = _LABEL
    empty = "还没有居民提交诉求。"


class TicketDetail(DetailView):
    model = Ticket
    template = "services/ticket.html"
    perm = "services.tickets"
    path = ("received", "adopted", "closed")
    related = ("area", "item", "decided_by")
    list_label = _LABEL


class TicketPhone(ActionFormView):
    """The phone in full, for one look: it is shown on the answer and kept nowhere."""

    model = Ticket
    form = RevealForm
    action = staticmethod(reveal_phone)
    perm = "services.tickets"
    template = "services/ticket_phone.html"
    title = "查看联系电话"
    submit = "登记并查看"
    done = "查看已登记。"
    list_label = _LABEL
    phone = ""

    def run(self, data: dict[str, Any]) -> Ticket:
        self.phone = super().run(data)
        return self.object

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        if isinstance(response, HttpResponseRedirect):
            return self.show(self.build(), version="")
        return response
