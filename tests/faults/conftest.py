"""One set of services for all tests of outages: they mend what they break."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from scripts.throwaway import services
from tests.factories.orgs import small_city
from tests.faults.site import Site, copy_database


@pytest.fixture(scope="session")
def _whole_site(django_db_setup: None, django_db_blocker: Any, tmp_path_factory) -> Iterator[Site]:
    with services() as running:
        with django_db_blocker.unblock():
            copy_database(running.postgres.port)
        site = Site(running, tmp_path_factory.mktemp("site"))
        with site.looked_into(django_db_blocker):
            site.place = small_city()
        site.start()
        try:
            yield site
        finally:
            site.stop()


@pytest.fixture
def site(_whole_site: Site, django_db_blocker: Any) -> Iterator[Site]:
    """The site, ready; this process looks into its database. Its rows are all tests' together."""
    with _whole_site.looked_into(django_db_blocker):
        yield _whole_site
        _whole_site.stop_workers()
