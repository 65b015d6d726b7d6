"""No file that leaves the platform carries a formula, whoever wrote what into whichever row."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import QueryDict

from core import audit
from core.exports import EXPORTERS, export_to
from core.list_export import ListSheet
from core.views.lists import open_list
from orgs.models import Unit
from tests.attacks.poison import full_world, poison
from tests.attacks.test_files import dangerous_cells
from tests.factories.reports import this_quarter
from tests.guards.test_lists import lists

pytestmark = pytest.mark.django_db

TEXT = '=cmd|\'/c calc\'!A0+HYPERLINK("http://x","点")'


@pytest.fixture
def world():
    made = full_world()
    assert poison(TEXT) > 50
    # The log cannot be changed afterwards: something is done to what has such a name.
    with transaction.atomic():
        audit.record("orgs.unit.note", Unit.objects.first(), by=None, reason=TEXT)
    return made


@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
def test_no_ledger_carries_one(tmp_path, world, suffix):
    for identifier, exporter in EXPORTERS.items():
        what = exporter()
        by = next(user for user in world.people.values() if user.reach(what.perm))
        path, query = tmp_path / f"{identifier}.{suffix}", QueryDict("", mutable=True)
        if what.form is not None:
            query["period"] = this_quarter().text
        assert export_to(path, what, by=by, asked=what.read(query, by)) > 0, identifier
        assert dangerous_cells(path), identifier


@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
def test_no_list_carries_one(tmp_path, world, suffix):
    """Each list by everybody who may open it: what was dangerous in at least one of its files."""
    met, path = Counter(), tmp_path / f"list.{suffix}"
    for route, user in itertools.product(lists(), world.people.values()):
        if "<" in route.pattern:
            continue
        try:
            sheet = ListSheet(open_list(route.name, user=user, query=QueryDict("")))
        except PermissionDenied:
            continue
        export_to(path, sheet, by=user, asked=sheet.asked)
        met[route.name] += dangerous_cells(path)
    assert len(met) >= 20
    assert not [name for name, cells in met.items() if not cells], "nothing was dangerous there"
