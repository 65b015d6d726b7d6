"""Drafting, signing and renewing agreements. What merely changes state stands in transitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from alliance.actions.text import open_text, text_changed
from alliance.enums import AgreementState, Side
from alliance.models import Agreement, Clause, Party
from alliance.queries import own_parties
from core import audit
from core.errors import Conflict, Refused
from core.scope import require, still_visible
from core.transitions import transit
from orgs.enums import AreaKind, UnitState
from orgs.models import Area, Unit


def draft_agreement(
    *,
    community: Area,
    units: Sequence[Unit],
    title: str,
    goal: str,
    starts_on: date,
    ends_on: date,
    liaison: str = "",
    by: Any,
    renewed_from: Agreement | None = None,
) -> Agreement:
    """Draft an agreement between `community` and `units`; each unit's liaison is the one on its
    record. A community's worker and the liaison of a unit that takes part may both draft."""
    if community.kind != AreaKind.COMMUNITY:
        raise Refused("甲方须是社区或村，请重新选择。", field="community")
    _check_dates(starts_on, ends_on)
    _check_units(units)
    with transaction.atomic():
        agreement = Agreement.objects.create(
            area=community,
            number=uuid4().hex,  # the number proper needs the row's id
            title=title,
            goal=goal,
            starts_on=starts_on,
            ends_on=ends_on,
            renewed_from=renewed_from,
            created_by=by,
        )
        agreement.number = f"GJ{timezone.localdate().year}-{agreement.pk:06d}"
        agreement.save(update_fields=["number"])
        Party.objects.create(agreement=agreement, side=Side.COMMUNITY, liaison=liaison)
        for unit in units:
            _join(agreement, unit)
        still_visible(agreement, by, "alliance.draft")
        audit.record("alliance.agreement.draft", agreement, by=by, after=_told(agreement))
    return agreement


def revise_agreement(
    *,
    agreement: Agreement,
    version: int,
    units: Sequence[Unit],
    title: str,
    goal: str,
    starts_on: date,
    ends_on: date,
    by: Any,
) -> Agreement:
    """Change the terms or the units of a draft. Raises `Conflict` when it is not the `version`
    that `by` has read; units with clauses of their own cannot leave before those do."""
    _check_dates(starts_on, ends_on)
    _check_units(units)
    with transaction.atomic():
        agreement = open_text(agreement, by=by, version=version)
        before = _told(agreement)
        late = agreement.clauses.exclude(due_on__range=(starts_on, ends_on)).first()
        if late:
            raise Refused(
                f"第 {late.number} 条的完成期限 {late.due_on} 不在新的起止日期内，请先修改该条款。",
                field="ends_on" if late.due_on > ends_on else "starts_on",
            )
        agreement.title, agreement.goal = title, goal
        agreement.starts_on, agreement.ends_on = starts_on, ends_on
        agreement.save(update_fields=["title", "goal", "starts_on", "ends_on", "updated_at"])
        _set_units(agreement, units)
        text_changed(agreement, by=by)
        still_visible(agreement, by, "alliance.draft")
        audit.record(
            "alliance.agreement.revise", agreement, by=by, before=before, after=_told(agreement)
        )
    return agreement


def name_liaison(*, party: Party, liaison: str, by: Any) -> Party:
    """Name one's own side's liaison, or any side's in a draft. Posts change hands: this is no
    change of the text."""
    with transaction.atomic():
        agreement = party.agreement
        require(by, "alliance.draft", agreement)
        own = {side.pk for side in own_parties(agreement, by)}
        if agreement.state != AgreementState.DRAFT and party.pk not in own:
            raise Refused("只能更换本方的联络员，对方的联络员由对方更换。", field="liaison")
        before = {"party": party.pk, "liaison": party.liaison}
        party.liaison = liaison
        party.save(update_fields=["liaison"])
        audit.record(
            "alliance.agreement.name_liaison",
            agreement,
            by=by,
            before=before,
            after={"party": party.pk, "liaison": liaison},
        )
    return party


def confirm_agreement(
    *, agreement: Agreement, version: int, by: Any, party: Party | None = None
) -> Agreement:
    """Sign `version` of an agreement for one's own side, `party` or the first that is unsigned.

    The last signature signs the agreement, and brings it into force if its first day has come;
    else it waits for that day (`alliance.tasks`). Nobody signs for two sides.
    """
    with transaction.atomic():
        # Two sides that sign at once queue here; the later one sees the earlier signature.
        agreement = Agreement.objects.select_for_update(of=("self",)).get(pk=agreement.pk)
        require(by, "alliance.confirm", agreement)
        if agreement.state != AgreementState.PENDING:
            raise Conflict(f"协议当前是“{agreement.get_state_display()}”，不在待签中，请刷新页面。")
        if agreement.version != version:
            raise Conflict("协议内容已有改动，请刷新页面，看过最新内容后再确认。")
        if agreement.ends_on < timezone.localdate():
            raise Refused("到期日期已过，请退回修改起止日期后再签。")
        own = _side_of(agreement, by, party)
        if own.unit_id and own.unit.state != UnitState.ACTIVE:
            raise Refused(f"“{own.unit.name}”已迁出，不能签署；请退回修改，移出该单位。")
        own.confirmed_by, own.confirmed_at = by, timezone.now()
        own.save(update_fields=["confirmed_by", "confirmed_at"])
        after = {"party": own.pk, "name": own.name, "version": version}
        audit.record("alliance.agreement.confirm", agreement, by=by, after=after)
        if agreement.parties.filter(confirmed_at=None).exists():
            return agreement
        agreement.signed_on = timezone.localdate()
        agreement.save(update_fields=["signed_on", "updated_at"])
        audit.record(
            "alliance.agreement.sign",
            agreement,
            by=by,
            after=audit.snapshot(agreement, ["signed_on", "version"]),
        )
        return put_in_force(agreement) if agreement.starts_on <= timezone.localdate() else agreement


