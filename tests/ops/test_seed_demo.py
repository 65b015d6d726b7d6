"""`seed_demo` on PostgreSQL: as many of everything as the scale says, of ordinary shape, once."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, F, Max

from alliance.models import Agreement
from core.audit_check import Check
from demo.scales import SCALES, Scale
from members.enums import ReportingState
from members.models import Member, Post, PostClaim, Reporting, ServiceRecord
from orgs.actions.tree.checks import faults
from orgs.models import Area, Unit
from services.enums import OPEN_RECTIFICATION, ClaimState, ItemState
from services.models import Claim, Item, Ticket
from tests.ops.settings_process import ROOT

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
DISTRICTS = ("370202", "370203")  # two of the city's ten
PART = 100
TOTALS = ("units", "crowd", "items", "agreements", "members", "posts", "post_claims", "services")


@pytest.fixture
def districts(tmp_path) -> None:
    """A part of Qingdao's published divisions."""
    with (ROOT / "data" / "areas" / "qingdao-2023.csv").open(encoding="utf-8-sig") as file:
        head, *rows = csv.reader(file)
    kept = [row for row in rows if row[0].startswith(DISTRICTS) or row[0] == "370200000000"]
    part: Path = tmp_path / "areas.csv"
    with part.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *kept])
    call_command("import_areas", part, verbosity=0)


@pytest.fixture(params=["small", "city"])
def scale(request, monkeypatch, districts) -> Scale:
    """`small` as it is, and the figures of `city` over a hundred; seeded by the command."""
    found = SCALES[request.param]
    if request.param == "city":
        found = replace(found, **{name: getattr(found, name) // PART for name in TOTALS})
        monkeypatch.setitem(SCALES, "city", found)
    call_command("seed_demo", scale=request.param)
    return found


def rows_of_all_tables() -> dict[str, int]:
    return {
        m._meta.label: m._base_manager.count() for m in apps.get_models(include_auto_created=True)
    }


def test_a_scale_is_filled_as_it_says_and_once(scale, capsys):
    _assert_as_many_as(scale)
    _assert_they_hold_together()
    _assert_of_ordinary_shape(scale)
    before = rows_of_all_tables()
    call_command("seed_demo")
    assert "未作改动" in capsys.readouterr().out
    assert rows_of_all_tables() == before


def _assert_as_many_as(scale: Scale) -> None:
    communities = Area.objects.filter(kind="grid").values("parent").distinct().count()
    if scale.communities is None:
        assert communities == Area.objects.filter(kind="community").count()
    else:
        assert communities == len(scale.streets) * scale.communities
    grids = communities * scale.grids
    kinds = Counter(Area.objects.values_list("kind", flat=True))
    assert (kinds["grid"], kinds["building"]) == (grids, grids * scale.buildings)
    for rows, wanted in (
        (Unit.objects, scale.units),
        (Item.objects, scale.items),
        (Agreement.objects, scale.agreements),
        (Member.objects, scale.members),
        (Reporting.objects.exclude(state=ReportingState.MOVED), scale.members),
        (PostClaim.objects, scale.post_claims),
        (ServiceRecord.objects, scale.services),
        (Ticket.objects, scale.tickets),
        (Post.objects, communities * max(scale.posts // communities, 1)),
    ):
        assert rows.count() == wanted, rows.model
    first = Area.objects.filter(kind="grid").in_order().first().street
    assert Unit.objects.at(first).count() == scale.crowd


def _assert_they_hold_together() -> None:
    connection.check_constraints()
    assert not list(faults()), "the facts' stamps among them"
    assert not Check().run().broken
    bad = Claim.objects.filter(rating__rectification__isnull=False)
    assert bad.filter(state=ClaimState.CLOSED).exists()
    open_ones = bad.filter(rating__rectification__state__in=OPEN_RECTIFICATION)
    assert not open_ones.filter(state=ClaimState.CLOSED).exists(), "it is put right first"


def _assert_of_ordinary_shape(scale: Scale) -> None:
    rare = {ItemState.ACCEPTED, ItemState.RATED}
    assert set(ItemState.values) - set(Item.objects.values_list("state", flat=True)) <= rare
    assert set(Reporting.objects.values_list("state", flat=True)) == set(ReportingState.values)
    if scale.days:
        months = ServiceRecord.objects.values_list("served_on__year", "served_on__month")
        assert months.distinct().count() >= scale.days // 31
    served = ServiceRecord.objects.values("member").annotate(times=Count("pk"))
    busiest = served.aggregate(most=Max("times"))["most"]
    assert busiest < 8 * scale.services / served.count()
    full = Post.objects.filter(claimed=F("headcount")).count()
    assert 0 < full < Post.objects.count()
