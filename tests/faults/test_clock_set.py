"""The clock of a host set back and forward by an hour under its web, worker and beat.

Real processes, whose wall clock is set while they run (clock.py). What the stored times alone tell,
and dead runs: test_clock_stepped.py.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from core import jobs
from core.enums import JobState
from core.models import Job, Notification
from scripts.clients import TOKEN, Answer, Browser
from services.models import Item
from tests.core.kinds import RESULT
from tests.factories import services as make
from tests.factories.accounts import person
from tests.faults.clock import Clock
from tests.faults.load import NEED
from tests.faults.quick import SWEEP_EVERY
from tests.faults.site import Site, until
from tests.fixtures_services import ROOT

pytestmark = [pytest.mark.postgres, pytest.mark.services, pytest.mark.django_db]
HOUR = timedelta(hours=1)
PASSWORD = "一只会飞的猪 9"
QUICK = {"DJANGO_SETTINGS_MODULE": "tests.faults.quick"}
NIGHTLY = {
    name
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items()
    if not isinstance(entry["schedule"], int)
}
SIGN_IN, ADD = "/console/sign-in/", "/console/services/items/add/"


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path)


@pytest.fixture
def web(site: Site, clock: Clock, tmp_path: Path) -> Iterator[Site]:
    """A second web on the site's database, by the clock."""
    web = Site(site.services, tmp_path)
    web.environment |= clock.environment
    web.place = site.place
    web.start()
    yield web
    web.stop()


class Desk(Browser):
    """A browser that nobody has signed in from, and somebody at it with a password."""

    def __init__(self, web: Site) -> None:
        super().__init__([f"127.0.0.1:{web.port}"])
        self.user = make.worker(web.place.community)
        self.user.set_password(PASSWORD)
        self.user.save()

    def tries(self, password: str = PASSWORD) -> Answer:
        token = TOKEN.search(self.get(SIGN_IN).text)[1]
        return self.post(
            SIGN_IN, csrfmiddlewaretoken=token, username=self.user.username, password=password
        )

    def guesses(self, count: int) -> list[int]:
        return [self.tries("wrong").code for _ in range(count)]

    def opens_the_form(self) -> str:
        return TOKEN.search(self.get(ADD).text)[1]

    def is_in(self) -> bool:
        return self.get("/console/").code == 200


def test_people_go_on_when_the_clock_is_set(web: Site, clock: Clock):
    at_work, guessed, half_guessed, newcomer, late = (Desk(web) for _ in range(5))
    assert at_work.tries().code == 302
    token = at_work.opens_the_form()
    assert guessed.guesses(5) == [422] * 4 + [429]
    assert half_guessed.guesses(3) == [422] * 3

    clock.set_by(-HOUR)
    assert at_work.is_in()
    made = at_work.post(ADD, csrfmiddlewaretoken=token, title="钟拨回", **NEED)
    assert made.code == 302, "a form that was opened before"
    late_by = timezone.now() - Item.objects.get(title="钟拨回").created_at
    assert abs(late_by - HOUR) < HOUR / 10, "its clock is another now"
    assert newcomer.tries().code == 302, "from the same address"
    assert newcomer.is_in()
    told = guessed.tries("wrong")
    assert (told.code, "请在 15 分钟后再试" in told.text) == (429, True)
    assert half_guessed.guesses(2) == [422, 429], "what was counted before counts"

    clock.set_by(HOUR)
    assert at_work.is_in(), "signed in a minute ago"
    assert not newcomer.is_in(), "seen an hour ago, says the clock"
    assert newcomer.tries().code == 302
    assert newcomer.is_in()
    for desk in (guessed, half_guessed):
        assert desk.tries().code == 302, "its quarter of an hour is over"
    assert late.guesses(5) == [422] * 4 + [429]


class Beat:
    """`celery beat` by the clock; what it sent, by its log."""

    def __init__(self, site: Site, environment: dict[str, str], folder: Path) -> None:
        self._log = folder / "beat.log"
        words = ["--pidfile=", "--schedule", str(folder / "schedule"), "--loglevel", "INFO"]
        with self._log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "config", "beat", *words],
                cwd=ROOT,
                env={**site.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def sent(self, entry: str) -> int:
        return len(re.findall(rf"Sending due task {entry} ", self._log.read_text()))

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def beat(site: Site, clock: Clock, tmp_path: Path) -> Iterator[Beat]:
    """By a clock that shows two at night."""
    clock.set_to(2, 0)
    beat = Beat(site, {**clock.environment, **QUICK}, tmp_path)
    yield beat
    beat.stop()


def test_a_job_and_the_rhythm_of_beat_outlive_a_clock_that_is_set(
    site: Site, clock: Clock, beat: Beat, tmp_path: Path
):
    marks = tmp_path / "marks"
    marks.mkdir()
    gate = tmp_path / "gate"
    owner = person("system_admin")
    job = jobs.submit("test.write", by=owner, marks=str(marks), gate=str(gate))
    Job.objects.filter(pk=job.pk).update(send_after=timezone.now())
    site.worker("reports", **clock.environment)
    sweeper = site.worker("default", "sheets", "mail", **clock.environment)

    def swept() -> int:
        return len(
            re.findall(r"Task core\.tasks\.sweep_jobs\[.*\] succeeded", sweeper.log.read_text())
        )

    until(lambda: beat.sent("sweep-jobs"), "the first sweep by beat, not by a worker's start", 30)
    until(lambda: swept() and list(marks.iterdir()), "the job's beginning")
    assert not any(map(beat.sent, NIGHTLY))
    for by in (HOUR, -HOUR):
        began, sent, done = time.monotonic(), beat.sent("sweep-jobs"), swept()
        clock.set_by(by)
        # One may go before the clock is set, and one at once after it: two more make a rhythm.
        until(lambda sent=sent: beat.sent("sweep-jobs") >= sent + 4, "four sweeps", 30)
        assert time.monotonic() - began > 1.5 * SWEEP_EVERY, "one after the other"
        until(lambda done=done: swept() >= done + 4, "four sweeps done", 30)
    made_up_for = {name: count for name in NIGHTLY if (count := beat.sent(name))}
    assert made_up_for == {"verify-audit": 1}, "that of half past two, which was passed over"
    job.refresh_from_db()
    assert (job.state, job.attempt, job.suspect_at) == (JobState.RUNNING, 1, None)

    gate.touch()
    job = until(lambda: Job.objects.filter(pk=job.pk, state=JobState.DONE).first(), "the job's end")
    assert [mark.name for mark in marks.iterdir()] == ["attempt-1-1"]
    assert Notification.objects.filter(kind=RESULT, user=owner).count() == 1
