"""The text of the lists is found by any part of it; on PostgreSQL by the pairs of its characters."""

import pytest
from django.db import connection
from django.db.models import F

from core.planner import Way, by_way
from services.models import Item
from tests.factories import services as make
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return small_city()


@pytest.mark.parametrize("way", [None, *Way])
@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("发发", []),  # one character twice
        ("理发", ["爱心理发", "理发室"]),
        ("发", ["爱心理发", "理发室", "发放口罩"]),
        ("心理", ["爱心理发"]),  # in a row, though no word
        ("理发室", ["理发室"]),
        ("室理", []),  # both pairs of 理发室理 stand nowhere in a row
        ("WIFI", ["公共WiFi点"]),
        ("wi", ["公共WiFi点"]),
        ("100%", ["补贴100%"]),
        ("0%", ["补贴100%"]),
        ("a_b", ["a_b型电池"]),
        ("a%b", []),
        ("100\\", []),
        ("理\0发", ["爱心理发", "理发室"]),
    ],
)
def test_any_part_is_found_as_it_stands(place, words, titles, way):
    """Whatever the lookups know of the query that they stand in."""
    for title in ("爱心理发", "理发室", "发放口罩", "公共WiFi点", "补贴100%", "a_b型电池", "aXb"):
        make.item(place.community, title=title, content="有需要的居民请联系社区。")
    found = by_way(Item.objects.matching(words), way)
    assert set(found.values_list("title", flat=True)) == set(titles)


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("way", "compared", "by_pairs"),
    [(None, True, True), (Way.EACH, True, False), (Way.ALL, False, True)],
)
def test_a_word_of_two_characters_is_asked_for_as_the_query_comes_by_its_rows(
    way, compared, by_pairs
):
    sql = str(by_way(Item.objects.matching("理发"), way).query)
    assert ("strpos" in sql, "services_pairs" in sql) == (compared, by_pairs)
    longer = str(by_way(Item.objects.matching("理发室"), way).query)
    assert "strpos" in longer, "its pairs may stand apart"


@pytest.mark.postgres
def test_a_word_of_two_characters_is_found_by_the_index(place):
    make.item(place.community, title="爱心理发")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for rows, index in (
            (Item.objects.matching("理发"), "item_search_pairs"),
            (Item.objects.filter(title__named="理发"), "item_title_pairs"),
            (Item.objects.filter(initials__typed="axlf"), "item_initials_pairs"),
            (Item.objects.order_by(F("due_on").desc(nulls_last=True), "-pk")[:5], "item_due_last"),
            (Item.objects.order_by(F("due_on").asc(nulls_last=True), "pk")[:5], "item_due"),
        ):
            assert index in rows.explain()
            assert len(rows) == 1
