"""The one way to touch the text of an agreement: terms, parties, clauses."""

from __future__ import annotations

from typing import Any

from django.db.models import F

from alliance.enums import AgreementState
from alliance.models import Agreement
from core import audit
from core.errors import Conflict, Refused
from core.scope import require


def open_text(agreement: Agreement, *, by: Any, version: int) -> Agreement:
    """The agreement, locked, fresh and open to changes by `by`, who has read `version` of it.

    Call inside the transaction of the change. Raises `Conflict` when somebody changed it since.
    """
    fresh = Agreement.objects.select_for_update(of=("self",)).get(pk=agreement.pk)
    require(by, "alliance.draft", fresh)
    if fresh.state != AgreementState.DRAFT:
        raise Refused(
            f"协议当前是“{fresh.get_state_display()}”，内容不能改动。待签的协议请先退回修改。"
        )
    if fresh.version != version:
        raise Conflict("协议内容刚被他人改动，请刷新页面，在最新内容上重新填写。")
    return fresh


def text_changed(agreement: Agreement, *, by: Any) -> None:
    """A new version: whoever had confirmed the old one has to read and confirm again."""
    Agreement.objects.filter(pk=agreement.pk).update(version=F("version") + 1)
    agreement.version += 1
    confirmed = agreement.parties.exclude(confirmed_at=None)
    signatures = list(confirmed.values("id", "confirmed_by_id", "confirmed_at"))
    if signatures:
        confirmed.update(confirmed_by=None, confirmed_at=None)
        before = {"signatures": signatures, "version": agreement.version - 1}
        after = {"signatures": [], "version": agreement.version}
        audit.record("alliance.agreement.void", agreement, by=by, before=before, after=after)
