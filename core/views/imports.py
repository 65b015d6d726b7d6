"""Import as pages: template, upload, check, preview, confirm, written."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path
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
from django.urls import URLPattern, path, reverse

from core import imports
from core.errors import Conflict, Refused
from core.files import clean_name, send_file
from core.forms import Form
from core.models import SheetImport
from core.scope import get_visible
from core.sheets.resources import SheetResource
from core.sheets.template import write_template
from core.views.base import ConsoleView

RECENT = 5


class UploadForm(Form):
    file = forms.FileField(
        label="要导入的表格",
        help_text="支持 xlsx、xls、ods、csv，不超过 20 MB。上传后先检查，确认之前不会写入。"
        "文件在写入或放弃后立即删除，最多保留一天。",
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xls,.ods,.csv"}),
        error_messages={
            "required": "请选择要导入的文件。",
            "empty": "文件是空的，请检查后重新选择。",
            "invalid": "没有收到文件，请重新选择。",
        },
    )


class ImportView(ConsoleView):
    """::

        urlpatterns = [
            *ImportView.urls("units", UnitSheet, app="orgs"),
        ]

    gives ``orgs:units-import`` (upload), ``-template`` (the empty template), ``-check`` (one
    upload: its check, its preview, its end) and ``-errors`` (the marked workbook) below
    units/import/. The list it leads back to is ``orgs:units``.
    """

    resource: type[SheetResource] = SheetResource  # given to `urls`
    name = ""  # of the list, e.g. ``orgs:units``
    template = "console/import.html"

    @classmethod
    def urls(cls, noun: str, resource: type[SheetResource], *, app: str) -> list[URLPattern]:
        given = {"resource": resource, "name": f"{app}:{noun}"}
        below = f"{noun}/import/"
        return [
            path(below, cls.as_view(**given), name=f"{noun}-import"),
            path(
                f"{below}template/", TemplateView.as_view(**given), name=f"{noun}-import-template"
            ),
            path(
                f"{below}<uuid:pk>/", CheckView.as_view(**given), name=f"{noun}-import-check"
            ),
            path(
                f"{below}<uuid:pk>/errors/", ErrorsView.as_view(**given),
                name=f"{noun}-import-errors",
            ),
        ]  # fmt: skip

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.perm = self.resource.perm
        self.title = f"导入{self.resource.title}"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return self.show(UploadForm())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                sheet = imports.take(self.resource, form.cleaned_data["file"], by=request.user)
            except Refused as error:
                form.add_error(error.field if error.field in form.fields else None, error.message)
            else:
                return HttpResponseRedirect(self.address("check", sheet.pk) + self.place_suffix)
        return self.show(form, status=422)

    def show(self, form: forms.Form, status: int = 200) -> HttpResponse:
        return self.page(
            status,
            form=form,
            columns=self.resource().columns,
            notes=self.resource.notes,
            template_url=self.address("template"),
            recent=[(s, self.address("check", s.pk)) for s in self.mine()[:RECENT]],
        )

    def mine(self) -> QuerySet[SheetImport]:
        """The person's own uploads of this table, newest first."""
        found = SheetImport.objects.visible_to(self.request.user)
        return found.filter(resource=self.resource.identifier).order_by("-pk")

    def address(self, step: str = "", *args: Any) -> str:
        return reverse("-".join(filter(None, (f"{self.name}-import", step))), args=args)

    def crumbs(self) -> list[tuple[str, str]]:
        return [(self.resource.title, reverse(self.name) + self.place_suffix)]


class TemplateView(ImportView):
    """The empty template, made for this person (its dropdowns may be theirs)."""

    http_method_names = ("get", "head", "options")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "template.xlsx"
            write_template(made, self.resource())
            # In memory: the folder is gone when the answer goes out.
            return send_file(
                BytesIO(made.read_bytes()), clean_name(f"{self.resource.title}导入模板.xlsx")
            )


class CheckView(ImportView):
    """One upload. While a job is at work on it the page shows how far it is."""

    template = "console/import_check.html"

    def check_right(self) -> None:
        """404 for an upload that is not one's own, whoever asks; 403 without the right to the
        table, as it stands today."""
        self.sheet = get_visible(
            self.mine().select_related("job"), self.request.user, pk=self.kwargs["pk"]
        )
        super().check_right()
        self.title = f"导入{self.resource.title}：{self.sheet.name}"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        sheet = self.sheet
        errors_url = self.address("errors", sheet.pk) if imports.errors_of(sheet) else ""
        return self.page(
            sheet=sheet,
            preview=sheet.preview,
            list_url=reverse(self.name) + self.place_suffix,
            upload_url=self.address() + self.place_suffix,
            errors_url=errors_url,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        steps = {"confirm": imports.confirm, "check": imports.check_again, "drop": imports.drop}
        step = steps.get(request.POST.get("step", ""))
        sheet = self.sheet
        if step is None:
            raise Http404("no such step")
        try:
            step(sheet, by=request.user)
        except Conflict as error:
            messages.warning(request, error.message)
        except Refused as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(self.address("check", sheet.pk) + self.place_suffix)

    def crumbs(self) -> list[tuple[str, str]]:
        here = (f"导入{self.resource.title}", self.address() + self.place_suffix)
        return [*super().crumbs(), here]


class ErrorsView(CheckView):
    """The uploaded workbook with a column 错误信息."""

    http_method_names = ("get", "head", "options")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        found = imports.errors_of(self.sheet)
        if found is None:
            raise Http404("no errors workbook")
        try:
            return send_file(*found)
        except FileNotFoundError as error:
            raise Http404("the errors workbook is gone") from error
