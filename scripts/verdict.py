"""What `make machines` ends with: all that people were told is there, once; and what they felt."""

from __future__ import annotations

import itertools
import json
import subprocess
import time
from collections import Counter
from typing import TYPE_CHECKING

from scripts import prepare
from scripts.clients import Client, Exporter, Writer

if TYPE_CHECKING:
    from scripts.machines import Show

_ITEMS = "SELECT title, count(*) FROM services_item WHERE title LIKE '演练%%' GROUP BY title"
_DEEDS = (
    "SELECT i.title, count(e.id) FROM services_item i LEFT JOIN core_auditevent e"
    " ON e.action = 'services.item.create' AND e.object_type = 'services.item'"
    " AND e.object_id = i.id::text WHERE i.title LIKE '演练%%' GROUP BY i.title"
)
MANY = 100  # of some hundreds of pages that may be read there, each has several
_JOBS = "SELECT id::text, state, attempt FROM core_job WHERE kind = 'core.list_export'"


def judge(show: Show, patience: float) -> int:
    """Print the report; 1 when anything acknowledged is missing, double or wrong."""
    from scripts.machines import ask

    server = show.standby  # the primary by now
    writers = [c for c in show.clients if isinstance(c, Writer)]
    exporters = [c for c in show.clients if isinstance(c, Exporter)]
    jobs = _jobs_at_rest(show, exporters, patience)
    faults = [wrong for client in show.clients for wrong in client.ledger.wrong]

    told = {title for c in writers for _, title, _ in c.ledger.done}
    unknown = {title for c in writers for _, title in c.ledger.unknown}
    there = dict(ask(server, _ITEMS.replace("%%", "%")))
    faults += [f"acknowledged and not there: {title}" for title in sorted(told - there.keys())]
    faults += [f"there {count} times: {title}" for title, count in there.items() if count != 1]
    faults += [f"nobody wrote it: {title}" for title in there.keys() - told - unknown]
    deeds = dict(ask(server, _DEEDS.replace("%%", "%")))
    faults += [f"{n} entries in the audit log: {t}" for t, n in deeds.items() if n != 1]

    ordered = {
        where.rstrip("/").rpartition("/")[2] for c in exporters for _, _, where in c.ledger.done
    }
    faults += [f"job ordered and not there: {job}" for job in sorted(ordered - jobs.keys())]
    ended = Counter(state for job, (state, _) in jobs.items() if job in ordered)
    faults += [f"{n} jobs are {state}" for state, n in ended.items() if state != "done"]
    again = sum(attempt > 1 for _, attempt in jobs.values())
    if not _audit_holds(show):
        faults.append("verify_audit found a broken row")

    if show.read_from_standby < MANY:
        faults.append("the standby was there to be read, and was not")

    reads = sum(client.ledger.reads for client in show.clients)
    print(f"""
published     {len(told)} acknowledged, all there once with one entry in the audit log each;
              {len(unknown)} without an answer, of which {len(unknown & there.keys())} are there
exports       {len(ordered)} ordered, {ended["done"]} done, {again} of them by a second attempt
read          {reads} pages with what they must say; {show.read_from_standby} looks into tables of the standby
""")
    _keep(show)
    blows = [(what, at) for what, at in show.events.items() if not what.endswith("again")]
    for (what, at), (_, until) in itertools.pairwise(blows):
        if "promoted" not in what:
            end = show.events["people go home"] if "loses" in what else until
            print(f"{what + ':':38} {_felt(show.clients, writers, at, end)}")
    for fault in faults[:20]:
        print(f"WRONG  {fault}")
    print("FAILED" if faults else "\nnothing that was acknowledged is missing, double or wrong")
    return 1 if faults else 0


def _jobs_at_rest(show: Show, exporters: list[Client], patience: float) -> dict[str, tuple]:
    from scripts.machines import ask

    deadline = time.monotonic() + patience
    while True:
        jobs = {pk: (state, attempt) for pk, state, attempt in ask(show.standby, _JOBS)}
        active = [s for s, _ in jobs.values() if s in ("pending", "dispatched", "running")]
        if not active or time.monotonic() > deadline:
            return jobs
        time.sleep(1)


def _keep(show: Show) -> None:
    """Who was told what and when, for whoever wants to look closer."""
    told = {client.name: vars(client.ledger) for client in show.clients}
    path = prepare.ROOT / "var" / "machines" / "told.json"
    path.write_text(json.dumps({"events": show.events, **told}, ensure_ascii=False, indent=1))


def _audit_holds(show: Show) -> bool:
    environment = {**show.processes["web1"].environment, "DATABASE_URL": show.standby.url}
    environment.pop("REPLICA_URL")
    done = subprocess.run(
        [str(prepare.PYTHON), "manage.py", "verify_audit"],
        cwd=prepare.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout, done.stderr)
    return done.returncode == 0


def _felt(clients: list[Client], writers: list[Client], at: float, until: float) -> str:
    """Answers lost after a blow, and the longest time in which nobody's write was acknowledged."""
    lost = sum(at - 0.5 <= when < until for c in clients for when, _ in c.ledger.lost)
    acks = sorted(when for c in writers for when, _, _ in c.ledger.done if at < when < until)
    gap = max(b - a for a, b in itertools.pairwise([at, *acks, until]))
    return f"{lost} answers lost, at most {gap:.1f} s without a write that was acknowledged"
