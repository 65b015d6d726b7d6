"""Reading the audit log against its own hashes: is it what was written?"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from django.conf import settings
from django.db import transaction

from core.audit import CHAINS, head_seal, row_hash
from core.models import AuditChain, AuditEvent


class Fault(Enum):
    """How a chain can be broken: the sentence for logs, and the one for people."""

    GAP = ("rows are missing before this one", "此前有记录被删除")
    ORDER = ("does not continue the row before it", "与前一条记录不衔接（被替换或调换）")
    CONTENT = ("content differs from what was written", "内容被改动")
    TAIL = ("rows are missing at the end of the chain", "链尾有记录被删除")
    BEYOND = ("was appended behind the platform's back", "不是由本平台写入的记录")
    HEAD = ("the head of the chain is forged", "链头被改动")
    NO_HEAD = ("the head of the chain is missing", "链头被删除")

    @property
    def english(self) -> str:
        return self.value[0]

    @property
    def chinese(self) -> str:
        return self.value[1]


class Broken(NamedTuple):
    """The first place where a chain breaks. `event_id` is None where no row is left to name."""

    chain: int
    seq: int
    event_id: int | None
    fault: Fault


class _End(NamedTuple):
    seq: int = 0
    hash: str = ""


class Check:
    """One reading of the whole log: `broken` (the first of each chain) and `rows` counted.

    Runs beside writers: rows are read before heads, so a head is never behind the rows read,
    and what was written in between is read after.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.broken: list[Broken] = []
        self._ends: dict[int, _End] = {}
        self._failed: set[int] = set()

    def run(self) -> Check:
        rows = AuditEvent.objects.order_by("chain", "seq")
        with transaction.atomic():  # its cursor stays on the server
            self._walk(rows.iterator(chunk_size=5000))
        heads = {head.number: head for head in AuditChain.objects.order_by("number")}
        for head in heads.values():
            end = self._ends.get(head.number, _End())
            if head.number not in self._failed and head.seq > end.seq:
                self._walk(rows.filter(chain=head.number, seq__gt=end.seq, seq__lte=head.seq))
        for head in heads.values():
            if head.number not in self._failed:
                self._hold_against(head)
        # The heads are made all together before the first row: one that is not there was removed.
        for number in sorted({*range(CHAINS), *self._ends} - set(heads)):
            if (heads or number in self._ends) and number not in self._failed:
                self._fail(number, self._ends.get(number, _End()).seq, None, Fault.NO_HEAD)
        return self

    def _walk(self, events: Iterable[AuditEvent]) -> None:
        for event in events:
            self.rows += 1
            if event.chain in self._failed:
                continue
            end = self._ends.get(event.chain, _End())
            if fault := _fault(event, end):
                self._fail(event.chain, event.seq, event.pk, fault)
            else:
                self._ends[event.chain] = _End(event.seq, event.hash)

    def _hold_against(self, head: AuditChain) -> None:
        end = self._ends.get(head.number, _End())
        if end.seq < head.seq:
            self._fail(head.number, end.seq + 1, None, Fault.TAIL)
        elif not _genuine(head.seal, lambda key: head_seal(head, key)):
            self._fail(head.number, head.seq, None, Fault.HEAD)
        elif end.seq > head.seq:
            beyond = AuditEvent.objects.get(chain=head.number, seq=head.seq + 1)
            self._fail(head.number, beyond.seq, beyond.pk, Fault.BEYOND)
        elif end.hash != head.hash:
            self._fail(head.number, head.seq, None, Fault.HEAD)

    def _fail(self, chain: int, seq: int, event_id: int | None, fault: Fault) -> None:
        self._failed.add(chain)
        self.broken.append(Broken(chain, seq, event_id, fault))


def verify() -> Iterator[Broken]:
    """The first broken row of each chain, if any. Reads every row once, in chain order."""
    return iter(Check().run().broken)


def _fault(event: AuditEvent, end: _End) -> Fault | None:
    if event.seq != end.seq + 1:
        return Fault.GAP
    if not _genuine(event.hash, lambda key: row_hash(event, key)):
        return Fault.CONTENT
    return None if event.prev_hash == end.hash else Fault.ORDER


def _genuine(found: str, made: Callable[[str], str]) -> bool:
    """Whether one of the keys, present or past, made the hash that was found."""
    return any(hmac.compare_digest(found, made(key)) for key in settings.AUDIT_KEYS)
