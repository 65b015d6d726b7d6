"""One transition of many rows: what it will and will not change, and then row by row.

The outlook (`look`) is read without locks and promises nothing. The deed takes each row by its
own `transit()`: locked, checked again, in a transaction of its own. A row that was changed
meanwhile stays as it is and says why; those before and after it are done all the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import InterfaceError, OperationalError
from django.db.models import Model, QuerySet
from django.http import Http404, QueryDict

from core import places
from core.errors import Refused
from core.jobs import AlreadyRunning, Run, job_kind, submit
from core.jobs.pulse import Stop
from core.models import Job
from core.sheets.layout import Column, Layout
from core.sheets.writing import write_table
from core.transitions import Transition, machine_of, transit

log = logging.getLogger(__name__)

Telling = Mapping[str, Callable[[Model], str]]  # what tells a row from its namesakes, by label

MOST = 2_000  # rows of one deed: what a person can still answer for having looked at
AT_ONCE = 50  # rows that are done while the person waits; more are a job
_CHUNK = 200
NO_RIGHT = "您没有对这条记录办理的权限。"
GONE = "已被删除，或不在您的管理范围内。"


@dataclass(frozen=True)
class Outlook:
    """What a deed will change, and what it will not with the reason, as things stand.

    missing: rows asked for that are not there for this person.
    """

    will: list[Model] = field(default_factory=list)
    wont: dict[str, list[Model]] = field(default_factory=dict)
    missing: int = 0

    @property
    def left(self) -> int:
        """How many of what was asked for stay as they are."""
        return sum(map(len, self.wont.values())) + self.missing


@dataclass(frozen=True)
class Outcome:
    """What became of one row: None where it was done, else why not."""

    row: Model
    why_not: str | None


def look(rows: Iterable[Model], step: Transition, *, by: Any, missing: int = 0) -> Outlook:
    """Ask each row what `transit` will ask it: the right, the state, the guard."""
    found = Outlook(missing=missing)
    for row in rows:
        why_not = machine_of(row).why_not(step, row, by) if step.permits(row, by) else NO_RIGHT
        if why_not is None:
            found.will.append(row)
        else:
            found.wont.setdefault(why_not, []).append(row)
    return found


def pick(rows: QuerySet, keys: Sequence[str]) -> list[Model]:
    """The rows with these keys, as far as they are among `rows`; what is no key is passed over."""
    field = rows.model._meta.pk
    known = []
    for key in keys:
        with contextlib.suppress(ValidationError):
            known.append(field.to_python(key))
    return list(whole(rows.filter(pk__in=known)))


def whole(rows: QuerySet) -> QuerySet:
    """The rows with all their columns, and with what their model's guards ask of other rows
    (`asked_by_guards`): a list does not show it, and each row would look for it by itself."""
    rows = rows.defer(None)
    related = getattr(rows.model, "asked_by_guards", ())
    return rows.select_related(*related) if related else rows


def take(
    row: Model,
    step: Transition,
    *,
    by: Any,
    reason: str = "",
    within: AbstractContextManager | None = None,
) -> Outcome:
    """Take the transition with one row; `within` is the transaction that a job does it in."""
    try:
        with within or contextlib.nullcontext():
            transit(row, step.name, by=by, reason=reason)
    except Refused as refusal:
        return Outcome(row, refusal.message)
    except PermissionDenied:
        return Outcome(row, NO_RIGHT)
    except (OperationalError, InterfaceError, Stop):
        raise  # no fault of this row: the database is away, or the run must end
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("bulk %s of %r failed, reference %s", step.name, row, reference)
        return Outcome(row, f"出现意外错误（编号 {reference}），请把编号告诉系统管理员。")
    return Outcome(row, None)


def order(
    *,
    page: str,
    place: str,
    title: str,
    step: Transition,
    keys: Sequence[str],
    by: Any,
    reason: str,
) -> Job:
    """Have the deed done in the background. Whoever asks twice for the same is led to the one
    under way; another choice of rows is another deed."""
    print_of = hashlib.sha256(f"{page} {step.name} {' '.join(keys)}".encode()).hexdigest()[:32]
    try:
        return submit(
            "core.bulk",
            by=by,
            perm=step.perm,
            key=f"{by.pk}-{print_of}",
            title=title,
            page=page,
            place=place,
            step=step.name,
            keys=list(keys),
            reason=reason,
        )
    except AlreadyRunning as running:
        return running.job


@job_kind("core.bulk", queue="default", title="批量办理")
def run_bulk(job: Run, *, page: str, place: str, step: str, keys: list[str], reason: str) -> None:
    """Row by row, each under the fence. What an earlier attempt had done counts as done. The rows
    are named: of the list's query only the place still matters."""
    from core.views.lists import open_list  # here: the views import this module

    try:
        view = open_list(page, user=job.owner, query=QueryDict(urlencode({places.PARAM: place})))
    except Http404:
        raise Refused("所选的列表或区域已不在您的管理范围内，没有办理。") from None
    except PermissionDenied:
        raise Refused("您已没有查看这个列表的权限，没有办理。") from None
    taken = next(s for s in view.declared_steps() if s.name == step)
    outcomes: list[Outcome] = []
    for start in range(0, len(keys), _CHUNK):
        for row in pick(view.ordered(view.scoped()), keys[start : start + _CHUNK]):
            job.progress(len(outcomes), len(keys))
            if job.attempt > 1 and getattr(row, machine_of(row).field) == taken.target:
                outcomes.append(Outcome(row, None))
                continue
            outcomes.append(take(row, taken, by=job.owner, reason=reason, within=job.atomic()))
    _report(job, taken, outcomes, len(keys), view.table.telling(view.model))


def _report(
    job: Run, step: Transition, outcomes: list[Outcome], asked: int, telling: Telling
) -> None:
    done = sum(outcome.why_not is None for outcome in outcomes)
    named = [Column("名称", key=True), *map(Column, telling)]
    layout = Layout(
        "办理结果", [*named, Column("结果"), Column("原因", width=60)], title=job.job.title
    )
    with job.result(f"{job.job.title}-结果.xlsx") as path:
        write_table(path, layout, [_line(outcome, step, telling) for outcome in outcomes])
    left = asked - done
    gone = asked - len(outcomes)
    said = [f"已{step.label} {done:,} 条"]
    said += [f"{left:,} 条没有办理，原因见结果文件"] if left else []
    said += [f"其中 {gone:,} 条{GONE.rstrip('。')}"] if gone else []
    job.progress(asked, asked, "，".join(said) + "。")


def _line(outcome: Outcome, step: Transition, telling: Telling) -> list[str]:
    done, row = outcome.why_not is None, outcome.row
    named = [str(row), *(say(row) for say in telling.values())]
    return [*named, f"已{step.label}" if done else "未办理", outcome.why_not or ""]
