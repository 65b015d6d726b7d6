"""The platform's addresses, and the yardsticks that answer beside them (`/bench/…`).

Each yardstick is what Django's or Django REST framework's documentation would have one write, for the
rows that our page shows, behind the same middleware with the same sign-in.
"""

from __future__ import annotations

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path
from jinja2 import Environment
from rest_framework import generics, pagination, renderers, serializers

from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as of_the_platform
from services.api import ItemApi
from services.models import Item

__all__ = ["handler400", "handler403", "handler404", "handler500"]


def trivial(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


_PAGE = Environment(autoescape=True).from_string(
    """<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8"><title>清单事项</title></head><body>
<table><thead><tr><th>名称<th>类别<th>提出单位<th>名额<th>状态<th>时限<th>编号</tr></thead><tbody>
{% for item in items %}<tr>
<td><a href="/console/services/items/{{ item.pk }}/">{{ item.title }}</a></td>
<td>{{ item.get_kind_display() }}</td><td>{{ item.publisher }}</td>
<td>{{ item.claimed }}/{{ item.capacity }}</td><td>{{ item.get_state_display() }}</td>
<td>{{ item.due_on or "" }}</td><td>{{ item.number }}</td></tr>
{% endfor %}</tbody></table></body></html>"""
)


def asked(request: HttpRequest) -> QuerySet[Item]:
    """The rows that our list shows for the same query: filters by name, a place, a search."""
    rows = Item.objects.all()
    place = request.GET.get("level", "city")
    for name, column in {"area": place, "kind": "kind", "state": "state"}.items():
        if value := request.GET.get(name):
            rows = rows.filter(**{column: value})
    if text := request.GET.get("q"):
        rows = rows.matching(text)
    if request.GET.get("sort") == "-due_on":
        return rows.order_by(F("due_on").desc(nulls_last=True), "-pk")
    return rows.order_by("-pk")


def bare(request: HttpRequest) -> HttpResponse:
    """One query, one simple template, a page around it that holds nothing else."""
    if not request.user.is_authenticated:
        return HttpResponse(status=403)
    return HttpResponse(_PAGE.render(items=asked(request)[:50]))


class AllowAll(admin.AdminSite):
    """Our accounts have no staff flag; whoever has signed in may look."""

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated


class ItemAdmin(admin.ModelAdmin):
    list_display = (
        "title",
        "kind",
        "publisher",
        "claimed",
        "capacity",
        "state",
        "due_on",
        "number",
    )
    list_filter = ("kind", "state", "topic", "beneficiary")
    search_fields = ("search",)
    ordering = ("-pk",)
    list_per_page = 50

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Item | None = None) -> bool:
        return True

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission


site = AllowAll(name="admin")
site.register(Item, ItemAdmin)


class ItemSerializer(serializers.ModelSerializer):
    class Meta:
        model = Item
        fields = [name.removesuffix("_id") for name in ItemApi.fields]


class Pages(pagination.CursorPagination):
    page_size, ordering = 50, "-pk"


class ItemPlain(generics.ListAPIView):
    serializer_class = ItemSerializer

    def get_queryset(self) -> QuerySet[Item]:
        """The rows that this person may see, as the API has them; no filters beside."""
        return Item.objects.visible_to(self.request.user, ItemApi.perm)

    renderer_classes = (renderers.JSONRenderer,)
    pagination_class = Pages


urlpatterns = [
    path("bench/trivial/", trivial),
    path("bench/bare/", bare),
    path("bench/admin/", site.urls),
    path("bench/api/items/", ItemPlain.as_view()),
    *of_the_platform,
]
