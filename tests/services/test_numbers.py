"""The numbers of the items' filters come off an index alone, as long as it holds all that they read."""

from __future__ import annotations

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from services.filters import ItemFilter
from services.models import Item
from tests.factories import services as make
from tests.factories.accounts import person

pytestmark = pytest.mark.django_db


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("of", "at", "index"),
    [
        ("city", None, "item_in_city"),
        ("city", "district", "item_in_district"),
        ("district", "district", "item_in_district"),
    ],
)
def test_whoever_sees_a_whole_district_has_its_numbers_off_an_index(place, of, at, index):
    """A filter whose column is missing there makes ten thousand rows be read with all their text."""
    make.item(place.community)
    rows = Item.objects.visible_to(person("org_department", getattr(place, of)))
    if at:
        rows = rows.at(getattr(place, at))
    with CaptureQueriesContext(connection) as captured:
        assert ItemFilter(QueryDict(), queryset=rows).count(limit=10_000) == 1
    (counts,) = [q["sql"] for q in captured if "GROUP BY" in q["sql"]]
    with connection.cursor() as cursor:
        for other in ("seqscan", "bitmapscan", "indexscan"):
            cursor.execute(f"SET LOCAL enable_{other} = off")
        cursor.execute(f"EXPLAIN {counts}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert f"Index Only Scan using {index}" in plan
