"""What stands between a password and the console: the clock of the session, and the gate."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import structlog
from django.conf import settings
from django.contrib import messages
from django.contrib.sessions.backends.base import UpdateError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from accounts.actions.signing import HAS_DEVICE, has_second_factor, sign_out
from core import drafts, outages

log = structlog.get_logger(__name__)

STARTED, SEEN = "signed_in_at", "seen_at"  # in the session: seconds since the epoch
NOTED_EVERY = 60  # seconds: a session is not written at each request
POLL_HEADER = "X-Poll"  # a page that asks by itself does not keep its reader signed in

# Open to those who have signed in but not yet passed: views with this attribute, and these.
BEFORE_GATE = "before_gate"
_OPEN_NAMES = {"console:theme"}
_OPEN_APPS = {"portal"}  # what residents reach without any account


class SessionClock:
    """Ends a session that was idle too long or has lasted too long."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            if why := _over(request, now):
                sign_out(request, reason=why)
                messages.info(request, f"{why}，请重新登录。")
            elif now - request.session[SEEN] > NOTED_EVERY and POLL_HEADER not in request.headers:
                _note(request, now)
        return self.get_response(request)


def _over(request: HttpRequest, now: int) -> str:
    """Why the session is over, or nothing. One that does not know its age is over."""
    started, seen = request.session.get(STARTED), request.session.get(SEEN)
    if not started or not seen or now - started > settings.SESSION_MAX_SECONDS:
        return f"本次登录已满 {settings.SESSION_MAX_SECONDS // 3600} 小时"
    if now - seen > settings.SESSION_IDLE_SECONDS:
        return f"您已超过 {settings.SESSION_IDLE_SECONDS // 60} 分钟没有操作"
    return ""


def _note(request: HttpRequest, now: int) -> None:
    """Keep when this person was last seen. At once and not with the answer: a disk that has no room
    for it is no reason to refuse them a page that they only read."""
    session = request.session
    others = session.modified
    session[SEEN] = now
    try:
        session.save()
    except UpdateError as error:  # which is what Django makes of any error of the database
        if not outages.is_disk_full(error):
            return  # signed out elsewhere meanwhile: the session middleware finds it and says so
        log.warning("not noted as seen, for want of room", error=str(error.__context__))
    session.modified = others


class Gate:
    """Lets nobody past who owes a second factor, a password of their own, or an enrolment."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if not request.user.is_authenticated or _open(request, view):
            return None
        owed = what_is_owed(request)
        return _lead_there(request, owed) if owed else None


def what_is_owed(request: HttpRequest) -> str | None:
    """The page that this session has to pass first, by name; None when it may go on."""
    user = request.user
    if not user.is_verified():
        if request.session.get(HAS_DEVICE):
            return "accounts:second-factor"
        if settings.SECOND_FACTOR_REQUIRED and user.needs_second_factor:
            # Enrolled in another session meanwhile: then it is to be shown, not enrolled again.
            known = has_second_factor(user)
            return "accounts:second-factor" if known else _enrol_or_password(user)
    return "accounts:password" if user.must_change_password else None


def _enrol_or_password(user: Any) -> str:
    return "accounts:password" if user.must_change_password else "accounts:enrol"


def _open(request: HttpRequest, view: Callable) -> bool:
    match = request.resolver_match
    named = match.view_name in _OPEN_NAMES or bool(_OPEN_APPS & set(match.app_names))
    return named or getattr(getattr(view, "view_class", view), BEFORE_GATE, False)


_OWED = {
    "accounts:second-factor": "请先输入动态口令验证码。",
    "accounts:password": "请先修改初始密码。",
    "accounts:enrol": "您的角色要求绑定动态口令，请先绑定。",
}


def _lead_there(request: HttpRequest, owed: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": _OWED[owed], "field": None}, status=403)
    if request.htmx:
        back = request.htmx.current_url_abs_path or reverse("console:home")
        return HttpResponseClientRedirect(f"{reverse(owed)}?{urlencode({'next': back})}")
    # What was submitted meanwhile is given back by its form.
    returns = request.method == "GET" or drafts.keep(request.POST, address=request.path)
    back = request.get_full_path() if returns else reverse("console:home")
    return HttpResponseRedirect(f"{reverse(owed)}?{urlencode({'next': back})}")
