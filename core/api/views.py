"""The one viewset of the API: list, one, create, change, and the transitions of the table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.db import router, transaction
from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils.module_loading import import_string
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BooleanField, CharField, Serializer
from rest_framework.viewsets import GenericViewSet

from core import places
from core.api.inputs import Write, check
from core.api.outputs import Columns
from core.errors import Conflict
from core.filters import FilterSet
from core.logs import leave_unnamed
from core.prepared import Worded
from core.scope import get_visible, require, still_visible
from core.sheets.text import visible
from core.transitions import Transition, machine_of, transit
from core.views.forms import print_of

_PAGING = {"after", "limit"}
_PAGES = Worded()


class OfferedSerializer(Serializer):
    """One transition that may be taken from here; `why_not` says what forbids it at present."""

    name = CharField()
    label = CharField()
    why_not = CharField(allow_null=True)
    reason_required = BooleanField()


class ScopedViewSet(GenericViewSet):
    """What the person behind the session sees of one model, and may do to it.

    perm: what a look asks for; None where the scope alone decides (what is one's own).
    filters: the list page's own filters.
    fields: the columns that go out, as paths; `detail_fields` more of them for one object.
    creates, updates: how to write, if at all (`Write`).

    404 outside the person's sight, for foreign and unknown alike; 403 inside without the right.
    """

    model: type[Model]
    perm: str | None
    filters: type[FilterSet] | None = None
    fields: Sequence[str] = ("id",)
    detail_fields: Sequence[str] = ()
    creates: Write | None = None
    updates: Write | None = None
    step: Transition | None = None  # set by the route of a transition
    lookup_value_converter = "int"
    filter_backends = (DjangoFilterBackend,)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.filterset_class = cls.filters
        cls.columns = Columns(cls.model, cls.fields)
        cls.detail_columns = Columns(cls.model, (*cls.fields, *cls.detail_fields))

    # -- reading

    def get_queryset(self) -> QuerySet:
        """The rows before scope: narrow here."""
        return self.model._default_manager.all()

    def list(self, request: Request, **kwargs: Any) -> Response:
        if self.perm:
            require(request.user, self.perm)
        self._refuse_unknown_parameters(request)
        filtered = set(request.query_params) - _PAGING
        # What a viewset narrows by itself may follow from the request: in words put anew.
        if filtered or type(self).get_queryset is not ScopedViewSet.get_queryset:
            rows = self._at_place(self._listed())
            rows = self.filter_queryset(rows) if filtered else rows
            page = self.paginate_queryset(self._columned(rows))
        else:
            page = self.paginator.page(request, self, self._newest)
        return self.get_paginated_response([self.columns.row(row[1:]) for row in page])

    def retrieve(self, request: Request, pk: int, **kwargs: Any) -> Response:
        found = self._get(pk)
        return Response(self._shown(found), headers={"ETag": f'"{print_of(found)}"'})

    # -- writing

    def create(self, request: Request, **kwargs: Any) -> Response:
        require(request.user, self.creates.perm)
        data = check(self.creates.form, self._body(request), user=request.user)
        with transaction.atomic():
            made = self.creates.action(**data, by=request.user)
            still_visible(made, request.user)
        return Response(self._shown(made), status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: int, **kwargs: Any) -> Response:
        found = self._get(pk)
        require(request.user, self.updates.perm, found)
        name = self.updates.object_arg or self.model._meta.model_name
        with transaction.atomic():
            # What is not sent is filled in from the row: nobody else may change it meanwhile.
            locked = type(found)._base_manager.select_for_update(of=("self",)).get(pk=found.pk)
            if request.headers.get("If-Match", "*") not in ("*", f'"{print_of(locked)}"'):
                raise Conflict("这条记录在您读取之后已被他人修改，请重新读取后再提交。")
            data = check(self.updates.form, self._body(request), user=request.user, obj=locked)
            changed = self.updates.action(**{name: locked}, **data, by=request.user)
            still_visible(changed, request.user)
        return Response(self._shown(changed))

    def transit(self, request: Request, pk: int, **kwargs: Any) -> Response:
        found, step = self._get(pk), self.step
        require(request.user, step.perm, found, step.within)
        if step.confidential:  # also of a body that is refused before the step is taken
            leave_unnamed()
        body = self._body(request)
        if unknown := set(body) - {"reason", *(["data"] if step.form else [])}:
            raise ValidationError({name: ["没有这个字段。"] for name in sorted(unknown)})
        reason, data = body.get("reason", ""), body.get("data", {})
        if not isinstance(reason, str) or len(reason) > 500 or "\0" in reason:
            raise ValidationError({"reason": ["理由须是 500 字以内的文字，不含控制字符。"]})
        if not isinstance(data, dict):
            raise ValidationError({"data": ["须是 JSON 对象。"]})
        if step.form:
            data = check(import_string(step.form), data, user=request.user)
        done = transit(found, step.name, by=request.user, reason=visible(reason), **data)
        return Response(self._shown(done))

    # -- parts

    def _listed(self) -> QuerySet:
        return self.get_queryset().visible_to(self.request.user, self.perm)

    def _columned(self, rows: QuerySet) -> QuerySet:
        # One more column than goes out: the id, from which the next page goes on.
        return rows.values_list("pk", *self.columns.paths)

    def _newest(self, after: int | None, most: int) -> list[Sequence[Any]]:
        """What a program asks for again and again: the words follow from what its person reaches."""
        seen = self.model.scope.key(self.request.user, self.perm)
        using = router.db_for_read(self.model)
        key = type(self), using, seen, most, after is None
        values = {} if after is None else {"after": after}

        def rows(after: int | None = None) -> QuerySet:
            return self.paginator.part(self._columned(self._listed()), after, most)

        return _PAGES.rows(key, rows, **values)

    def _get(self, pk: int) -> Model:
        rows = self.get_queryset()
        if self.detail_columns.related:
            rows = rows.select_related(*self.detail_columns.related)
        found = get_visible(rows, self.request.user, pk=pk)
        if self.perm:
            require(self.request.user, self.perm, found)
        return found

    def _shown(self, obj: Model) -> dict[str, Any]:
        """One object as it goes out, with what may be done to it now; nothing but its id when a
        transition has taken it out of the person's sight."""
        if not type(obj).scope.holds(obj, self.request.user):
            return {"id": obj.pk}
        shown = self.detail_columns.of(obj)
        machine = machine_of(obj)
        if machine:
            shown["transitions"] = [
                {
                    "name": offer.transition.name,
                    "label": offer.transition.label,
                    "why_not": offer.why_not,
                    "reason_required": offer.transition.reason,
                }
                for offer in machine.offers(obj, self.request.user)
            ]
        return shown

    @staticmethod
    def _body(request: Request) -> dict[str, Any]:
        if not isinstance(request.data, dict):
            raise ValidationError(["请求内容须是 JSON 对象。"])
        return request.data

    def _refuse_unknown_parameters(self, request: Request) -> None:
        """A filter misspelled would otherwise give everything, and pass for the answer."""
        asked = set(request.query_params) - _PAGING
        if asked and self.placed():
            asked -= {places.PARAM}
        if asked and self.filters:
            asked -= self.filter_parameters
        if unknown := asked:
            raise ValidationError({name: ["没有这个查询参数。"] for name in sorted(unknown)})

    @classmethod
    def placed(cls) -> bool:
        """Whether the rows lie on the tree, so that a list can be narrowed to a place."""
        return any(hasattr(cls.model._default_manager, name) for name in ("at", "under"))

    def _at_place(self, rows: QuerySet) -> QuerySet:
        key, source = self.request.query_params.get(places.PARAM, ""), places.source()
        if not key or source is None or not self.placed():
            return rows
        place = source.find(key, self.request.user)
        if place is None:
            raise Http404(f"no place {key!r} in sight")
        return rows.at(place) if hasattr(rows, "at") else rows.under(place)

    @cached_property
    def filter_parameters(self) -> set[str]:
        names: set[str] = set()
        for name, field in self.filters().form.fields.items():
            suffixes = getattr(field.widget, "suffixes", None)
            names |= {f"{name}_{s}" for s in suffixes} if suffixes else {name}
        return names

    @staticmethod
    def id_of(row: Sequence[Any]) -> int:
        return row[0]

    def get_serializer_class(self) -> type[Serializer]:
        """For the schema alone: rows are written straight from their values."""
        name = self.model.__name__
        if self.action == "list":
            return self.columns.serializer(f"{name}Row")
        more = {"transitions": OfferedSerializer(many=True)} if machine_of(self.model) else {}
        return self.detail_columns.serializer(name, **more)
