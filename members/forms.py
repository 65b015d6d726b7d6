"""Forms of dual reporting. They ask for the least that works (domain.md §7)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import F
from django.utils import timezone

from core.forms import Form, ModelForm, PlaceField
from core.scope import reach_of
from members.enums import LATE_AFTER_DAYS, MOST_HOURS, Opinion, PostState
from members.models import Member, Post, Reporting, ServiceRecord
from members.queries import reportings_to_serve, services_to_confirm
from orgs.enums import AreaKind, AreaState
from orgs.fields import UnitField
from orgs.models import Area, Unit

HOMES = (AreaKind.COMMUNITY, AreaKind.GRID)
MOST_BOXES = 100


class RegisterForm(ModelForm):
    """A new member. The unit is filled in for its own liaison."""

    unit = UnitField(label="单位")
    area = PlaceField(label="居住社区", kinds=HOMES, anywhere=True)
    phone = forms.CharField(
        label="手机号",
        max_length=20,
        required=False,
        help_text="加密保存，页面和导出只显示 138****1234。用于避免重复登记。",
    )

    class Meta:
        model = Member
        fields = ("name", "speciality", "party_org")
        help_texts = {"party_org": "不填则用单位登记的党组织。"}

    groups = (("", ("unit", "name", "area", "phone", "speciality", "party_org")),)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = reach_of(self.user, "members.register").units
        if len(units) == 1:
            self.initial.setdefault("unit", Unit.objects.get(pk=units[0]))


class ReviseForm(ModelForm):
    phone = forms.CharField(label="新手机号", max_length=20, required=False)

    class Meta:
        model = Member
        fields = ("name", "speciality", "party_org")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = self.instance.masked_phone
        self.fields["phone"].help_text = f"现为 {known}，" * bool(known) + "不填则不改。"

    def clean_phone(self) -> str | None:
        return self.cleaned_data["phone"] or None


class MoveForm(Form):
    area = PlaceField(label="新的居住社区", kinds=HOMES, anywhere=True)
    reason = forms.CharField(label="转出理由", max_length=200)


class RevealForm(Form):
    reason = forms.CharField(
        label="用途",
        max_length=200,
        help_text="会连同您的账号记入审计日志。",
        error_messages={"required": "请填写查看的用途。"},
    )


class ReceiveForm(Form):
    """Data of the transition `receive`; the grids offered are those of the report's community."""

    reported_on = forms.DateField(label="报到日期", widget=forms.DateInput)
    grid = forms.ModelChoiceField(
        Area.objects.none(), label="网格", required=False, empty_label="暂不确定"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        grids = Area.objects.filter(kind=AreaKind.GRID, state=AreaState.ACTIVE)
        community = self.initial.get("community")
        grids = grids.filter(community=community) if community else grids.visible_to(self.user)
        self.fields["grid"].queryset = grids.order_by("code")

    @classmethod
    def for_object(cls, reporting: Reporting) -> dict[str, Any]:
        return {
            "reported_on": timezone.localdate(),
            "grid": reporting.grid_id,
            "community": reporting.community_id,
        }


class FeedbackForm(Form):
    """Data of the transition `feed_back`."""

    year = forms.IntegerField(label="年度", min_value=2000, max_value=2999)
    opinion = forms.ChoiceField(label="社区评价", choices=Opinion.choices, widget=forms.RadioSelect)
    comment = forms.CharField(
        label="评语",
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="反馈给单位党组织，只写服务情况。",
    )

    @classmethod
    def for_object(cls, reporting: Reporting) -> dict[str, Any]:
        # In January one still looks back on the year before.
        return {"year": (timezone.localdate() - timedelta(days=31)).year}


class PostForm(ModelForm):
    area = PlaceField(label="所在社区或网格", kinds=HOMES, perm="members.post")

    class Meta:
        model = Post
        fields = ("title", "category", "headcount", "skills", "description")
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    groups = (("", ("area", "title", "category", "headcount", "skills", "description")),)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = [pk for kind, pk in reach_of(self.user, "members.post").areas if kind in HOMES]
        if "area" in self.fields and len(own) == 1:
            self.initial.setdefault("area", Area.objects.get(pk=own[0]))


class PostRevision(PostForm):
    area = None


class ClaimForm(Form):
    """A post for one member: those of the community with a place left."""

    post = forms.ModelChoiceField(Post.objects.none(), label="岗位", empty_label="请选择")

    def offer(self, reporting: Reporting) -> None:
        held = reporting.claims.filter(ended_on=None).values("post")
        free = Post.objects.filter(
            community=reporting.community_id, state=PostState.OPEN, claimed__lt=F("headcount")
        )
        field = self.fields["post"]
        field.queryset = free.exclude(pk__in=held).order_by("title")
        field.label_from_instance = lambda post: f"{post.title}（还差 {post.vacancies} 人）"


class LeaveForm(Form):
    reason = forms.CharField(label="离岗原因", max_length=200)


class WorkForm(ModelForm):
    """What was done, when and for how long."""

    class Meta:
        model = ServiceRecord
        fields: tuple[str, ...] = ("served_on", "hours", "content")
        widgets = {
            "hours": forms.NumberInput(attrs={"step": "0.5", "min": "0.5", "max": str(MOST_HOURS)})
        }


class ServiceForm(WorkForm):
    """One member's service."""

    class Meta(WorkForm.Meta):
        fields = (*WorkForm.Meta.fields, "post")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["post"].queryset = Post.objects.none()
        self.fields["post"].empty_label = "不属于岗位"

    def offer(self, reporting: Reporting) -> None:
        posts = Post.objects.filter(pk__in=reporting.claims.values("post")).order_by("title")
        self.fields["post"].queryset = posts


class LateServiceForm(ServiceForm):
    reason = forms.CharField(
        label="补录理由",
        max_length=200,
        help_text=f"服务已过去 {LATE_AFTER_DAYS} 天以上，须由他人确认。",
    )


class BatchForm(WorkForm):
    """The same service of several members: an activity is written down once."""

    reportings = forms.ModelMultipleChoiceField(
        Reporting.objects.none(),
        label="参加的党员",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请至少选择一名党员。"},
    )

    groups = (("", ("served_on", "hours", "content", "reportings")),)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("served_on", timezone.localdate())
        self.fields["reportings"].queryset = reportings_to_serve(self.user)

    def offer(self, place: Any) -> None:
        field = self.fields["reportings"]
        rows = field.queryset.at(place) if place else field.queryset
        field.queryset = rows
        if rows[MOST_BOXES:].exists():
            field.queryset = rows.none()
            field.help_text = f"范围内党员超过 {MOST_BOXES} 名，请先在顶部选择社区或网格。"
        field.label_from_instance = lambda r: f"{r.member.name}（{r.unit.name}）"


class ConfirmForm(Form):
    """Records that wait for confirmation, ticked beforehand: one takes out what is wrong."""

    records = forms.ModelMultipleChoiceField(
        ServiceRecord.objects.none(),
        label="待确认的服务记录",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请至少选择一条记录。"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["records"].queryset = services_to_confirm(self.user)
        self.fields["records"].label_from_instance = _record_label

    def offer(self, place: Any) -> None:
        rows = self.fields["records"].queryset
        rows = (rows.at(place) if place else rows).order_by("served_on", "pk")
        oldest = list(rows.values_list("pk", flat=True)[:MOST_BOXES])
        self.fields["records"].queryset = rows.filter(pk__in=oldest)
        self.initial.setdefault("records", oldest)


def _record_label(record: ServiceRecord) -> str:
    late = "，补录" if record.is_late else ""
    return (
        f"{record.served_on} {record.member.name}（{record.unit.name}）"
        f"{record.hours} 小时 {record.content}{late}"
    )
