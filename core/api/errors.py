"""Every error of the API in one shape: {"detail": a sentence, "field": its name or null}.

What a form found wrong adds "errors": {field: [sentences]}; what nobody expected, "request_id".
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler as of_the_framework

from core.errors import Conflict, OutOfReach, Refused
from core.transport import JsonRenderer

NOT_FOUND = "没有找到：它不存在，或不在您的管理范围内。"
FORBIDDEN = "您没有办理这项操作的权限。如工作需要，请联系安全管理员授权。"
INVALID = "填写有误，请按 errors 中各字段的说明修改后重新提交。"
# What Django answers by itself, for a request that no view of the API took or that failed in one.
UNASKED = {
    400: "系统看不懂这次请求，请核对地址和内容后重新提交。",
    403: FORBIDDEN,
    404: NOT_FOUND,
    500: "系统出错，这次操作没有保存，已自动记录。"
    "请稍后重试；如反复出现，请把 request_id 告诉系统管理员。",
    503: "数据库暂时没有应答，这次操作可能没有保存。请稍等片刻，先核对是否已经保存，再重新提交。",
    507: "服务器磁盘空间不足，没有保存，也没有留下不完整的文件。请稍后重试，并告诉系统管理员清理磁盘。",
}


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """The response for `error`; None for what nobody expected, which becomes a 500."""
    if isinstance(error, Refused):
        return _said(_status(error), error.message, error.field)
    if isinstance(error, Http404):
        return _said(status.HTTP_404_NOT_FOUND, NOT_FOUND)
    if isinstance(error, PermissionDenied):
        return _said(status.HTTP_403_FORBIDDEN, FORBIDDEN)
    if isinstance(error, ValidationError):
        error = exceptions.ValidationError(_fields(error))
    response = of_the_framework(error, context)
    if response is not None:
        response.data = _shape(error, response.data)
    return response


def outside(code: int, request_id: str = "") -> HttpResponse:
    """The answer where the framework has none: `core.views.errors` asks for it. Asks nothing of
    the database. A 500 names the request as the log does."""
    body = {"detail": UNASKED[code], "field": None}
    if code == status.HTTP_500_INTERNAL_SERVER_ERROR:
        body["request_id"] = request_id
    return HttpResponse(JsonRenderer().render(body), status=code, content_type="application/json")


def _status(error: Refused) -> int:
    if isinstance(error, Conflict):
        return status.HTTP_409_CONFLICT
    if isinstance(error, OutOfReach):
        return status.HTTP_403_FORBIDDEN
    return status.HTTP_400_BAD_REQUEST


def _said(code: int, detail: str, field: str | None = None) -> Response:
    return Response({"detail": detail, "field": field}, status=code)


def _fields(error: ValidationError) -> Any:
    return error.message_dict if hasattr(error, "error_dict") else error.messages


def _shape(error: Exception, data: Any) -> dict[str, Any]:
    if not isinstance(error, exceptions.ValidationError):
        return {"detail": str(data.get("detail", "")), "field": None}
    if isinstance(data, dict):
        first = next(iter(data), None)
        return {"detail": INVALID, "field": first if first in data else None, "errors": data}
    return {"detail": "；".join(map(str, data)), "field": None}
