"""Two beats by mistake, and all that they send comes twice, to two workers: the work is done once."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from alliance.models import Agreement
from config.beat import Scheduler
from config.celery import app
from core import jobs
from core.audit_check import Check
from core.enums import JobState
from core.models import AuditEvent, Job, Notification
from core.notify import notify
from core.tasks import run_job
from reports.models import Run
from services.models import Item, Ticket
from services.rounds import round_of
from tests.core import kinds  # noqa: F401
from tests.factories import alliance, services
from tests.factories.accounts import person
from tests.factories.orgs import small_city
from tests.faults.site import until
from tests.fixtures_services import ROOT

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
]
NIGHTLY = {
    entry["task"]
    for entry in settings.CELERY_BEAT_SCHEDULE.values()
    if not isinstance(entry["schedule"], int)
}


@pytest.fixture
def two_beats(child_env, tmp_path) -> Iterator[None]:
    """Each on a host of its own, both in the belief that nothing was sent for two days."""
    beats = []
    try:
        for number in range(2):
            file = str(tmp_path / f"schedule{number}")
            scheduler = Scheduler(app=app, schedule_filename=file)
            for entry in scheduler.schedule.values():
                entry.last_run_at -= timedelta(days=2)
            scheduler.close()
            with (tmp_path / f"beat{number}.log").open("wb") as log:
                beats.append(
                    subprocess.Popen(
                        [
                            *(sys.executable, "-m", "celery", "-A", "config", "beat"),
                            *("--pidfile=", "--schedule", file),
                        ],
                        cwd=ROOT,
                        env=child_env,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                    )
                )
        yield
    finally:
        for beat in beats:
            beat.kill()
            beat.wait()


def _agreements(community) -> dict[str, Agreement]:
    """One that begins today, one that is over, one that ends soon."""
    today = timezone.localdate()
    made = {
        "begins": alliance.signed(
            alliance.pair(community), starts_on=today + timedelta(days=1), title="今日生效"
        ),
        "over": alliance.signed(alliance.pair(community), title="昨日到期"),
        "soon": alliance.signed(alliance.pair(community), title="即将到期"),
    }
    moved = {
        "begins": {"starts_on": today},
        "over": {"starts_on": today - timedelta(days=99), "ends_on": today - timedelta(days=1)},
        "soon": {"ends_on": today + timedelta(days=9)},
    }
    for name, dates in moved.items():
        Agreement.objects.filter(pk=made[name].pk).update(**dates)
    return made


def test_what_two_beats_ask_for_happens_once(celery_worker_process, tmp_path, request):
    place = small_city()
    agreements = _agreements(place.community)
    item = services.item(place.community)
    Item.objects.update(round=round_of(timezone.localdate() - timedelta(days=70)))
    ticket = services.returned(services.ticket(place.community, phone="13912345678")[0], "已办")
    Ticket.objects.update(closed_at=timezone.now() - timedelta(days=400))
    owner = person("system_admin", email="a@example.org")
    with transaction.atomic():
        notify([owner.pk], title="一封信")
    job = jobs.submit("test.write", by=owner, marks=str(tmp_path))
    run_job.app.control.purge()
    Job.objects.update(send_after=timezone.now())

    request.getfixturevalue("two_beats")
    workers = [celery_worker_process() for _ in range(2)]
    until(lambda: all(_ended(workers)[task] >= 2 for task in NIGHTLY), "each task, twice")
    until(lambda: not Job.objects.active().exists(), "the end of all jobs")
    until(lambda: not Notification.objects.mail_due().exists(), "the end of all mail")

    states = {name: Agreement.objects.get(pk=a.pk).state for name, a in agreements.items()}
    assert states == {"begins": "active", "over": "expired", "soon": "active"}
    told = Counter(Notification.objects.filter(title__contains="将于").values_list("user"))
    assert told
    assert set(told.values()) == {1}, "each of either side once"
    item.refresh_from_db()
    assert (item.round, item.carried) == (round_of(timezone.localdate()), 1)
    assert Ticket.objects.get(pk=ticket.pk).phone == ""
    did = Counter(AuditEvent.objects.filter(actor_id=None).values_list("action", "object_id"))
    for action, obj in (
        ("alliance.agreement.expire", agreements["over"]),
        ("services.item.carry", item),
        ("services.ticket.erase_phone", ticket),
    ):
        assert did[action, str(obj.pk)] == 1, action
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.DONE, 1)
    letter = Notification.objects.get(title="一封信")
    assert (letter.mail_tries, bool(letter.mailed_at)) == (1, True)
    runs = Counter(Run.objects.values_list("area", "period"))
    assert len(runs) == 2, "the last quarter and the last year"
    assert set(runs.values()) == {1}
    assert not Check().run().broken


def _ended(workers) -> Counter[str]:
    said = "".join(Path(worker.log).read_text(errors="replace") for worker in workers)
    return Counter(re.findall(r"Task ([\w.]+)\[[0-9a-f-]+\] succeeded", said))
