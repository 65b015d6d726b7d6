"""The states of an agreement (domain.md §4). The last signature and the calendar move it by the
system alone; people send it out, hand it back and end it early."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from alliance.enums import AgreementState as S
from alliance.enums import Side
from alliance.models import Agreement
from alliance.queries import people_of
from core.transitions import Machine, Transition
from orgs.enums import UnitState


def _not_ready(agreement: Agreement, by: Any) -> str | None:
    """Why an agreement cannot go out to be signed."""
    if not agreement.clauses.exists():
        return "协议还没有条款，请至少写明一条再送签。"
    if agreement.ends_on < timezone.localdate():
        return "到期日期已过，请先修改起止日期再送签。"
    for party in agreement.parties.select_related("unit"):
        if party.unit_id and party.unit.state != UnitState.ACTIVE:
            return f"“{party.unit.name}”已迁出，请先把该单位移出协议。"
        if not party.liaison:
            name = party.unit.name if party.unit_id else "甲方社区"
            return f"{name}还没有填写联络员，请补填后再送签。"
    if not agreement.parties.filter(side=Side.UNIT).exists():
        return "协议还没有乙方单位，请先加入至少一家单位。"
    return None


def _already_signed(agreement: Agreement, by: Any) -> str | None:
    if agreement.is_signed:
        return "各方均已签署，不能再退回修改；确需解除的，请由街道办理终止。"
    return None


def _unsigned(agreement: Agreement, by: Any) -> str | None:
    if not agreement.is_signed:
        return "协议尚未签订，不必终止；请退回修改，或在草稿中删除。"
    return None


def _end_now(agreement: Agreement, by: Any, reason: str) -> None:
    agreement.ended_on = timezone.localdate()
    agreement.ended_reason = reason


def _end_on_last_day(agreement: Agreement, by: Any) -> None:
    agreement.ended_on = agreement.ends_on


def _give_way(agreement: Agreement, by: Any) -> None:
    """A renewed agreement ends where its successor begins, or on its last day if that was first."""
    agreement.ended_on = min(agreement.ends_on, timezone.localdate())


AGREEMENT = Machine(
    "alliance.Agreement",
    states=S,
    deeds={
        "discard": "删除草稿",
        "draft": "起草",
        "revise": "修改",
        "add_clause": "增加条款",
        "revise_clause": "修改条款",
        "remove_clause": "删除条款",
        "name_liaison": "填写联络员",
        "confirm": "确认",
        "void": "原确认作废",
        "sign": "各方签订",
    },
    transitions=[
        Transition(
            "submit",
            "送签",
            [S.DRAFT],
            S.PENDING,
            perm="alliance.draft",
            guard=_not_ready,
            tell=people_of,
            hint="各方将收到通知，并用各自的账号确认；确认前任何一方都可以退回修改。",
        ),
        Transition(
            "return",
            "退回修改",
            [S.PENDING],
            S.DRAFT,
            perm="alliance.confirm",
            reason=True,
            guard=_already_signed,
            tell=people_of,
            tone="default",
            hint="协议回到草稿。内容一经改动，已作的确认全部作废，须重新确认。",
        ),
        Transition("activate", "生效", [S.PENDING], S.ACTIVE, tell=people_of),
        Transition(
            "terminate",
            "终止",
            [S.PENDING, S.ACTIVE],
            S.TERMINATED,
            perm="alliance.end",
            reason=True,
            guard=_unsigned,
            apply=_end_now,
            tell=people_of,
            tone="danger",
            hint="协议立即停止履行，不能恢复；已记录的履约情况保留。",
        ),
        Transition("expire", "到期", [S.ACTIVE], S.EXPIRED, apply=_end_on_last_day, tell=people_of),
        Transition("renew", "续签", [S.ACTIVE, S.EXPIRED], S.RENEWED, apply=_give_way),
    ],
)
