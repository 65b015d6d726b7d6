"""双报到台账: the columns of domain.md §6, sums of the period, closed rows among them."""

from datetime import timedelta
from decimal import Decimal

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.enums import Role
from core.exports import export_to
from core.periods import period_of
from core.transitions import transit
from members.actions.member import move_member
from members.actions.post import claim_post
from members.sheets import ReportingLedger
from tests.factories import members as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db

COLUMNS = "序号 姓名 单位党组织 报到社区 网格 报到日期 特长 认领岗位 服务次数 服务时长 社区评价 反馈日期 状态"
PHONE = "10087654321"


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def sides(place):
    return make.side(place.community)


def rows(tmp_path, by, **query):
    """The table between the title lines and the foot, header first."""
    what, path = ReportingLedger(), tmp_path / "out.xlsx"
    count = export_to(path, what, by=by, asked=what.read(query, by))
    found = list(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))
    head = next(n for n, row in enumerate(found) if row[0] == "序号")
    return found[head : head + 1 + count]


def test_a_row_has_what_the_member_did_in_the_period(tmp_path, place, sides):
    today = timezone.localdate()
    quarter = period_of(today)
    row = make.reported(sides, area=place.grid, phone=PHONE)
    for title in ("巡防岗", "法律岗"):
        claim_post(post=make.post(sides, title=title), member=row.member, by=sides.liaison)
    make.confirmed(sides, row, days_ago=0, hours="1.5")
    make.confirmed(sides, row, days_ago=0, hours="2")
    make.service(sides, row, days_ago=0)  # not confirmed: not counted
    long_ago = (today - quarter.first).days + 40
    make.confirmed(sides, row, days_ago=long_ago, hours="8")
    transit(row, "feed_back", by=sides.worker, opinion="good", year=today.year)
    head, found = rows(tmp_path, sides.worker, period=str(quarter))
    assert " ".join(head) == COLUMNS
    values = [v.date() if hasattr(v, "date") else v for v in found]
    assert values == [
        1,
        row.member.name,
        sides.unit.party_org,
        place.community.name,
        place.grid.name,
        row.reported_on,
        "法律咨询",
        "巡防岗、法律岗",
        2,
        3.5,
        "好",
        today,
        "年度已反馈",
    ]
    assert PHONE not in str(rows(tmp_path, sides.worker))
    assert rows(tmp_path, sides.worker)[1][9] == 11.5


def test_a_move_shows_both_rows_to_those_above_and_one_to_each_community(tmp_path, place, sides):
    row = make.reported(sides)
    move_member(member=row.member, area=place.other_community, reason="搬家", by=sides.liaison)
    other = make.side(place.other_community)
    period = str(period_of(timezone.localdate()))
    whole = rows(tmp_path, person(Role.ORG_DEPARTMENT, place.city), period=period)
    assert [(r[3], r[-1]) for r in whole[1:]] == [
        (place.community.name, "转出"),
        (place.other_community.name, "待报到"),
    ]
    assert [r[-1] for r in rows(tmp_path, sides.worker, period=period)[1:]] == ["转出"]
    assert [r[-1] for r in rows(tmp_path, other.worker, period=period)[1:]] == ["待报到"]


def test_a_row_stands_in_the_periods_in_which_it_was_open(tmp_path, sides):
    row = make.reported(sides)
    transit(row, "cancel", by=sides.liaison, reason="退休")
    this = period_of(timezone.localdate())
    after = period_of(this.last + timedelta(days=1))
    assert len(rows(tmp_path, sides.worker, period=str(this))) == 2
    assert len(rows(tmp_path, sides.worker, period=str(this.previous()))) == 1
    assert len(rows(tmp_path, sides.worker, period=str(after))) == 1


def test_the_queries_do_not_grow_with_the_members(tmp_path, sides):
    costs = []
    for count in (1, 3):
        for _ in range(count):
            make.confirmed(sides, make.reported(sides))
        with CaptureQueriesContext(connection) as queries:
            rows(tmp_path, sides.worker, period=str(period_of(timezone.localdate())))
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_sums_are_of_confirmed_services_alone(sides):
    row = make.reported(sides)
    make.confirmed(sides, row, hours="0.5")
    make.service(sides, row)
    (seen,) = type(row).objects.with_service()
    assert (seen.service_count, seen.service_hours) == (1, Decimal("0.5"))
