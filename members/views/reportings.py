"""Pages of reportings: what the community receives, and what may be done for a member there."""

from __future__ import annotations

from typing import Any

from django import forms

from core.scope import may
from core.views import Action, ActionFormView, DetailView, ListView
from members.actions.post import claim_post, leave_post
from members.actions.service import record_late_service, record_service
from members.enums import ACCEPTED, ReportingState
from members.filters import ReportingFilter
from members.forms import ClaimForm, LateServiceForm, LeaveForm, ServiceForm
from members.models import PostClaim, Reporting, ServiceRecord
from members.tables import OwnServiceTable, ReportingTable

LABEL = "双报到"
LATEST = 20


class ReportingList(ListView):
    model = Reporting
    table = ReportingTable
    filters = ReportingFilter
    perm = "members.view"
    title = LABEL
    bulk = ("receive",)
    actions = (
        Action("导出双报到台账", "members:reportings-export", "reports.export", icon="download"),
    )
    empty = "还没有党员报到。单位联络员登记在职党员后，报到信息会送达居住社区。"


class ReportingDetail(DetailView):
    model = Reporting
    template = "members/reporting.html"
    perm = "members.view"
    related = ("member", "unit", "area", "community")
    list_label = LABEL
    path = (
        ReportingState.PENDING,
        ReportingState.REPORTED,
        ReportingState.POSTED,
        ReportingState.SERVING,
        ReportingState.REVIEWED,
    )

    @property
    def actions(self) -> list[Action]:
        accepted = self.object.state in ACCEPTED
        served = accepted or self.object.reported_on is not None
        found = []
        if accepted:
            found.append(Action("认领岗位", "members:reporting-claim", "members.claim"))
        if served:
            found += [
                Action("登记服务", "members:reporting-record", "members.receive", icon="plus"),
                Action("补录", "members:reporting-late", "members.receive"),
            ]
        return found

    def extra(self) -> dict[str, Any]:
        reporting, user = self.object, self.request.user
        services = ServiceRecord.objects.visible_to(user).filter(reporting=reporting)
        services = services.order_by("-served_on", "-pk")[:LATEST]
        return {
            "totals": Reporting.objects.with_service().get(pk=reporting.pk),
            "claims": reporting.claims.select_related("post").order_by("-pk"),
            "may_claim": may(user, "members.claim", reporting),
            "may_look": may(user, "members.view", reporting.member),
            "feedbacks": reporting.feedbacks.select_related("by"),
            "services": OwnServiceTable.bind(
                ServiceRecord, services, caption="服务记录", suffix=self.place_suffix
            ),
        }


class OfReporting(ActionFormView):
    """A page that does something for one member where he reports."""

    model = Reporting
    related = ("member", "unit")
    list_label = LABEL

    def build(self, *data: Any) -> forms.Form:
        form = self.form(*data, user=self.request.user)
        form.offer(self.object)
        return form

    def success_url(self, result: Any) -> str:
        return self.object.get_absolute_url() + self.place_suffix


class ReportingClaim(OfReporting):
    form = ClaimForm
    perm = "members.claim"
    title = "认领岗位"
    submit = "认领"
    done = "岗位已认领。"

    def run(self, data: dict[str, Any]) -> PostClaim:
        return claim_post(member=self.object.member, by=self.request.user, **data)


class ReportingRecord(OfReporting):
    form = ServiceForm
    action = staticmethod(record_service)
    perm = "members.receive"
    title = "登记服务"
    done = "服务已登记，待确认。"


class ReportingLate(OfReporting):
    form = LateServiceForm
    action = staticmethod(record_late_service)
    perm = "members.receive"
    title = "补录服务"
    lead = "用于当时漏记的服务。补录单独标明，须由登记人以外的人确认。"
    done = "已补录，待他人确认。"


class ClaimLeave(ActionFormView):
    model = PostClaim
    form = LeaveForm
    action = staticmethod(leave_post)
    perm = "members.claim"
    title = "离岗"
    submit = "确认离岗"
    done = "已离岗，名额已空出。"
    object_arg = "claim"
    related = ("post", "member", "reporting")
    list_url = "members:reportings"
    list_label = LABEL

    def initial(self) -> dict[str, Any]:
        return {}
