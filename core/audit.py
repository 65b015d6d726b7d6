"""The audit log: who did what to what, when and why, in the same transaction as the deed.

::

    before = snapshot(unit)
    unit.name = name; unit.save()
    record("orgs.unit.rename", unit, by=user, before=before, after=snapshot(unit))

Rows are append-only by database trigger and hash-chained. There are `CHAINS` chains: a writer
takes the head of any free one (`SKIP LOCKED`), so chains never fork and writers do not queue.
`verify` names the first broken row of each chain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson
import structlog
from django.db import connection, models, transaction
from django.utils import timezone

from core.models import AuditChain, AuditEvent

CHAINS = 64  # more than the database connections that ever write at once
_HASHED = (
    "chain",
    "seq",
    "at",
    "actor_id",
    "actor_name",
    "action",
    "object_type",
    "object_id",
    "object_label",
    "reason",
    "before",
    "after",
    "request_id",
    "prev_hash",
)


class Entry(NamedTuple):
    """One object's part of a deed done to many (`record_many`)."""

    obj: models.Model
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}


class Broken(NamedTuple):
    """Where a chain breaks: the row's id (None when rows are missing at the end) and why."""

    chain: int
    seq: int
    event_id: int | None
    why: str


def snapshot(obj: models.Model, fields: Iterable[str] | None = None) -> dict[str, Any]:
    """The object's own columns as plain values; encrypted ones and those in its `audit_hidden`
    only as 已填/空."""
    hidden = getattr(obj, "audit_hidden", ())
    wanted = set(fields) if fields is not None else None
    values: dict[str, Any] = {}
    for column in obj._meta.concrete_fields:
        if wanted is not None and column.name not in wanted and column.attname not in wanted:
            continue
        value = getattr(obj, column.attname)
        secret = column.name in hidden or getattr(column, "encrypted", False)
        values[column.attname] = ("已填" if value else "") if secret else value
    return values


def record(
    action: str,
    obj: models.Model,
    *,
    by: Any,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> AuditEvent:
    """Append one event; `by` is a user, or None for the system. Must run in a transaction."""
    return record_many(action, [Entry(obj, before or {}, after or {})], by=by, reason=reason)[0]


def record_many(
    action: str, entries: Iterable[Entry], *, by: Any, reason: str = ""
) -> list[AuditEvent]:
    """Append one event an entry, in one insert. Only columns that differ are kept of each."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("audit must share the deed's transaction")
    entries = list(entries)
    if not entries:
        return []
    head = _take_head()
    now = timezone.now()
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))[:64]
    events = []
    for obj, before, after in entries:
        old, new = _differences(before, after)
        event = AuditEvent(
            chain=head.number,
            seq=head.seq + 1,
            at=now,
            actor_id=getattr(by, "pk", None),
            actor_name=str(by)[:64] if by is not None else "系统",
            action=action,
            object_type=obj._meta.label_lower,
            object_id=str(obj.pk),
            object_label=str(obj)[:200],
            reason=reason,
            before=_canonical(old),
            after=_canonical(new),
            request_id=request_id,
            prev_hash=head.hash,
        )
        event.hash = _digest(event)
        head.seq, head.hash = event.seq, event.hash
        events.append(event)
    AuditEvent.objects.bulk_create(events, batch_size=500)
    head.save(update_fields=["seq", "hash"])
    return events


def timeline(obj: models.Model) -> models.QuerySet[AuditEvent]:
    """What happened to one object, oldest first. The caller has already passed its scope."""
    return AuditEvent.objects.filter(
        object_type=obj._meta.label_lower, object_id=str(obj.pk)
    ).order_by("id")


def verify() -> Iterator[Broken]:
    """The first broken row of each chain, if any. Reads every row once, in chain order."""
    heads = {head.number: head for head in AuditChain.objects.all()}
    seq, prev, chain, broken = 0, "", None, False
    ends: dict[int, tuple[int, str]] = {}
    failed: set[int] = set()
    for event in AuditEvent.objects.order_by("chain", "seq").iterator(chunk_size=5000):
        if event.chain != chain:
            chain, seq, prev, broken = event.chain, 0, "", False
        if broken:
            continue
        if event.seq != seq + 1:
            why = f"expected number {seq + 1}, rows are missing"
        elif event.prev_hash != prev:
            why = "does not continue the row before it"
        elif _digest(event) != event.hash:
            why = "content was changed"
        else:
            seq, prev = event.seq, event.hash
            ends[chain] = (seq, prev)
            continue
        broken = True
        failed.add(chain)
        yield Broken(chain, event.seq, event.pk, why)
    for number, head in heads.items():
        if number not in failed and ends.get(number, (0, "")) != (head.seq, head.hash):
            yield Broken(number, head.seq, None, "rows are missing at the end of the chain")
    for number in sorted(set(ends) - set(heads)):
        yield Broken(number, ends[number][0], None, "the head of the chain is missing")


def _take_head() -> AuditChain:
    """A chain head locked for this transaction: any free one, or the wait for one if none is."""
    if connection.vendor == "sqlite":  # one writer at a time anyway
        return AuditChain.objects.get_or_create(number=0)[0]
    # Start at a different head in each connection, so that a quiet system does not use one alone.
    start = connection.connection.get_backend_pid() % CHAINS
    turned = AuditChain.objects.order_by((models.F("number") + CHAINS - start) % CHAINS)
    head = turned.select_for_update(skip_locked=True).first()
    if head is None:
        AuditChain.objects.bulk_create(
            [AuditChain(number=n) for n in range(CHAINS)], ignore_conflicts=True
        )
        head = turned.select_for_update().first()
    return head


def _differences(before: dict, after: dict) -> tuple[dict, dict]:
    if not before or not after:
        return before, after
    changed = [k for k in {**before, **after} if before.get(k) != after.get(k)]
    return {k: before.get(k) for k in changed}, {k: after.get(k) for k in changed}


def _canonical(values: dict[str, Any]) -> str:
    return orjson.dumps(values, default=str, option=orjson.OPT_SORT_KEYS).decode()


def _digest(event: AuditEvent) -> str:
    values = {name: getattr(event, name) for name in _HASHED}
    values["at"] = event.at.timestamp().hex()
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()
