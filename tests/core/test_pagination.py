"""Keyset pages: every row once and in order, both ways, whatever the values and the order."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Length, NullIf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from core.counting import Mark, TooMany, numbers
from core.models import AuditEvent
from core.pagination import paginate
from orgs.models import Area
from tests.factories.orgs import small_city

START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.one_of(st.none(), st.integers(0, 3)),
        st.sampled_from(["", "甲", "乙", "Z", "z", "é", "甲甲"]),
    ),
    max_size=25,
)
ORDERS = st.lists(
    st.sampled_from(["chain", "-chain", "actor_id", "-actor_id", "actor_name", "-at", "at"]),
    min_size=1,
    max_size=2,
    unique_by=lambda name: name.lstrip("-"),
)


def plant(rows) -> None:
    AuditEvent.objects.bulk_create(
        AuditEvent(
            chain=100 + chain,
            seq=n,
            at=START + timedelta(microseconds=chain),
            actor_id=actor,
            actor_name=name,
            action="x",
        )
        for n, (chain, actor, name) in enumerate(rows)
    )


def walk(queryset, order, size) -> tuple[list[int], list[int]]:
    """All ids by the next links from the first page, and by the previous links back to it."""
    forth, pages = [], []
    page = paginate(queryset, order, size=size)
    while True:
        pages.append([r.pk for r in page.rows])
        forth += pages[-1]
        if page.next is None:
            break
        page = paginate(queryset, order, after=page.next, size=size)
    back = list(pages[-1])
    while page.previous is not None:
        page = paginate(queryset, order, before=page.previous, size=size)
        back = [r.pk for r in page.rows] + back
    return forth, back


class KeysetPages(TestCase):
    @settings(max_examples=60, deadline=None)
    @given(rows=ROWS, order=ORDERS, size=st.integers(1, 7))
    def test_every_row_once_in_order_both_ways(self, rows, order, size):
        plant(rows)
        queryset = AuditEvent.objects.filter(chain__gte=100)
        whole = [r.pk for r in paginate(queryset, order, size=100).rows]
        assert sorted(whole) == sorted(queryset.values_list("pk", flat=True))
        forth, back = walk(queryset, order, size)
        assert forth == whole
        assert back == whole

    @settings(max_examples=20, deadline=None)
    @given(rows=ROWS, size=st.integers(1, 5))
    def test_an_annotation_orders_as_well_as_a_column(self, rows, size):
        plant(rows)
        queryset = AuditEvent.objects.filter(chain__gte=100).annotate(
            long=NullIf(Length("actor_name"), Value(0))
        )
        whole = list(
            queryset.order_by(F("long").desc(nulls_last=True), "-pk").values_list("pk", flat=True)
        )
        assert walk(queryset, ["-long"], size) == (whole, whole)

    @settings(max_examples=40, deadline=None)
    @given(cursor=st.one_of(st.text(max_size=30), st.binary(max_size=30).map(lambda b: b.hex())))
    def test_no_cursor_breaks_the_page(self, cursor):
        plant([(1, None, "甲")])
        page = paginate(AuditEvent.objects.filter(chain__gte=100), ["-at"], after=cursor)
        assert len(page.rows) == 1


@pytest.mark.django_db
def test_rows_that_come_and_go_neither_repeat_nor_hide_others():
    plant([(n, None, "") for n in range(10)])
    queryset = AuditEvent.objects.filter(chain__gte=100)
    first = paginate(queryset, ["-chain"], size=4)
    plant_later = AuditEvent(chain=110, seq=99, at=START, actor_name="", action="x")
    plant_later.save()  # above what was shown
    second = paginate(queryset, ["-chain"], after=first.next, size=4)
    assert [r.chain for r in first.rows + second.rows] == list(range(109, 101, -1))


@pytest.mark.django_db
def test_related_columns_order_through_their_link():
    small_city()
    queryset = Area.objects.select_related("parent")
    page = paginate(queryset, ["-parent__name"], size=100)
    names = [a.parent.name if a.parent else None for a in page.rows]
    assert names[-1] is None
    forth, back = walk(queryset, ["-parent__name"], 3)
    assert forth == back == [a.pk for a in page.rows]


@pytest.mark.django_db
def test_totals_are_exact_up_to_the_limit_and_then_say_more():
    plant([(n % 3, None, "") for n in range(12)])
    queryset = AuditEvent.objects.filter(chain__gte=100)
    exact = paginate(queryset, ["-pk"], limit=12)
    assert (exact.total, exact.more_than_counted) == (12, False)
    beyond = paginate(queryset, ["-pk"], limit=11)
    assert (beyond.total, beyond.more_than_counted) == (11, True)


@pytest.mark.django_db
def test_a_cursor_of_another_order_starts_over():
    plant([(n, None, "") for n in range(6)])
    queryset = AuditEvent.objects.filter(chain__gte=100)
    cursor = paginate(queryset, ["-chain"], size=2).next
    assert [r.chain for r in paginate(queryset, ["chain"], after=cursor, size=2).rows] == [100, 101]


@pytest.mark.django_db
def test_of_no_rows_none_are_looked_for(django_assert_num_queries):
    """The planner may expect some, far apart: 1.6 s among a million records of service."""
    small_city()
    with django_assert_num_queries(0):
        page = paginate(Area.objects.filter(name="无此地"), ["name"], total=0)
    assert (page.rows, page.total, page.next, page.previous) == ([], 0, None, None)


@pytest.mark.django_db
def test_what_is_more_than_is_counted_is_counted_once(django_assert_num_queries):
    """By the look for the choices' numbers, which the page's own count need not repeat."""
    small_city()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orgs_area")  # the planner expects what there is
    there = Area.objects.count()
    marks = {"state": Mark({"counted_state": F("state")}, lambda read: [str(read[0])])}
    with django_assert_num_queries(2 if connection.vendor == "postgresql" else 1):
        assert numbers(Area.objects.all(), marks, {}, there - 1) == TooMany(there)
    with django_assert_num_queries(0):  # for a minute
        assert numbers(Area.objects.all(), marks, {}, there - 1) == TooMany(there)
