"""What I follow: the list, and the button of a detail page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from core import watching
from core.errors import Refused
from core.transitions import machine_of
from core.views import ConsoleView


class WatchList(ConsoleView):
    title = "我的关注"
    template = "core/watches.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        found = [(obj, _state(obj)) for obj in watching.followed(request.user)]
        return self.page(found=found)


class WatchToggle(ConsoleView):
    """``follow=1`` follows, anything else stops; the answer leads back to the object."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        obj = watching.find_object(request.user, kwargs["label"], kwargs["object_id"])
        if request.POST.get("follow") == "1":
            try:
                watching.follow(obj, request.user)
                messages.success(request, f"已关注“{obj}”，办理有进展时会通知到收件箱。")
            except Refused as refusal:
                messages.error(request, refusal.message)
        else:
            watching.unfollow(obj, request.user)
            messages.success(request, f"已取消关注“{obj}”。")
        return HttpResponseRedirect(obj.get_absolute_url() + self.place_suffix)


def _state(obj: Any) -> str:
    machine = machine_of(obj)
    return machine.states(getattr(obj, machine.field)).label
