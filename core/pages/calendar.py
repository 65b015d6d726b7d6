"""Working days: where this place departs from the national calendar."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.urls import reverse
from django.utils import timezone
from markupsafe import Markup

from core import workdays
from core.forms import Form
from core.models import WorkdayOverride
from core.tables import Column, Table
from core.views import Action, ActionFormView, ListView

ASK_FOR_NEXT_YEAR = timedelta(days=60)  # terms that begin now reach into it


def _undo(row: WorkdayOverride) -> Markup:
    address = reverse("core:workday-clear", args=[row.pk])
    return Markup('<a href="{}">恢复<span class="visually-hidden">{}</span></a>').format(
        address, row
    )


class WorkdayTable(Table):
    order = "-day"
    columns = (
        Column("day", "日期", date=True, sort=True),
        Column("is_workday", "按", render=lambda row: "上班" if row.is_workday else "休息"),
        Column("note", "依据"),
        Column("id", "国家日历", render=_undo),
    )


class WorkdayList(ListView):
    model = WorkdayOverride
    table = WorkdayTable
    perm = workdays.PERM
    title = "工作日调整"
    empty = "期限按国家放假安排计算。本地另有安排的日子，请在这里登记。"
    actions = (
        Action("登记调整", "core:workday-add", perm=workdays.PERM, tone="primary", icon="plus"),
    )

    @property
    def lead(self) -> str:
        """Which of the years that terms reach into have no decreed holidays here yet."""
        today = timezone.localdate()
        years = sorted({today.year, (today + ASK_FOR_NEXT_YEAR).year})
        unknown = [str(year) for year in years if not workdays.is_decreed(year)]
        if not unknown:
            return "期限按国家放假安排计算；这里登记的日子优先。"
        return (
            f"系统还没有 {'、'.join(unknown)} 年的国家放假安排，暂按周一至周五上班计算。"
            "请升级系统，或先把放假和调休的日子登记在这里。"
        )


class WorkdayForm(Form):
    day = forms.DateField(label="日期", widget=forms.DateInput())
    is_workday = forms.TypedChoiceField(
        label="按",
        choices=[("no", "休息"), ("yes", "上班")],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label="依据", max_length=120, help_text="例如：市政府办公室关于台风停工的通知。"
    )


class WorkdayAdd(ActionFormView):
    model = WorkdayOverride
    form = WorkdayForm
    action = staticmethod(workdays.set_override)
    creates = True
    perm = workdays.PERM
    title = "登记工作日调整"
    lead = "同一天再次登记会替换原来的。已经算好的期限不随之改变。"
    list_url, list_label = "core:workdays", "工作日调整"


class WorkdayClear(ActionFormView):
    model = WorkdayOverride
    form = Form
    perm = workdays.PERM
    title = "恢复国家日历"
    submit = "恢复"
    done = "已恢复按国家日历计算。"
    list_url, list_label = "core:workdays", "工作日调整"

    def run(self, data: dict[str, Any]) -> None:
        workdays.clear_override(day=self.object.day, by=self.request.user)

    def crumbs(self) -> list[tuple[str, str]]:
        self.title = f"恢复国家日历：{self.object}"
        return super().crumbs()[:1]
