"""The audit log: who did what to what, when and why, in the same transaction as the deed.

::

    before = snapshot(unit)
    unit.name = name; unit.save()
    record("orgs.unit.rename", unit, by=user, before=before, after=snapshot(unit))

Rows are append-only by database trigger and chained by keyed hashes: whoever holds the database
but not the key can neither rewrite a row nor cut a chain short unseen. There are `CHAINS`
chains; a writer takes the head of a free one (`SKIP LOCKED`) and stays with it, so chains never
fork and writers do not queue. `core.audit_check.verify` names the first broken row of each.
How to use and check it: docs/audit.md.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cache, lru_cache
from itertools import chain, islice
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
import structlog
from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone

from core.copying import insert_rows
from core.models import AuditChain, AuditEvent

CHAINS = 128  # more than PostgreSQL's usual 100 connections: a free head is always found
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
_COLUMNS = (*_HASHED, "hash")
_BATCH = 1000  # events written at a time


class Hidden(str):
    """What stands in the log for a value that must not: 已填, or nothing. It keeps the value
    for the comparison, so that a change of a phone number still shows as a change."""

    value: Any

    def __new__(cls, value: Any) -> Hidden:
        made = super().__new__(cls, "已填" if value else "")
        made.value = value
        return made


class Entry(NamedTuple):
    """One object's part of a deed done to many (`record_many`)."""

    obj: models.Model
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}


def snapshot(obj: models.Model, fields: Iterable[str] | None = None) -> dict[str, Any]:
    """The object's own columns as plain values; encrypted ones and those in its `audit_hidden`
    as 已填 or nothing."""
    names, secret, read = _columns_of(type(obj))
    try:
        own = read(vars(obj))  # past the descriptors, which take half of the time
    except KeyError:  # a deferred column
        own = [getattr(obj, attname) for attname in names.values()]
    values = dict(zip(names.values(), own, strict=True))
    for attname in secret:
        values[attname] = Hidden(values[attname])
    if fields is None:
        return values
    wanted = set(fields)
    return {
        attname: values[attname]
        for name, attname in names.items()
        if name in wanted or attname in wanted
    }


@cache
def _columns_of(
    model: type[models.Model],
) -> tuple[dict[str, str], frozenset[str], Callable[[dict[str, Any]], tuple]]:
    """The attributes of a model's columns by field, those that hide, and what reads them all."""
    columns = model._meta.concrete_fields
    hidden = getattr(model, "audit_hidden", ())
    names = {column.name: column.attname for column in columns}
    secret = (c.attname for c in columns if c.name in hidden or getattr(c, "encrypted", False))
    return names, frozenset(secret), itemgetter(*names.values())


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
    _check_shared()
    head = _take_head()
    entry = Entry(obj, before or {}, after or {})
    (values,) = _chained(head, [entry], _Deed.now(action, by, reason))
    event = AuditEvent.objects.create(**dict(zip(_COLUMNS, values, strict=True)))
    _leave(head)
    return event


def record_many(
    action: str, entries: Iterable[Entry], *, by: Any, reason: str = "", at_hand: bool = False
) -> int:
    """Append one event an entry, taken as they come; how many. Only columns that differ are kept
    of each.

    at_hand: neither the entries nor the names of their objects ask the database anything, so that
    it takes in the first while the others are made; a quarter less time for thousands.
    """
    _check_shared()
    entries, deed = iter(entries), _Deed.now(action, by, reason)
    some = list(islice(entries, _BATCH))
    if not some:
        return 0
    head = _take_head()
    began = head.seq
    if at_hand:
        insert_rows(AuditEvent, _COLUMNS, _chained(head, chain(some, entries), deed))
    else:
        while some:
            insert_rows(AuditEvent, _COLUMNS, list(_chained(head, some, deed)))
            some = list(islice(entries, _BATCH))
    _leave(head)
    return head.seq - began


def _check_shared() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("audit must share the deed's transaction")


class _Deed(NamedTuple):
    """What the events of one deed have in common."""

    at: datetime
    actor_id: int | None
    actor_name: str
    action: str
    reason: str
    request_id: str

    @classmethod
    def now(cls, action: str, by: Any, reason: str) -> _Deed:
        name = str(by)[:64] if by is not None else "系统"
        request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))[:64]
        return cls(timezone.now(), getattr(by, "pk", None), name, action, reason, request_id)


