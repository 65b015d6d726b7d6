"""How requests come in and answers go out: JSON by orjson, a session that says 401, pages."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson
from django.conf import settings
from django.db.models import QuerySet
from django.utils.functional import Promise
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
BIGGEST_ID = 2**63 - 1


class JsonRenderer(BaseRenderer):
    """JSON by orjson. Decimals are text: money is never a float."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted: Any = None, context: Any = None) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | Promise):
        return str(value)
    if isinstance(value, dict | list | str):  # the framework's own subclasses of errors and lists
        return type(value).__mro__[1](value)
    raise TypeError(f"no JSON for {type(value)}")


class JsonParser(BaseParser):
    """JSON by orjson, which takes neither half a surrogate pair (no column could hold it) nor NaN.
    A body may be as large as a form may."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, context: Any = None) -> Any:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(most + 1)
        if len(raw) > most:
            raise ParseError(f"请求内容过大，最多 {most / 2**20:g} MB，请分几次提交。")
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise ParseError("请求内容不是有效的 JSON（UTF-8 编码），请核对后重新提交。") from error


class Session(SessionAuthentication):
    """The console's own sign-in, CSRF token included. Without one: 401, not 403."""

    def authenticate_header(self, request: Request) -> str:
        return 'Session realm="console"'


class ById(BasePagination):
    """Newest first, 50 at a time, going on from an id: as cheap on the last page as on the first.

    Rows that come or go meanwhile are neither shown twice nor left out.
    """

    def paginate_queryset(self, queryset: QuerySet, request: Request, view: Any = None) -> list:
        return self.page(request, view, lambda after, most: list(self.part(queryset, after, most)))

    @staticmethod
    def part(queryset: QuerySet, after: int | None, most: int) -> QuerySet:
        if after is not None:
            queryset = queryset.filter(pk__lt=after)
        return queryset.order_by("-pk")[:most]

    def page(self, request: Request, view: Any, ask: Callable[[int | None, int], list]) -> list:
        """The rows that `ask` finds: at most so many, those after an id."""
        size = _number(request, "limit", PAGE_SIZE, MAX_PAGE_SIZE)
        rows = ask(_number(request, "after", None, BIGGEST_ID), size + 1)
        self.next = None
        if len(rows) > size:
            rows = rows[:size]
            here = request.build_absolute_uri()
            self.next = replace_query_param(here, "after", view.id_of(rows[-1]))
        return rows

    def get_paginated_response(self, data: list) -> Response:
        return Response({"results": data, "next": self.next})

    def get_paginated_response_schema(self, schema: dict) -> dict:
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {
                "results": schema,
                "next": {"type": "string", "format": "uri", "nullable": True},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict]:
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": text,
                "schema": {"type": "integer", "minimum": 1, "maximum": biggest},
            }
            for name, text, biggest in (
                ("after", "Go on with what is older than this id.", BIGGEST_ID),
                ("limit", f"Rows a page; {PAGE_SIZE} by default.", MAX_PAGE_SIZE),
            )
        ]


def _number(request: Request, name: str, default: int | None, biggest: int) -> int | None:
    raw = request.query_params.get(name)
    if raw is None:
        return default
    if not (raw.isascii() and raw.isdigit() and 1 <= int(raw) <= biggest):
        raise ValidationError({name: [f"须是 1 到 {biggest} 之间的整数。"]})
    return int(raw)
