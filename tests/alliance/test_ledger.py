"""共建协议台账: the columns of domain.md §6, the rows of the period, within one's reach."""

from datetime import date, timedelta

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.enums import Role
from alliance.actions.clause import record_fulfilment
from alliance.models import Agreement
from alliance.sheets import AgreementsLedger
from core.exports import export_to
from core.periods import period_of
from core.transitions import transit
from tests.factories import alliance as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db

COLUMNS = "编号 甲方 乙方(多方) 目标 条款数 签订日期 到期日期 双方联络员 本季活动数 履约率 状态"


@pytest.fixture
def place():
    return small_city()


def rows(tmp_path, by, **query):
    """The table between the title lines and the foot, header first."""
    what, path = AgreementsLedger(), tmp_path / "out.xlsx"
    count = export_to(path, what, by=by, asked=what.read(query, by))
    found = list(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))
    head = next(n for n, row in enumerate(found) if row[0] == "编号")
    return found[head : head + 1 + count]


def test_a_row_has_what_the_agreement_did(tmp_path, place):
    sides = make.pair(place.community, count=2)
    agreement = make.signed(sides, starts_on=timezone.localdate() - timedelta(days=200))
    today = timezone.localdate()
    deeds = {
        "clause": agreement.clauses.get(),
        "quantity": 1,
        "by": sides.worker,
    }
    record_fulfilment(on=today, source=place.grid, **deeds)
    record_fulfilment(on=today - timedelta(days=150), source=place.community, **deeds)
    make.draft(sides)
    officer = person(Role.STREET_OFFICER, place.street)
    head, row = rows(tmp_path, officer, period=str(period_of(today)))
    assert " ".join(head) == COLUMNS
    values = [v.date() if hasattr(v, "date") else v for v in row]
    assert values == [
        agreement.number,
        place.community.name,
        "、".join(unit.name for unit in sides.units),
        "共同服务辖区居民",
        1,
        today,
        agreement.ends_on,
        "李社区、王联络、王联络",
        1,  # of the quarter; the rate stands as at its end
        0.5,
        "生效",
    ]


def test_the_period_decides_which_agreements_and_as_at_when(tmp_path, place):
    sides = make.pair(place.community)
    today = timezone.localdate()
    agreement = make.signed(sides, starts_on=today - timedelta(days=400), ends_on=today)
    street = person(Role.STREET_OFFICER, place.street)
    transit(agreement, "terminate", by=street, reason="改制")
    assert len(rows(tmp_path, street, period=str(today.year - 1))) == 2
    assert len(rows(tmp_path, street, period=str(today.year + 1))) == 1
    assert rows(tmp_path, street)[1][-1] == "终止"


def test_rows_are_those_in_reach_and_at_the_place(tmp_path, place):
    here, there = make.pair(place.community), make.pair(place.other_community)
    mine, other = make.signed(here), make.signed(there)
    whole = person(Role.ORG_DEPARTMENT, place.city)
    assert [r[0] for r in rows(tmp_path, whole)[1:]] == [mine.number, other.number]
    assert [r[0] for r in rows(tmp_path, here.worker)[1:]] == [mine.number]
    found = rows(tmp_path, whole, area=str(place.other_street.pk))
    assert [r[0] for r in found[1:]] == [other.number]
    with pytest.raises(PermissionDenied):
        rows(tmp_path, here.liaison)


def test_the_queries_do_not_grow_with_the_agreements(tmp_path, place):
    sides = make.pair(place.community)
    costs = []
    for _ in range(2):
        make.signed(sides)
        make.signed(sides)
        with CaptureQueriesContext(connection) as queries:
            rows(tmp_path, sides.worker, period="2026Q3")
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_as_at_a_day_long_past_nothing_is_fulfilled_yet(place):
    sides = make.pair(place.community)
    agreement = make.signed(sides)
    record_fulfilment(
        clause=agreement.clauses.get(),
        quantity=4,
        on=timezone.localdate(),
        source=place.grid,
        by=sides.worker,
    )
    (now,) = Agreement.objects.with_progress(None, timezone.localdate())
    (then,) = Agreement.objects.with_progress(None, date(2020, 1, 1))
    assert (now.rate, then.rate) == (1.0, 0.0)
