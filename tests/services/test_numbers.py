"""The numbers of the items' filters come off an index alone, as long as it holds all that they read."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from services.filters import ItemFilter
from services.models import Item
from tests.factories import services as make
from tests.factories.accounts import person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("of", "at", "index"),
    [
        ("city", None, "item_in_city"),
        ("city", "district", "item_in_district"),
        ("district", "district", "item_in_district"),
    ],
)
def test_the_index_of_a_place_holds_all_that_the_numbers_read(place, of, at, index):
    """A filter whose column is missing there makes ten thousand rows be read with all their text."""
    make.item(place.community)
    rows = Item.objects.visible_to(person("org_department", getattr(place, of)))
    if at:
        rows = rows.at(getattr(place, at))
    with CaptureQueriesContext(connection) as captured:
        assert ItemFilter(QueryDict(), queryset=rows).count(limit=10_000) == 1
    (counts,) = [q["sql"] for q in captured if "GROUP BY" in q["sql"]]
    read = set(re.findall(rf'"{Item._meta.db_table}"\."(\w+)"', counts))
    (found,) = [one for one in Item._meta.indexes if one.name == index]
    names = [name.removeprefix("-") for name in (*found.fields, *found.include)]
    held = {Item._meta.get_field(name).column for name in names}
    assert {"kind", "claimed", f"{at or of}_id"} <= read
    assert read <= held, f"{index} lacks {sorted(read - held)}"
