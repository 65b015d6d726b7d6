"""What every list has beside itself: its file, its saved views."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.urls import reverse

from core import places, saved_views
from core.exports import FORMATS
from core.forms import Form
from core.list_export import ListSheet, order_list_export
from core.models import SavedView
from core.models.saved_view import SHARE
from core.views import ActionFormView, ObjectView
from core.views.exports import FORMAT
from core.views.lists import VIEW, OfListView, open_list

_PRIVATE = "按手机号查找的结果不能导出：导出会记入日志，而日志不保存手机号。请先去掉这个条件。"
_LISTED = 200  # views on the page of a list's views


class ListExport(OfListView):
    """What will be in the file, in which format, and the job that makes it."""

    template = "console/export.html"

    def check_right(self) -> None:
        super().check_right()
        if not self.list.exports:
            raise Http404(f"{self.list.page_name} is not exported")
        self.title = f"导出{self.list.title}"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show()

    def show(self) -> HttpResponse:
        filterset = self.list.filterset
        error = "" if self.list.can_export else _PRIVATE
        sheet = ListSheet(self.list)
        return self.page(
            422 if error else 200,
            subject=self.list.title,
            form=None,
            error=error,
            rows=sheet.count(),
            chips=filterset.chips if filterset else [],
            columns=[column.label for column in sheet.columns],
            formats=FORMATS.items(),
            format_name=FORMAT,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.list.can_export:
            return self.show()
        suffix = request.POST.get(FORMAT, "xlsx")
        suffix = suffix if suffix in FORMATS else "xlsx"
        job = order_list_export(self.list, by=request.user, suffix=suffix)
        return HttpResponseRedirect(job.get_absolute_url())


class NameForm(Form):
    name = forms.CharField(label="名称", max_length=30)


class KeepForm(NameForm):
    office = forms.ChoiceField(
        label="谁可以看到",
        required=False,
        widget=forms.RadioSelect,
        help_text="共享只共享条件：别人打开时，仍只看到自己权限内的记录。",
    )
    default = forms.BooleanField(label="打开这个列表时先显示它", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offices = {
            f"{o._meta.model_name}-{o.pk}": o for o in saved_views.offices_of(self.user)
        }
        shared = [(key, f"{office}的同事") for key, office in self.offices.items()]
        self.fields["office"].choices = [("", "只有我自己"), *shared]

    def clean_office(self) -> Any:
        return self.offices.get(self.cleaned_data["office"])


class ListViews(OfListView, ActionFormView):
    """Keep the list as the address has it, and all the views of it that one reaches."""

    model, form, action = SavedView, KeepForm, staticmethod(saved_views.save_view)
    creates = True
    template = "core/views.html"
    submit = "保存视图"
    done = "视图已保存。"

    def check_right(self) -> None:
        OfListView.check_right(self)
        self.title = f"视图：{self.list.title}"

    def run(self, data: dict[str, Any]) -> SavedView:
        kept = {"page": self.list.page_name, "query": self.list.kept()}
        return saved_views.save_view(**kept, **data, by=self.request.user)

    def success_url(self, result: SavedView) -> str:
        return places.address_at(result.get_absolute_url(), self.place)

    def crumbs(self) -> list[tuple[str, str]]:
        return OfListView.crumbs(self)

    def extra(self) -> dict[str, Any]:
        user, kept = self.request.user, self.list.kept()
        views = SavedView.objects.visible_to(user).filter(page=self.list.page_name)
        listed = views.with_default(user).select_related("owner", "area", "unit")
        filterset = self.list.filterset
        chosen = self.request.GET.get(VIEW, "")
        listed = list(listed.order_by("name", "pk")[:_LISTED])
        return {
            "listed": listed,
            "chips": filterset.chips if filterset else [],
            "columns": [column.label for column in self.list.columns],
            "changed": next((v for v in listed if str(v.pk) == chosen and v.query != kept), None),
            "query": self.query(),
        }


class OfSavedView(ActionFormView):
    """A page about one view: its owner's, or of the office that shares it."""

    model = SavedView
    perm = SHARE
    object_arg = "view"
    related = ("area", "unit")

    def success_url(self, result: Any) -> str:
        return reverse("core:list-views", args=[self.page_name])

    def get_object(self) -> SavedView:
        found = super().get_object()
        self.page_name = found.page
        return found

    def crumbs(self) -> list[tuple[str, str]]:
        return [("视图", reverse("core:list-views", args=[self.object.page]))]


class ViewEdit(OfSavedView):
    form = NameForm
    action = staticmethod(saved_views.change_view)
    title = "视图改名"


class ViewDelete(OfSavedView):
    form = Form
    action = staticmethod(saved_views.delete_view)
    title = "删除视图"
    submit = "确认删除"
    done = "视图已删除。"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view = self.object
        whose = f"{view.office}的同事都不能再用它。" if view.is_shared else ""
        self.lead = f"删除“{view}”。{whose}列表中的记录不受影响。"
        return super().get(request, *args, **kwargs)


class ViewDeed(ObjectView):
    """What one button does with a view; leads back to where one was."""

    model = SavedView
    perm = SHARE
    http_method_names = ["post"]

    def get_queryset(self) -> QuerySet:
        return SavedView.objects.select_related("area", "unit")

    def back(self, view: SavedView) -> HttpResponse:
        query = self.request.GET.urlencode()
        address = reverse("core:list-views", args=[view.page])
        return HttpResponseRedirect(f"{address}?{query}" if query else address)


class ViewUpdate(ViewDeed):
    """Have the view stand for the list as the address now has it."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view = self.get_object()
        shown = open_list(view.page, user=request.user, query=request.GET)
        saved_views.change_view(view=view, query=shown.kept(), by=request.user)
        messages.success(request, f"“{view}”已更新为当前条件。")
        return HttpResponseRedirect(places.address_at(view.get_absolute_url(), self.place))


class ViewDefault(ViewDeed):
    """Open the list with this view from now on, or no longer."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view = self.get_object()
        if request.POST.get("off"):
            saved_views.clear_default(page=view.page, by=request.user)
            messages.success(request, "打开列表时将显示全部记录。")
        else:
            saved_views.set_default(view=view, by=request.user)
            messages.success(request, f"打开列表时将先显示“{view}”。")
        return self.back(view)
