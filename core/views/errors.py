"""Error pages of both faces, and the API's errors: what happened and what to do next."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import structlog
from django.contrib import messages
from django.contrib.sessions.exceptions import SessionInterrupted
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    UnreadablePostError,
)
from django_htmx.http import HttpResponseClientRedirect

from core import drafts, outages
from core.api.errors import outside as of_the_api
from core.views.render import render

log = structlog.get_logger(__name__)
RETRY_AFTER = "10"  # seconds: a database that restarts is back by then


class Answer(NamedTuple):
    status: int
    title: str
    what: str
    next: str


BAD_REQUEST = Answer(
    400,
    "请求有误",
    "系统看不懂这次请求，可能是链接不完整，或填写的内容过大。",
    "请返回上一页重新操作；如果是从别处复制的链接，请核对后再试。",
)
FORBIDDEN = Answer(
    403,
    "没有权限",
    "您可以看到这里，但没有办理这项操作的权限。",
    "如工作需要，请联系本单位的安全管理员授权；已授权的请重新登录。",
)
NOT_FOUND = Answer(
    404,
    "没有找到",
    "这个页面不存在，或不在您的管理范围内。",
    "请核对链接，或从首页重新进入。",
)
FAILED = Answer(
    500,
    "系统出错",
    "系统在处理时出了问题，这次操作没有保存，已自动记录。",
    "请稍后重试；如反复出现，请把下面的请求编号告诉系统管理员。",
)
# A connection that breaks while the commit is on its way leaves open whether it was heard: the
# answer does not claim to know.
AWAY = Answer(
    503,
    "暂时无法服务",
    "数据库暂时没有应答，这次操作可能没有保存。",
    "请稍等片刻，先刷新页面核对是否已经保存，再重新提交。如持续出现，请告诉系统管理员。",
)
DISK_FULL = Answer(
    507,
    outages.DISK_FULL,
    "服务器磁盘空间不足，没有保存，也没有留下不完整的文件。",
    "请稍后重试，并告诉系统管理员清理磁盘。",
)
EXPIRED = Answer(
    403,
    "页面已过期",
    "这个页面打开太久，或浏览器禁用了 Cookie，为安全起见没有提交。",
    "请返回上一页并刷新后重新提交；提交前请先复制已填写的内容。",
)


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """Not the sender's fault when the session could not be kept for want of room: Django takes any
    error of the database there for a session that is gone."""
    full = isinstance(exception, SessionInterrupted) and outages.is_disk_full(exception)
    return _answer(request, _reason(exception) if full else BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _answer(request, FORBIDDEN)


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _answer(request, NOT_FOUND)


def failed(request: HttpRequest) -> HttpResponse:
    """What nobody expected: 500; the database away: 503; no room on the disk: 507. To the API in
    its own shape. Django calls it while it handles the error."""
    answer = _reason(sys.exc_info()[1])
    response = _answer(request, answer)
    if answer is AWAY:
        response["Retry-After"] = RETRY_AFTER
    return response


def _reason(error: BaseException | None) -> Answer:
    if outages.is_disk_full(error):
        answer = DISK_FULL
    elif outages.is_database_away(error):
        answer = AWAY
    elif isinstance(error, UnreadablePostError):  # whoever sent it has left, and reads no answer
        return BAD_REQUEST
    else:
        return FAILED
    log.error(
        "not_served", why="disk full" if answer is DISK_FULL else "database", error=str(error)
    )
    return answer


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What was typed is kept for the person who typed it, and given back by the form: a new
    sign-in elsewhere is reason enough for a page to be out of date."""
    kept = drafts.keep(request.POST, address=request.path)
    if kept is None or (request.user.is_authenticated and request.user.pk != kept.user_id):
        return _answer(request, EXPIRED)
    messages.warning(request, "页面已过期，没有提交。填写的内容已带回，请核对后再提交。")
    again = request.get_full_path()
    return HttpResponseClientRedirect(again) if request.htmx else HttpResponseRedirect(again)


def _answer(request: HttpRequest, answer: Answer) -> HttpResponse:
    """A page that needs no query, so that it stands when the database does not."""
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    if request.path.startswith("/api/"):
        return of_the_api(answer.status, request_id)
    console = request.path.startswith("/console/")
    return render(
        request,
        "console/error.html" if console else "portal/error.html",
        {"answer": answer, "title": answer.title, "request_id": request_id},
        status=answer.status,
    )
