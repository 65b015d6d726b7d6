"""Attachments: fetch one, add one, remove one. Each asks for the object first."""

from __future__ import annotations

import logging
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect

from core import attachments
from core.attachments import Attachable
from core.content import ACCEPTED
from core.files import send_file
from core.forms import Form
from core.models import Attachment
from core.scope import require
from core.views import ActionFormView, ConsoleView

log = logging.getLogger(__name__)


class AttachmentFile(ConsoleView):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        found, obj = attachments.find(request.user, kwargs["pk"])
        try:
            return send_file(attachments.path_of(found), found.name, found.content_type)
        except FileNotFoundError:
            log.exception("attachment %s: file is gone", found.pk)
            messages.error(request, f"“{found.name}”已不在存储中。请联系系统管理员从备份恢复。")
            return HttpResponseRedirect(obj.get_absolute_url())


class AttachmentForm(Form):
    file = forms.FileField(
        label="文件",
        widget=forms.FileInput(attrs={"accept": attachments.ACCEPT}),
        help_text=f"可上传 {'、'.join(ACCEPTED)}，不超过 {attachments.MAX_BYTES // 2**20} MB。",
        error_messages={"required": "请选择文件。", "empty": "文件是空的。请确认选对了文件。"},
    )


class Attach(ActionFormView):
    model = Attachment
    form = AttachmentForm
    creates = True
    title = "添加附件"
    submit = "上传"
    done = "附件已添加。"

    def check_right(self) -> None:
        self.parent = attachments.find_object(
            self.request.user, self.kwargs["label"], self.kwargs["object_id"]
        )

    def run(self, data: dict[str, Any]) -> Attachment:
        return attachments.attach(self.parent, data["file"], by=self.request.user)

    def success_url(self, result: Any) -> str:
        return self.parent.get_absolute_url() + self.place_suffix

    def crumbs(self) -> list[tuple[str, str]]:
        return [(str(self.parent), self.success_url(None))]


class DetachForm(Form):
    reason = forms.CharField(
        label="理由", max_length=200, required=False, help_text="会记入办理过程。"
    )


class Detach(ActionFormView):
    model = Attachment
    form = DetachForm
    title = "删除附件"
    submit = "删除"
    done = "附件已删除。"
    lead = "删除后不能恢复；文件名和校验值留在办理过程中。"

    def get_object(self) -> Attachment:
        found, self.parent = attachments.find(self.request.user, self.kwargs["pk"])
        declared: Attachable = attachments.attachable_of(type(self.parent))
        require(self.request.user, declared.add, self.parent)
        return found

    def initial(self) -> dict[str, Any]:
        return {}

    def run(self, data: dict[str, Any]) -> Any:
        return attachments.detach(self.object, by=self.request.user, reason=data["reason"])

    def success_url(self, result: Any) -> str:
        return self.parent.get_absolute_url() + self.place_suffix

    def crumbs(self) -> list[tuple[str, str]]:
        self.title = f"删除附件：{self.object.name}"
        return [(str(self.parent), self.success_url(None))]
