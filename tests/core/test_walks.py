"""Pages found by a walk along their order hold the rows that they hold without one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import walks
from core.models import AuditEvent
from core.pagination import Page, paginate
from tests.core.test_pagination import plant

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

ROWS, SIZE = 3_000, 5
MATCHES = ROWS // 3
FEW = walks.WORTH - 1  # no walk for so few


@pytest.fixture(autouse=True)
def many(monkeypatch):
    """Every third row matches; the last thousand have no actor."""
    monkeypatch.setattr(walks, "STEPS", 150)
    plant([(n, n if n < 2_000 else None, "甲" if n % 3 == 0 else "乙") for n in range(ROWS)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE core_auditevent")
        # So few rows are read and sorted sooner than an index; so many that it pays take too long here.
        cursor.execute("SET LOCAL enable_sort = off")


def matching():
    return AuditEvent.objects.filter(chain__gte=100, actor_name="甲")


def asked(rows, order: str, total: int, **cursor) -> tuple[Page, int, int]:
    """The page, how many walks it took, and how many questions in the usual way."""
    with CaptureQueriesContext(connection) as queries:
        page = paginate(rows, [order], size=SIZE, total=total, **cursor)
    said = [q["sql"] for q in queries if not q["sql"].startswith("EXPLAIN")]
    walk = sum(f"LIMIT {walks.STEPS}) AS " in sql for sql in said)
    return page, walk, len(said) - walk


def pks(page: Page) -> list[int]:
    return [row.pk for row in page.rows]


@pytest.mark.parametrize("order", ["pk", "-pk", "actor_id", "at", "-at"])
def test_dense_matches_are_met_on_the_way(order):
    second = {"after": paginate(matching(), [order], size=SIZE).next}
    deep = {"after": paginate(matching(), [order], size=400).next}
    back = {"before": paginate(matching(), [order], size=SIZE, **deep).previous}
    for cursor in ({}, second, deep, back):
        page, *took = asked(matching(), order, MATCHES, **cursor)
        usual, *took_usually = asked(matching(), order, FEW, **cursor)
        assert (took, took_usually) == ([1, 0], [0, 1])
        assert pks(page) == pks(usual)
        assert (page.next, page.previous) == (usual.next, usual.previous)


def test_a_page_across_the_end_of_the_values_is_whole():
    """Three of its rows have an actor: so few are left that there is nothing to walk."""
    whole = list(matching().order_by("actor_id", "pk").values_list("pk", flat=True))
    before = paginate(matching(), ["actor_id"], size=664).next
    page, *took = asked(matching(), "actor_id", MATCHES, after=before)
    assert took == [1, 1]
    assert pks(page) == whole[664:669]
    assert [row.actor_id is None for row in page.rows] == [False] * 3 + [True] * 2


def test_matches_beyond_the_steps_are_found_in_the_usual_way():
    page, *took = asked(matching().filter(chain__gte=1_600), "pk", MATCHES)
    assert took == [1, 1]
    assert [row.chain for row in page.rows] == [1_600 + 3 * n for n in range(SIZE)]


@pytest.mark.parametrize(
    ("order", "total"),
    [
        ("pk", FEW),  # soon read and sorted
        ("actor_name", MATCHES),  # no index in this order: every row would be read first
        ("-actor_id", MATCHES),  # nor in this one, with the empty values last
    ],
)
def test_no_walk_without_a_good_end_in_sight(order, total):
    page, *took = asked(matching(), order, total)
    assert (took, len(page.rows)) == ([0, 1], SIZE)


def test_no_walk_for_sparse_matches(monkeypatch):
    monkeypatch.setattr(walks, "STEPS", 30)
    _, *took = asked(matching(), "pk", MATCHES)
    assert took == [0, 1]