def _chained(head: AuditChain, entries: Iterable[Entry], deed: _Deed) -> Iterator[tuple]:
    """The rows of the entries, as `_COLUMNS`; the head goes along to the last."""
    at = deed.at.timestamp().hex()
    kind, key = "", _key()
    model: type[models.Model] | None = None
    for obj, before, after in entries:
        if type(obj) is not model:
            model, kind = type(obj), obj._meta.label_lower
        old, new = _differences(before, after)
        head.seq += 1
        values = {
            "chain": head.number,
            "seq": head.seq,
            "at": at,
            "actor_id": deed.actor_id,
            "actor_name": deed.actor_name,
            "action": deed.action,
            "object_type": kind,
            "object_id": str(obj.pk),
            "object_label": str(obj)[:200],
            "reason": deed.reason,
            "before": _canonical(old),
            "after": _canonical(new),
            "request_id": deed.request_id,
            "prev_hash": head.hash,
        }
        head.hash = _hash_of(values, key)
        values["at"] = deed.at
        yield (*values.values(), head.hash)


def _leave(head: AuditChain) -> None:
    head.seal = head_seal(head)
    head.save(update_fields=["seq", "hash", "seal"])


def timeline(obj: models.Model) -> models.QuerySet[AuditEvent]:
    """What happened to one object, oldest first. The caller has already passed its scope."""
    return AuditEvent.objects.filter(
        object_type=obj._meta.label_lower, object_id=str(obj.pk)
    ).order_by("id")


def row_hash(event: AuditEvent, key: str | None = None) -> str:
    """The hash that the row must carry: over all its content and the hash of the row before."""
    values = {name: getattr(event, name) for name in _HASHED}
    values["at"] = event.at.timestamp().hex()
    return _hash_of(values, key)


def _hash_of(values: dict[str, Any], key: str | None = None) -> str:
    return _keyed(b"row", orjson.dumps(values, option=orjson.OPT_SORT_KEYS), key)


def head_seal(head: AuditChain, key: str | None = None) -> str:
    """What proves that the platform itself set the head to this row. Without it, whoever cuts
    off the end of a chain could point the head at the row that is now the last."""
    return _keyed(b"head", f"{head.number} {head.seq} {head.hash}".encode(), key)


def _keyed(kind: bytes, content: bytes, key: str | None) -> str:
    digest = _digest(kind, key or _key()).copy()
    digest.update(content)
    return digest.hexdigest()


@lru_cache(maxsize=16)
def _digest(kind: bytes, key: str) -> hmac.HMAC:
    """To be copied: the key is worked in once, not for each of thousands of rows."""
    return hmac.new(key.encode(), kind + b":", "sha256")


def _key() -> str:
    return settings.AUDIT_KEYS[0]


def _take_head() -> AuditChain:
    """A chain head locked for this transaction.

    A connection comes back to the head it used last: within a transaction that is the one it
    holds, so no transaction ever holds two or waits while it holds one. Should every head be
    taken, it waits for its own; that takes more than `CHAINS` transactions writing at once.
    """
    preferred = getattr(connection, "audit_chain", None)
    if preferred is None:
        preferred = _first_choice()
    heads = AuditChain.objects.select_for_update(skip_locked=connection.vendor == "postgresql")
    turned = heads.order_by((models.F("number") + CHAINS - preferred) % CHAINS)
    head = heads.filter(number=preferred).first() or turned.first()
    if head is None:
        _open_chains()
        head = AuditChain.objects.select_for_update().get(number=preferred)
    connection.audit_chain = head.number
    return head


def _first_choice() -> int:
    """Spread connections over the chains; SQLite has one writer at a time and needs but one."""
    if connection.vendor != "postgresql":
        return 0
    connection.ensure_connection()
    return connection.connection.info.backend_pid % CHAINS


def _open_chains() -> None:
    """All at once before the first row, so that a head that is missing later was removed."""
    heads = [AuditChain(number=n) for n in range(CHAINS)]
    for head in heads:
        head.seal = head_seal(head)
    AuditChain.objects.bulk_create(heads, ignore_conflicts=True)


def _differences(before: dict, after: dict) -> tuple[dict, dict]:
    if not before or not after:
        return before, after
    changed = [k for k in {**before, **after} if _bare(before.get(k)) != _bare(after.get(k))]
    return {k: before.get(k) for k in changed}, {k: after.get(k) for k in changed}


def _bare(value: Any) -> Any:
    return value.value if isinstance(value, Hidden) else value


def _canonical(values: dict[str, Any]) -> str:
    if not values:
        return "{}"
    return orjson.dumps(values, default=str, option=orjson.OPT_SORT_KEYS).decode()
