"""The broker, which is the cache too, killed while people work: they go on, and nothing is lost."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from core.enums import JobState
from core.models import Job, Notification
from services.models import Item
from tests.factories import services as make
from tests.factories.accounts import person
from tests.faults.load import NEED
from tests.faults.site import CSRF, Person, Site, until

pytestmark = [pytest.mark.postgres, pytest.mark.services, pytest.mark.django_db]
EXPORT = "/console/services/items/export/"


def _asked_for_an_export(who: Person, **fields: str) -> Job:
    answer = who.post(EXPORT, format="csv", **fields)
    assert answer.status == 302, answer.text
    (pk,) = re.findall(r"/console/jobs/([0-9a-f-]+)/", answer.headers["Location"])
    return Job.objects.get(pk=pk)


def test_jobs_asked_for_without_a_broker_run_once_it_is_back(site: Site):
    people = [Person(site, make.worker(site.place.community)) for _ in range(2)]
    worker = site.worker("sheets", "reports", "default")
    site.services.redis.kill()
    try:
        asked = [_asked_for_an_export(who) for who in people]
        for who, job in zip(people, asked, strict=True):
            assert job.state == JobState.PENDING
            page = who.get(job.get_absolute_url())
            assert (page.status, "待派发" in page.text) == (200, True)
            assert who.post("/console/services/items/add/", title="断队列", **NEED).status == 302
            assert who.send("items/", title="断队列", **NEED).status == 201
        assert Item.objects.filter(title="断队列").count() == 4
        newcomer = person("community_worker", site.place.community)
        assert Person(site, newcomer).get("/console/").status == 200, "a session never cached"
        assert _signs_in(site, newcomer), "and a new session"
        said = {"status": "failing", "failing": ["cache", "broker"]}
        assert site.health("ready") == (503, said)
        assert site.health("live")[0] == 200
    finally:
        site.services.redis.start()
    until(site.is_ready, "ready again, with nothing restarted")
    Job.objects.update(send_after=timezone.now())
    done = site.manage("job", "sweep")
    assert done.returncode == 0, done.stderr
    for job in asked:
        until(lambda job=job: Job.objects.get(pk=job.pk).state == JobState.DONE, "its end")
        assert Job.objects.get(pk=job.pk).attempt == 1
        assert Notification.objects.filter(kind="jobs.done", user=job.owner_id).count() == 1
    assert worker.process.poll() is None


def _signs_in(site: Site, user) -> bool:
    """By name and password, as a stranger so far."""
    user.set_password("一只会飞的猪 9")
    user.save()
    stranger = Person(site, user)
    stranger.headers["Cookie"] = f"csrftoken={CSRF}"
    answer = stranger.post("/console/sign-in/", username=user.username, password="一只会飞的猪 9")
    assert answer.status == 302, answer.text
    return "sessionid=" in str(answer.headers.get_all("Set-Cookie"))