def put_in_force(agreement: Agreement) -> Agreement:
    """A signed agreement whose first day has come; the one it renews gives way to it."""
    with transaction.atomic():
        agreement = transit(agreement, "activate", by=None)
        old = agreement.renewed_from
        if old and old.state in (AgreementState.ACTIVE, AgreementState.EXPIRED):
            transit(old, "renew", by=None)
    return agreement


def renew_agreement(*, agreement: Agreement, ends_on: date, by: Any) -> Agreement:
    """A new draft that starts from an old agreement on the day after it: same parties but for
    units that have left, same clauses with their due dates moved along. Renewed once."""
    with transaction.atomic():
        old = Agreement.objects.select_for_update(of=("self",)).get(pk=agreement.pk)
        require(by, "alliance.draft", old)
        if old.state not in (AgreementState.ACTIVE, AgreementState.EXPIRED):
            raise Conflict(f"协议当前是“{old.get_state_display()}”，只有生效或到期的协议可以续签。")
        if renewal := Agreement.objects.filter(renewed_from=old).first():
            raise Conflict(f"该协议已起草续签 {renewal.number}，请在续签的协议上继续。")
        stay = Q(unit=None) | Q(unit__state=UnitState.ACTIVE)
        parties = list(old.parties.filter(stay).select_related("unit"))
        starts_on = old.ends_on + timedelta(days=1)
        new = draft_agreement(
            community=old.area,
            units=[party.unit for party in parties if party.unit_id],
            title=old.title,
            goal=old.goal,
            starts_on=starts_on,
            ends_on=ends_on,
            by=by,
            renewed_from=old,
        )
        successors = {(p.side, p.unit_id): p for p in new.parties.all()}
        for party in parties:
            heir = successors[party.side, party.unit_id]
            heir.liaison = party.liaison
            heir.save(update_fields=["liaison"])
        _copy_clauses(old, new, successors)
        return new


def discard_draft(*, agreement: Agreement, version: int, by: Any) -> None:
    """Delete a draft that nobody wants any more. The audit log keeps what it said."""
    with transaction.atomic():
        agreement = open_text(agreement, by=by, version=version)
        audit.record("alliance.agreement.discard", agreement, by=by, before=_told(agreement))
        agreement.clauses.all().delete()
        agreement.delete()


def _check_dates(starts_on: date, ends_on: date) -> None:
    if ends_on < starts_on:
        raise Refused("到期日期不能早于起始日期，请重新填写。", field="ends_on")


def _check_units(units: Sequence[Unit]) -> None:
    if not units:
        raise Refused("请至少选择一家乙方单位。", field="units")
    if len({unit.pk for unit in units}) != len(units):
        raise Refused("同一家单位只能加入一次。", field="units")
    left = next((unit for unit in units if unit.state != UnitState.ACTIVE), None)
    if left:
        raise Refused(f"“{left.name}”已迁出，不能签订协议。", field="units")


def _join(agreement: Agreement, unit: Unit) -> Party:
    return Party.objects.create(
        agreement=agreement, side=Side.UNIT, unit=unit, liaison=unit.contact_name
    )


def _set_units(agreement: Agreement, units: Sequence[Unit]) -> None:
    present = {party.unit_id: party for party in agreement.parties.filter(side=Side.UNIT)}
    for unit in units:
        if unit.pk not in present:
            _join(agreement, unit)
    for party in present.values():
        if party.unit_id in {unit.pk for unit in units}:
            continue
        if party.clauses.exists():
            raise Refused(
                f"“{party.name}”还有应履行的条款，请先删除这些条款再移出该单位。", field="units"
            )
        party.delete()


def _side_of(agreement: Agreement, by: Any, party: Party | None) -> Party:
    own = [p for p in own_parties(agreement, by) if party is None or p.pk == party.pk]
    unsigned = [p for p in own if not p.confirmed_at]
    if not unsigned:
        raise Conflict(
            "本方已经确认过，不必重复确认。" if own else "只能为本方确认，不能替对方确认。"
        )
    if agreement.parties.filter(confirmed_by=by).exists():
        raise Refused("您已为另一方签署过本协议。一人不能代表两方，请本方其他人员登录确认。")
    return unsigned[0]


def _copy_clauses(
    old: Agreement, new: Agreement, parties: Mapping[tuple[str, int | None], Party]
) -> None:
    shift = new.starts_on - old.starts_on
    clauses = [
        clause
        for clause in old.clauses.select_related("party").order_by("number")
        if (clause.party.side, clause.party.unit_id) in parties
    ]
    Clause.objects.bulk_create(
        Clause(
            agreement=new,
            number=number,
            party=parties[clause.party.side, clause.party.unit_id],
            category=clause.category,
            content=clause.content,
            quantity=clause.quantity,
            measure=clause.measure,
            due_on=min(clause.due_on + shift, new.ends_on),
        )
        for number, clause in enumerate(clauses, start=1)
    )


def _told(agreement: Agreement) -> dict[str, Any]:
    """The agreement as the audit log keeps it: its columns and its units."""
    units = agreement.parties.filter(side=Side.UNIT).values_list("unit_id", flat=True)
    return {**audit.snapshot(agreement), "units": list(units)}
