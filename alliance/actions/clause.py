"""Writing the clauses of a draft, and counting what fulfils them once it is in force."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models, transaction
from django.db.models import Max

from alliance.actions.text import open_text, text_changed
from alliance.enums import SIGNED
from alliance.models import Agreement, Clause, Fulfilment, Party
from core import audit
from core.errors import Refused
from core.scope import require


def add_clause(
    *,
    agreement: Agreement,
    version: int,
    party: Party,
    category: str,
    content: str,
    quantity: Decimal,
    measure: str,
    due_on: date,
    by: Any,
) -> Clause:
    """Append a clause that `party` is to deliver. `version` is that of the text `by` has read."""
    with transaction.atomic():
        agreement = open_text(agreement, by=by, version=version)
        last = agreement.clauses.aggregate(last=Max("number"))["last"] or 0
        clause = Clause(agreement=agreement, number=last + 1)
        _write(clause, party, category, content, quantity, measure, due_on)
        text_changed(agreement, by=by)
        _record("add", agreement, by, after=_told(clause))
    return clause


def revise_clause(
    *,
    clause: Clause,
    version: int,
    party: Party,
    category: str,
    content: str,
    quantity: Decimal,
    measure: str,
    due_on: date,
    by: Any,
) -> Clause:
    """Rewrite a clause of a draft."""
    with transaction.atomic():
        agreement = open_text(clause.agreement, by=by, version=version)
        clause = agreement.clauses.get(pk=clause.pk)
        before = _told(clause)
        clause.agreement = agreement
        _write(clause, party, category, content, quantity, measure, due_on)
        text_changed(agreement, by=by)
        _record("revise", agreement, by, before, _told(clause))
    return clause


def remove_clause(*, clause: Clause, version: int, by: Any) -> Agreement:
    """Strike a clause of a draft; those after it move up, so that the numbers have no gap."""
    with transaction.atomic():
        agreement = open_text(clause.agreement, by=by, version=version)
        clause = agreement.clauses.get(pk=clause.pk)
        _record("remove", agreement, by, _told(clause))
        clause.delete()
        # One by one and in order: a single update would meet the unique number half-way.
        for later in agreement.clauses.filter(number__gt=clause.number).order_by("number"):
            later.number -= 1
            later.save(update_fields=["number"])
        text_changed(agreement, by=by)
    return agreement


def record_fulfilment(
    *, clause: Clause, quantity: Decimal, on: date, source: models.Model, by: Any
) -> Fulfilment:
    """Count a deed towards a clause: `source` is its record, counted once however often this is
    called (the last quantity and day stand). `by=None` is the system.

    Raises `Refused` unless the agreement was in force on that day.
    """
    with transaction.atomic():
        agreement = clause.agreement
        if by is not None:
            require(by, "alliance.view", agreement)
        last = agreement.ended_on or agreement.ends_on
        if agreement.state not in SIGNED or not agreement.starts_on <= on <= last:
            raise Refused(
                f"协议 {agreement.number} 在 {on} 不在有效期内，不能计入履约。", field="clause"
            )
        if quantity <= 0:
            raise Refused("计入履约的数量须大于零。", field="quantity")
        fulfilment, created = Fulfilment.objects.update_or_create(
            source_type=source._meta.label_lower,
            source_id=source.pk,
            defaults={
                "clause": clause,
                "quantity": quantity,
                "on": on,
                "source_label": str(source)[:200],
            },
        )
        audit.record(
            "alliance.fulfilment.record" if created else "alliance.fulfilment.correct",
            fulfilment,
            by=by,
            after=audit.snapshot(fulfilment),
        )
    return fulfilment


def withdraw_fulfilment(*, source: models.Model, by: Any) -> None:
    """Stop counting a deed that turned out not to have been done. Nothing counted, nothing done."""
    with transaction.atomic():
        for fulfilment in Fulfilment.objects.filter(
            source_type=source._meta.label_lower, source_id=source.pk
        ):
            audit.record(
                "alliance.fulfilment.withdraw",
                fulfilment,
                by=by,
                before=audit.snapshot(fulfilment),
            )
            fulfilment.delete()


def _told(clause: Clause) -> dict[str, Any]:
    return {f"clause_{name}": value for name, value in audit.snapshot(clause).items()}


def _record(
    verb: str, agreement: Agreement, by: Any, before: dict | None = None, after: dict | None = None
) -> None:
    """What happened to a clause happened to its agreement: one timeline tells it all."""
    audit.record(f"alliance.agreement.{verb}_clause", agreement, by=by, before=before, after=after)


def _write(
    clause: Clause,
    party: Party,
    category: str,
    content: str,
    quantity: Decimal,
    measure: str,
    due_on: date,
) -> None:
    agreement = clause.agreement
    if party.agreement_id != agreement.pk:
        raise Refused("履约方不是本协议的签约方，请重新选择。", field="party")
    if quantity <= 0:
        raise Refused("数量须大于零。", field="quantity")
    if not agreement.starts_on <= due_on <= agreement.ends_on:
        raise Refused(
            f"完成期限须在协议起止日期 {agreement.starts_on} 至 {agreement.ends_on} 之内。",
            field="due_on",
        )
    clause.party, clause.category, clause.content = party, category, content
    clause.quantity, clause.measure, clause.due_on = quantity, measure, due_on
    clause.save()
