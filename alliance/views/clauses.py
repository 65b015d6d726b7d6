"""Pages of an agreement's clauses and liaisons."""

from __future__ import annotations

from typing import Any

from django import forms

from alliance.actions.agreement import name_liaison
from alliance.actions.clause import add_clause, remove_clause, revise_clause
from alliance.forms import ClauseForm, DiscardForm, LiaisonForm
from alliance.models import Agreement, Clause, Party
from core.views import ActionFormView


class ClauseAdd(ActionFormView):
    """On the agreement's address: the agreement is what is changed."""

    model = Agreement
    form = ClauseForm
    action = staticmethod(add_clause)
    perm = "alliance.draft"
    title = "增加条款"
    done = "条款已增加。"
    list_label = "共建协议"

    def build(self, *data: Any) -> forms.Form:
        form = self.form(*data, user=self.request.user)
        form.offer(self.object)
        return form

    def run(self, data: dict[str, Any]) -> Clause:
        return super().run({"version": self.object.version, **data})


class OfClause(ActionFormView):
    model = Clause
    perm = "alliance.draft"
    related = ("agreement",)
    list_url = "alliance:agreements"
    list_label = "共建协议"

    def run(self, data: dict[str, Any]) -> Any:
        return super().run({"version": self.object.agreement.version, **data})


class ClauseEdit(OfClause):
    form = ClauseForm
    action = staticmethod(revise_clause)
    title = "修改条款"
    lead = "内容改动后，各方已作的确认作废，须重新确认。"

    def build(self, *data: Any) -> forms.Form:
        form = super().build(*data)
        form.offer(self.object.agreement)
        return form


class ClauseRemove(OfClause):
    form = DiscardForm
    action = staticmethod(remove_clause)
    title = "删除条款"
    submit = "确认删除"
    done = "条款已删除。"


class LiaisonEdit(ActionFormView):
    model = Party
    form = LiaisonForm
    action = staticmethod(name_liaison)
    perm = "alliance.draft"
    title = "填写联络员"
    related = ("agreement__area", "unit")
    list_url = "alliance:agreements"
    list_label = "共建协议"
