"""PostgreSQL restarted, lost, and single connections cut, while people write."""

from __future__ import annotations

import pytest

from core.audit_check import Check
from tests.faults.load import Load
from tests.faults.site import Answer, Site, until

pytestmark = [pytest.mark.postgres, pytest.mark.services, pytest.mark.django_db]


def test_what_was_acknowledged_outlives_a_restart_and_a_crash_under_load(site: Site):
    postgres = site.services.postgres
    with Load(site, "重启") as load:
        for take_away in (postgres.stop, postgres.crash):
            take_away()
            load.more_refused()
            assert site.health("ready") == (503, {"status": "failing", "failing": ["database"]})
            assert site.health("live")[0] == 200
            postgres.start()
            load.more_acknowledged()
    until(site.is_ready, "ready again, with nothing restarted")
    load.assert_kept_once()
    assert load.refused
    for said in load.refused:
        assert isinstance(said, Answer), said
        assert said.status == 503
        assert int(said.headers["Retry-After"]) > 0
        if said.headers["Content-Type"].startswith("application/json"):
            assert set(said.json) == {"detail", "field"}
        assert "核对是否已经保存" in said.text
    kinds = {said.headers["Content-Type"].partition(";")[0] for said in load.refused}
    assert kinds == {"text/html", "application/json"}
    assert not Check().run().broken
    logged = site.log.read_text()
    assert "not_served" in logged
    assert "why=database" in logged
