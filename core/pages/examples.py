"""What the components are shown with: a made-up matter of a community, in every state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from django import forms
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils import timezone

from core.attachments import Panel
from core.charts import Chart, Figure, Kind, Row, Series
from core.enums import JobState
from core.filters import DayRange, FilterSet, Search
from core.forms import Form, PlaceField
from core.models import Attachment, Draft, Job, SavedView
from core.pagination import Page
from core.people import Holders, Next
from core.tables import BoundTable, Column, Table
from core.transitions import Offer, Transition
from core.views import Action, ListView
from core.views.details import Happening, Step
from core.views.places import Node

LONG = "太平角历史文化风貌保护区滨海步行道沿线第三社区居民委员会"


class Matter(SimpleNamespace):
    """A row of the example list; its own page is the table it stands in."""

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return "#table"


class MatterTable(Table):
    order = "-created_at"
    columns = (
        Column("title", "事项", link=True, sort=True),
        Column("owner", "提出单位"),
        Column("state", "状态", tag=JobState),
        Column("total", "受益人次", number=True, sort=True),
        Column("due_on", "时限", due=True, sort=True),
        Column("created_at", "登记日期", date=True, sort=True),
        Column("finished_at", "办结时间", time=True, minor=True),
    )


class MatterFilter(FilterSet):
    """Its numbers are made up: what it filters is empty."""

    q = Search(fields=("title__icontains",), label="查找事项", hint="名称、编号或单位")
    created_at = DayRange(label="登记日期")

    class Meta:
        model = Job
        fields = ("state",)

    def count(self, limit: int) -> int:
        numbers = {"": 1268, "pending": 23, "running": 40, "done": 1180, "failed": 0}
        self._label("state", {**dict.fromkeys(self._options("state"), 25), **numbers})
        return numbers[""]


class MatterList(ListView):
    """The list of the examples, as the parts of a list ask it. It goes by the name of the list of
    jobs, the one that core has, so that its menus have addresses."""

    model = Job
    table = MatterTable
    filters = MatterFilter
    title = "示例事项"
    page_name = "core:jobs"


class EveryField(Form):
    """A field of each kind."""

    groups = (
        ("文字", ("name", "contact", "content", "password")),
        ("数字和日期", ("count", "on", "at")),
        ("选择", ("kind", "side", "unions", "public")),
        ("地点和文件", ("area", "file")),
    )

    name = forms.CharField(label="名称", max_length=40)
    contact = forms.CharField(
        label="联系方式", required=False, help_text="填写社区或单位的办公电话，不填个人手机号。"
    )
    content = forms.CharField(label="内容", widget=forms.Textarea(attrs={"rows": 3}))
    password = forms.CharField(label="密码", widget=forms.PasswordInput())
    count = forms.IntegerField(label="名额", min_value=1)
    on = forms.DateField(label="时限", widget=forms.DateInput())
    at = forms.TimeField(
        label="开放时间", required=False, widget=forms.TimeInput(attrs={"type": "time"})
    )
    kind = forms.ChoiceField(label="类别", choices=[("", "请选择"), ("need", "需求")])
    side = forms.ChoiceField(
        label="提出方",
        choices=[("community", "社区街道"), ("unit", "驻区单位")],
        widget=forms.RadioSelect,
    )
    unions = forms.MultipleChoiceField(
        label="六联",
        choices=[("orgs", "组织联建"), ("teams", "队伍联育"), ("events", "活动联办")],
        widget=forms.CheckboxSelectMultiple,
        help_text="可选多项。",
    )
    public = forms.BooleanField(label="公开办理结果")
    area = PlaceField(label="所在地")
    file = forms.FileField(label="文件", help_text="不超过 20 MB。")


class LockedForm(Form):
    name = forms.CharField(label="名称", initial="楼道照明维修", disabled=True)
    kind = forms.ChoiceField(label="类别", choices=[("need", "需求")], disabled=True)


_PENDING, _OUT = "pending", ("published", "returned")
OFFERS = (
    Offer(
        Transition(
            "publish",
            "发布",
            [_PENDING],
            _OUT[0],
            hint="发布后居民和驻区单位都能看到。请确认没有居民姓名、住址和健康情况。",
        ),
        None,
    ),
    Offer(
        Transition("return", "退回", [_PENDING], _OUT[1], reason=True, tone="danger"),
        None,
    ),
    Offer(Transition("recall", "撤回修改", [_PENDING], "draft", tone="default"), None),
    Offer(
        Transition("withdraw", "撤下", [_OUT[0]], _OUT[1], tone="danger"),
        "已有 2 个名额被认领，不能撤下。",
    ),
)
# What can be done with many at once.
STEPS_FOR_MANY = tuple(offer.transition for offer in OFFERS if offer.allowed)[:2]
_WAY = ("草稿", "待审核", "已发布", "已认领", "已销号")


class Examples:
    """Asked by the templates in `core/components/`; nothing is read from the database."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.now = timezone.now().replace(minute=5, second=0, microsecond=0)
        self.here = reverse("core:components")

    # -- page

    crumbs = (("清单事项", "#breadcrumb"), ("楼道照明维修", "#breadcrumb"))
    actions = (
        (Action("登记单位", "core:components", icon="plus", tone="primary"), "#page_head"),
        (Action("导出", "core:components", icon="download"), "#page_head"),
    )
    state = JobState.RUNNING

    @cached_property
    def place(self) -> Any:
        return _place(1, "太平角社区", "社区")

    @cached_property
    def long_place(self) -> Any:
        return _place(2, LONG, "社区")

    @cached_property
    def tree(self) -> list[Node]:
        """A street that is open, with a community chosen in it, and one that is not."""
        leaves = [_node(self.place, chosen=True), _node(self.long_place)]
        opened = _node(_place(3, "八大关街道", "街道"), opens=self.here, children=leaves)
        return [opened, _node(_place(4, "湛山街道", "街道"), opens=self.here)]

    @property
    def branch(self) -> list[Node]:
        return [_node(_place(5, "仙游路社区", "社区"))]

    messages = tuple(
        Message(level, text)
        for level, text in (
            (constants.SUCCESS, "已发布。"),
            (constants.INFO, "文件正在准备，完成后会在收件箱通知您。"),
            (constants.WARNING, "恢复码只剩 2 个，请在“我的账号”重新生成并妥善保管。"),
            (constants.ERROR, "没有写入：第 12 行的统一社会信用代码不正确，请改正后重新上传。"),
        )
    )

    # -- lists

    @cached_property
    def matters(self) -> MatterList:
        found = MatterList()
        found.setup(self.request)
        return found

    @cached_property
    def rows(self) -> Sequence[Matter]:
        return (
            self._matter("楼道照明维修", "running", total=1268, days=4),
            self._matter(f"{LONG}燃气软管更换", "pending", pk=2, total=23, days=1, owner=LONG),
            self._matter("爱心理发", "done", pk=3, total=12345, ended=True),
            self._matter("法律咨询", "failed", pk=4, total=None, days=-3, owner=None),
        )

    @cached_property
    def table(self) -> BoundTable:
        return self._bind(self.rows)

    @cached_property
    def picks(self) -> BoundTable:
        return self._bind(self.rows[:2], picks=True)

    def _bind(self, rows: Sequence[Matter], **given: Any) -> BoundTable:
        sort = self.request.GET.get("sort", "-created_at")
        columns = self.matters.columns
        return MatterTable.bind(Job, rows, caption="示例事项", sort=sort, columns=columns, **given)

    steps_for_many = STEPS_FOR_MANY

    @property
    def few(self) -> Sequence[Matter]:
        return self.rows[:2]

    @property
    def many(self) -> Sequence[Matter]:
        return self.rows * 3

    @staticmethod
    def note_of(row: Matter) -> str:
        return row.owner

    @property
    def left(self) -> dict[str, Sequence[Matter]]:
        """What a deed with many rows left undone, under the reasons."""
        return {"时限已过，请先退回，改期后再发布。": self.few, "1 条已不在您的范围内。": []}

    @cached_property
    def views(self) -> Sequence[SavedView]:
        """One's own, with which the list opens, and one that the office shares."""
        own = SavedView(pk=1, page=MatterList.page_name, name="待我审核", query="state=pending")
        area = SavedView._meta.get_field("area").related_model(pk=2, name=LONG)
        shared = SavedView(pk=2, page=own.page, name=f"{LONG}逾期", query="sort=due_on", area=area)
        own.is_default, shared.is_default = True, False
        return (own, shared)

    def _matter(self, title: str, state: str, **given: Any) -> Matter:
        days, ended = given.get("days"), given.get("ended")
        return Matter(
            pk=given.get("pk", 1),
            title=title,
            owner=given.get("owner", "太平角社区"),
            state=state,
            total=given["total"],
            due_on=None if days is None else timezone.localdate() + timedelta(days=days),
            created_at=self.now - timedelta(days=20),
            finished_at=self.now if ended else None,
        )

    @cached_property
    def filters(self) -> FilterSet:
        found = self._filters("", "plain")
        found.count(0)
        return found

    @cached_property
    def chosen(self) -> FilterSet:
        return self._filters("set-state=done&set-created_at_after=2026-07-01&set-q=照明", "set")

    @cached_property
    def mistaken(self) -> FilterSet:
        return self._filters("bad-created_at_after=七月", "bad")

    def _filters(self, query: str, prefix: str) -> FilterSet:
        found = MatterFilter(
            QueryDict(query), queryset=Job.objects.none(), request=self.request, prefix=prefix
        )
        found.is_valid()
        return found

    def paging(self, *, total: int = 132, more: bool = False, ahead: bool, back: bool) -> Page:
        return Page(
            rows=[None] * 50,
            total=total,
            more_than_counted=more,
            next="n" if ahead else None,
            previous="p" if back else None,
        )

    # -- details

    @cached_property
    def matter(self) -> Matter:
        return self._matter("楼道照明维修", "pending", total=1268, days=4)

    offers = OFFERS

    waited_for = (
        Next(["发布", "退回"], Holders("八大关街道", "街道干部：王明、李红")),
        Next(["确认"], Holders(LONG, "社区工作者 12 人")),
    )
    waited_for_nobody = (Next(["销号"], None),)

    @cached_property
    def followed(self) -> Job:
        return self.job("done")

    def transit_url(self, name: str) -> str:
        return f"{self.here}?step={name}"

    @property
    def reveal_url(self) -> str:
        return self.transit_url("return")

    def steps(self, now: int) -> list[Step]:
        stages = ["done"] * now + ["now"] + ["ahead"] * (len(_WAY) - now - 1)
        return [Step(label, stage) for label, stage in zip(_WAY, stages, strict=True)]

    @cached_property
    def events(self) -> list[Happening]:
        day = timedelta(days=1)
        changes = [("时限", "2026-11-10", "2026-11-21"), ("名额", "—", "3")]
        return [
            Happening(self.now, "王社工", "退回", "请写明联系时段，并删去居民的门牌号。", []),
            Happening(self.now - day, "李联络", "修改", "", changes),
            Happening(self.now - 2 * day, "系统", "新建", "", []),
        ]

    @property
    def facts(self) -> list[tuple[str, Any]]:
        return [
            ("编号", "XQ-2026-0042"),
            ("提出单位", LONG),
            ("受益人次", "1,268"),
            ("时限", None),
        ]

    @property
    def files(self) -> Panel:
        rows = [
            Attachment(name="签字页.pdf", size=184_320, created_at=self.now),
            Attachment(name=f"{LONG}现场照片.jpg", size=2_411_724, created_at=self.now),
        ]
        return Panel(rows, "#attachments", True, None)

    @property
    def no_files(self) -> Panel:
        return Panel([], "#attachments", True, None)

    @property
    def locked_files(self) -> Panel:
        return Panel(self.files.rows[:1], "", True, "协议已生效，附件不能改动。")

    # -- forms

    @cached_property
    def empty_form(self) -> Form:
        return EveryField(prefix="new", user=self.request.user)

    @cached_property
    def wrong_form(self) -> Form:
        data = QueryDict(f"wrong-name={'长' * 45}&wrong-count=0&wrong-on=十一月&wrong-kind=x")
        form = EveryField(
            data,
            {"wrong-file": SimpleUploadedFile("空.pdf", b"")},
            prefix="wrong",
            user=self.request.user,
        )
        form.full_clean()
        return form

    @cached_property
    def locked_form(self) -> Form:
        return LockedForm(prefix="locked", user=self.request.user)

    @property
    def draft(self) -> Draft:
        return Draft(saved_at=self.now)

    # -- figures

    @property
    def lines(self) -> Chart:
        """A quarter in which nothing was due is a gap in the line of the share."""
        return Chart(
            key="lines",
            title="各季办理",
            about="按登记日期计；办结指已销号的事项。",
            kind=Kind.LINE,
            head="季度",
            series=(Series("登记", "info"), Series("办结", "ok"), Series("按期办结率")),
            rows=[
                Row(
                    f"2026 年第{quarter}季度", (Figure(made), Figure(done), Figure(share, unit="%"))
                )
                for quarter, made, done, share in (
                    ("一", 132, 96, 88),
                    ("二", 140, 0, None),
                    ("三", 1268, 1180, 93.1),
                    ("四", 320, 301, 94),
                )
            ],
            note="第二季度没有到期的事项，不计按期办结率。",
        )

    @property
    def bars(self) -> Chart:
        grades = (("非常满意", 96, "ok"), ("基本满意", 12, ""), ("非常不满意", 3, "bad"))
        return Chart(
            key="bars",
            title="评价",
            about="本期评价按档次计数。",
            kind=Kind.BARS,
            head="档次",
            series=(Series("评价数", "info"),),
            rows=[Row(label, (Figure(n, "#chart"),), tone) for label, n, tone in grades],
        )

    @property
    def first_bars(self) -> Chart:
        names = ("仙游路社区", LONG, "湛山社区", "金口路社区", "福山路社区")
        return Chart(
            key="first",
            title="各社区认领率",
            about="从低到高，只画最低的 3 个。",
            kind=Kind.BARS,
            head="社区",
            series=(Series("认领率", "warn"),),
            rows=[Row(name, (Figure(20 + 15 * n, unit="%"),)) for n, name in enumerate(names)],
            most=100,
            shown=3,
        )

    @property
    def no_chart(self) -> Chart:
        return Chart("none", "评价", "本期评价按档次计数。", Kind.BARS, "档次", (), ())

    # -- jobs

    def job(self, state: str, **given: Any) -> Job:
        return Job(
            title="导出清单事项", state=state, created_at=self.now, **{"finished_at": None, **given}
        )

    @property
    def result(self) -> dict[str, Any]:
        kept: datetime = self.now + timedelta(days=7)
        return {
            "result_path": "x",
            "result_name": "清单事项.xlsx",
            "result_size": 184_320,
            "result_expires_at": kept,
        }


def _place(pk: int, name: str, kind: str) -> Any:
    return SimpleNamespace(pk=pk, name=name, get_kind_display=lambda: kind)


def _node(
    place: Any, *, opens: str | None = None, children: list[Node] = (), chosen: bool = False
) -> Node:
    return Node(place, "#place_tree", opens, children, chosen)
