"""Two people press save at the same moment: one is taken, the other is told and loses nothing."""

import threading

import pytest
from django.db import connection

from core.models import AuditEvent
from tests.core.browsing import signed_in, text
from tests.core.test_forms import typed
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

TRIES = 5


@pytest.mark.postgres
@pytest.mark.urls("tests.core.pages")
@pytest.mark.django_db(transaction=True)
def test_of_two_saves_at_once_one_is_taken_and_the_other_told():
    place = small_city()
    mine = unit(place.community, "旧名")
    address = f"/console/orgs/units/{mine.pk}/edit/"
    clients = [signed_in(person("street_officer", place.street)) for _ in range(2)]
    for n in range(TRIES):
        forms = [typed(client.get(address)) for client in clients]
        answers, start = {}, threading.Barrier(2)

        def save(who, n=n, forms=forms, answers=answers, start=start):
            try:
                start.wait(timeout=30)
                sent = forms[who] | {"name": f"第{n}次{'甲乙'[who]}"}
                answers[who] = clients[who].post(address, sent)
            finally:
                connection.close()

        threads = [threading.Thread(target=save, args=(who,)) for who in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert sorted(a.status_code for a in answers.values()) == [302, 409]
        lost = next(who for who, a in answers.items() if a.status_code == 409)
        assert "已被他人修改" in text(answers[lost])
        assert typed(answers[lost])["name"] == f"第{n}次{'甲乙'[lost]}"
        mine.refresh_from_db()
        assert mine.name == f"第{n}次{'乙甲'[lost]}"
    assert AuditEvent.objects.filter(action="orgs.unit.update").count() == TRIES
