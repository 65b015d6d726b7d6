"""Pages of members: the register, a move, and the one look at a phone in full."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from core.scope import may
from core.views import Action, ActionFormView, DetailView, ListView
from members.actions.member import move_member, register_member, reveal_phone, revise_member
from members.filters import MemberFilter
from members.forms import MoveForm, RegisterForm, RevealForm, ReviseForm
from members.models import Member, Reporting
from members.sheets import MemberSheet
from members.tables import HistoryTable, MemberTable

LABEL = "在职党员"


class MemberList(ListView):
    model = Member
    table = MemberTable
    filters = MemberFilter
    perm = "members.view"
    title = LABEL
    empty = "还没有登记在职党员。请由单位联络员登记，或导入名册。"
    actions = (
        Action("登记党员", "members:member-add", "members.register", icon="plus", tone="primary"),
        Action("导入名册", "members:members-import", MemberSheet.perm, icon="upload"),
    )


class MemberDetail(DetailView):
    model = Member
    template = "members/member.html"
    perm = "members.view"
    related = ("unit", "area", "community")
    list_label = LABEL

    @property
    def actions(self) -> list[Action]:
        if self.object.left_on:
            return []
        return [
            Action("修改", "members:member-edit", "members.register", icon="edit"),
            Action("转出", "members:member-move", "members.register"),
        ]

    def extra(self) -> dict[str, Any]:
        rows = Reporting.objects.visible_to(self.request.user).filter(member=self.object)
        rows = HistoryTable.prepare(rows).order_by("-pk")
        return {
            "may_reveal": may(self.request.user, "members.unmask", self.object),
            "history": HistoryTable.bind(
                Reporting, rows, caption="报到经过", suffix=self.place_suffix
            ),
        }


class MemberAdd(ActionFormView):
    model = Member
    form = RegisterForm
    action = staticmethod(register_member)
    creates = True
    perm = "members.register"
    title = "登记在职党员"
    lead = "只登记姓名、单位、居住社区和手机号，不登记身份证号。登记后报到信息即送达社区。"
    done = "已登记，报到信息已送达社区。"
    list_label = LABEL


class MemberEdit(ActionFormView):
    model = Member
    form = ReviseForm
    action = staticmethod(revise_member)
    perm = "members.register"
    title = "修改党员信息"
    list_label = LABEL


class MemberMove(ActionFormView):
    model = Member
    form = MoveForm
    action = staticmethod(move_member)
    perm = "members.register"
    title = "转出到其他社区"
    lead = "原社区的报到结束并保留记录，新社区收到待报到信息；已认领的岗位自动退出。"
    submit = "确认转出"
    done = "已转出，报到信息已送达新社区。"
    list_label = LABEL

    def initial(self) -> dict[str, Any]:
        return {}

    def success_url(self, result: Reporting) -> str:
        return self.object.get_absolute_url() + self.place_suffix


class MemberPhone(ActionFormView):
    """The number in full, on the answer to the reason and nowhere else."""

    model = Member
    form = RevealForm
    action = staticmethod(reveal_phone)
    perm = "members.unmask"
    template = "members/phone.html"
    title = "查看手机号"
    submit = "记录并查看"
    done = "本次查看已记入审计日志。"
    list_label = LABEL
    phone = ""

    def run(self, data: dict[str, Any]) -> None:
        self.phone = super().run(data)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        if isinstance(response, HttpResponseRedirect):
            response = self.show(self.build(), version="")
        response["Cache-Control"] = "no-store"
        return response
