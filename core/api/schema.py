"""OpenAPI 3 of what the viewsets declare."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from core import places
from core.api.inputs import input_of
from core.transport import JsonRenderer


class SessionScheme(OpenApiAuthenticationExtension):
    """The console's session cookie."""

    target_class = "core.transport.Session"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class ProblemSerializer(serializers.Serializer):
    """What went wrong: a sentence for people, the field at fault if one is."""

    detail = serializers.CharField()
    field = serializers.CharField(allow_null=True)
    errors = serializers.DictField(child=serializers.ListField(), required=False)


class Schema(AutoSchema):
    """Bodies from the forms, rows from the columns, the same errors everywhere."""

    def get_request_serializer(self) -> Any:
        view = self.view
        if view.action == "create":
            return input_of(view.creates.form)
        if view.action == "partial_update":
            return input_of(view.updates.form)
        if view.action == "transit":
            form = import_string(view.step.form) if view.step.form else None
            return input_of(form, reason=view.step.reason)
        return None

    def get_response_serializers(self) -> Any:
        success = 201 if self.view.action == "create" else 200
        rows = self.view.get_serializer_class()
        found: dict[int, Any] = {success: rows(many=True) if self.view.action == "list" else rows()}
        codes = [400, 401, 403, 429]
        codes += [404] if self.view.detail or self._takes_place() else []
        codes += [409] if self.method != "GET" else []
        return found | dict.fromkeys(sorted(codes), ProblemSerializer)

    def get_override_parameters(self) -> list[OpenApiParameter]:
        if not self._takes_place():
            return []
        text = "Within this area: its id, or its division code."
        return [OpenApiParameter(places.PARAM, str, description=text)]

    def _takes_place(self) -> bool:
        """Whether a place may be named; one that is not there, or out of reach, is 404."""
        return self.view.action == "list" and self.view.placed()

    def get_operation_id(self) -> str:
        view = self.view
        if view.action == "transit":
            return f"{view.basename}_{view.step.name}".replace("-", "_")
        return super().get_operation_id()

    def get_summary(self) -> str | None:
        view = self.view
        noun = str(view.model._meta.verbose_name)
        if view.action == "transit":
            return f"{noun}：{view.step.label}"
        names = {"list": "列表", "retrieve": "查看", "create": "新建", "partial_update": "修改"}
        return f"{noun}：{names[view.action]}"

    def get_tags(self) -> list[str]:
        return [str(self.view.basename)]


@cache
def _document() -> bytes:
    """Made once a process: it depends on the code alone, not on who asks."""
    from core.api import urls

    generator = SchemaGenerator(patterns=urls.documented)
    return JsonRenderer().render(generator.get_schema(request=None, public=True))


@require_safe
def document(request: HttpRequest) -> HttpResponse:
    """The schema. It names fields and rights, no data, and is open like the source."""
    return HttpResponse(_document(), content_type="application/vnd.oai.openapi+json")
