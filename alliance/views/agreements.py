"""Pages of agreements."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from alliance.actions.agreement import (
    confirm_agreement,
    discard_draft,
    draft_agreement,
    renew_agreement,
    revise_agreement,
)
from alliance.enums import AgreementState
from alliance.filters import AgreementFilter
from alliance.forms import AgreementForm, ConfirmForm, DiscardForm, RenewForm, TermsForm
from alliance.models import Agreement, Clause, Fulfilment
from alliance.queries import own_parties, party_to_sign
from alliance.tables import AgreementTable, FulfilmentTable, percent
from core.scope import may
from core.views import Action, ActionFormView, DetailView, ListView

LATEST_DEEDS = 20


class AgreementList(ListView):
    model = Agreement
    table = AgreementTable
    filters = AgreementFilter
    perm = "alliance.view"
    title = "共建协议"
    empty = "还没有共建协议。请由社区或单位联络员起草，写明条款后送签。"
    actions = (
        Action("起草协议", "alliance:agreement-add", "alliance.draft", icon="plus", tone="primary"),
        Action("导出共建协议台账", "alliance:agreements-export", "reports.export", icon="download"),
    )

    def get_queryset(self) -> QuerySet:
        return Agreement.objects.with_parties().with_progress()


class AgreementDetail(DetailView):
    model = Agreement
    template = "alliance/agreement.html"
    perm = "alliance.view"
    related = ("area", "renewed_from", "created_by")
    list_label = "共建协议"
    path = (AgreementState.DRAFT, AgreementState.PENDING, AgreementState.ACTIVE)

    @property
    def actions(self) -> list[Action]:
        """What stands beside the transitions depends on the state."""
        found, user = [], self.request.user
        state = self.object.state
        if party_to_sign(self.object, user):
            found.append(
                Action("确认签署", "alliance:agreement-sign", "alliance.confirm", tone="primary")
            )
        if state == AgreementState.DRAFT:
            found += [
                Action("增加条款", "alliance:agreement-clauses", "alliance.draft", icon="plus"),
                Action("修改", "alliance:agreement-edit", "alliance.draft", icon="edit"),
                Action("删除草稿", "alliance:agreement-discard", "alliance.draft"),
            ]
        renewable = state in (AgreementState.ACTIVE, AgreementState.EXPIRED)
        if renewable and not self.renewal:
            found.append(Action("续签", "alliance:agreement-renew", "alliance.draft"))
        return found

    @property
    def renewal(self) -> Agreement | None:
        return Agreement.objects.filter(renewed_from=self.object).first()

    def extra(self) -> dict[str, Any]:
        agreement, user = self.object, self.request.user
        drafting = agreement.state == AgreementState.DRAFT and may(
            user, "alliance.draft", agreement
        )
        own = {party.pk for party in own_parties(agreement, user)}
        deeds = Fulfilment.objects.filter(clause__agreement=agreement).select_related("clause")
        return {
            **text_of(agreement),
            "progress": Agreement.objects.with_progress().get(pk=agreement.pk),
            "deeds": FulfilmentTable.bind(
                Fulfilment, deeds.order_by("-on", "-pk")[:LATEST_DEEDS], caption="履约记录"
            ),
            "renewal": self.renewal,
            "may_edit": drafting,
            "editable": {p.pk for p in agreement.parties.all()} if drafting else own,
        }


class AgreementAdd(ActionFormView):
    model = Agreement
    form = AgreementForm
    action = staticmethod(draft_agreement)
    creates = True
    perm = "alliance.draft"
    title = "起草共建协议"
    submit = "保存草稿"
    done = "草稿已保存，请继续填写条款。"
    list_label = "共建协议"


class AgreementEdit(ActionFormView):
    model = Agreement
    form = TermsForm
    action = staticmethod(revise_agreement)
    perm = "alliance.draft"
    title = "修改协议"
    lead = "内容改动后，各方已作的确认作废，须重新确认。"
    list_label = "共建协议"

    def run(self, data: dict[str, Any]) -> Agreement:
        return super().run({"version": self.object.version, **data})


class AgreementSign(ActionFormView):
    """The whole text, and one tick. What is signed is the version that the page showed."""

    model = Agreement
    form = ConfirmForm
    action = staticmethod(confirm_agreement)
    perm = "alliance.confirm"
    title = "确认签署"
    submit = "确认签署"
    done = "已代表本方签署。"
    template = "alliance/sign.html"
    list_label = "共建协议"

    def run(self, data: dict[str, Any]) -> Agreement:
        return super().run({"version": self.object.version})

    def extra(self) -> dict[str, Any]:
        return {
            **text_of(self.object),
            "party": party_to_sign(self.object, self.request.user),
        }


class AgreementRenew(ActionFormView):
    model = Agreement
    form = RenewForm
    action = staticmethod(renew_agreement)
    perm = "alliance.draft"
    title = "续签协议"
    lead = "续签是一份新的草稿，从原协议到期次日开始，沿用原有各方和条款，仍须各方重新确认。"
    submit = "生成续签草稿"
    done = "续签草稿已生成，请核对条款后送签。"
    list_label = "共建协议"

    def initial(self) -> dict[str, Any]:
        return {"ends_on": self.object.ends_on + (self.object.ends_on - self.object.starts_on)}


class AgreementDiscard(ActionFormView):
    model = Agreement
    form = DiscardForm
    action = staticmethod(discard_draft)
    perm = "alliance.draft"
    title = "删除草稿"
    lead = "草稿和其中的条款将被删除，审计日志保留内容。"
    submit = "确认删除"
    done = "草稿已删除。"
    list_label = "共建协议"

    def run(self, data: dict[str, Any]) -> None:
        return super().run({"version": self.object.version})

    def success_url(self, result: Any) -> str:
        return reverse("alliance:agreements") + self.place_suffix


def text_of(agreement: Agreement) -> dict[str, Any]:
    """The parties and clauses as a page shows them, in two queries."""
    parties = agreement.parties.select_related("unit", "agreement__area", "confirmed_by")
    clauses = Clause.objects.filter(agreement=agreement).with_progress()
    related = clauses.select_related("party__unit", "party__agreement__area")
    return {
        "parties": list(parties),
        "clauses": list(related.order_by("number")),
        "percent": percent,
    }
