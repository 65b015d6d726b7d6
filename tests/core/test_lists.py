"""Numbers of the filters, columns by choice, the list as a file: all from a list's declaration."""

from __future__ import annotations

import re

import openpyxl
import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from core import briefly
from core.filters import CaseFilter, FilterSet
from core.jobs import execute, result_of
from core.models import AuditEvent, Job
from core.tables import Column, Table
from core.views import lists
from orgs.models import Unit
from tests.core.browsing import htmx, signed_in, text
from tests.core.pages import UnitFilter
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.pages")]
# A job beats over a connection of its own, which sees only what is committed.
own_connection = pytest.mark.django_db(transaction=True)
UNITS = "/console/orgs/units/"
EXPORT = "/console/lists/orgs:units/export/"


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def officer(place):
    return person("street_officer", place.street, name="张三")


@pytest.fixture
def client(officer):
    return signed_in(officer)


def options(response, name: str) -> list[str]:
    """The words of a filter's choices."""
    select = re.search(rf'<select name="{name}".*?</select>', response.content.decode(), re.DOTALL)[
        0
    ]
    return re.findall(r"<option[^>]*>([^<]*)</option>", select)


# -- numbers


def test_each_choice_says_how_many_rows_it_gives_beside_the_other_filters(client, place):
    unit(place.community, "一中", kind="school")
    unit(place.community, "二中", kind="school")
    unit(place.community, "一院", kind="hospital")
    unit(place.other_community, "外区一中", kind="school")  # out of reach: counted nowhere
    shown = options(client.get(UNITS), "kind")
    assert {"全部（3）", "学校（2）", "医院（1）", "银行（0）"} <= set(shown)
    # The filter's own choice does not narrow its own numbers, the others do.
    shown = options(client.get(f"{UNITS}?kind=school&q=一"), "kind")
    assert {"全部（2）", "学校（1）", "医院（1）"} <= set(shown)


def test_the_numbers_follow_the_place(client, place):
    unit(place.community, kind="school")
    unit(place.sibling_community, kind="school")
    there = client.get(f"{UNITS}?area={place.community.pk}")
    assert "学校（1）" in options(there, "kind")


def test_a_chip_is_named_without_the_number(client, place):
    unit(place.community, kind="school")
    shown = text(client.get(f"{UNITS}?kind=school"))
    assert "单位类别：学校 " in shown


def looks(captured) -> list[str]:
    """The queries that read rows; the planner's forecast reads none."""
    return [q["sql"] for q in captured if not q["sql"].startswith("EXPLAIN")]


def test_the_total_comes_with_the_numbers_in_one_look(officer, place):
    unit(place.community, "一中", kind="school")
    unit(place.community, "一院", kind="hospital")
    rows = Unit.objects.visible_to(officer)
    asked = UnitFilter(QueryDict("kind=school"), queryset=rows)
    with CaptureQueriesContext(connection) as captured:
        assert asked.count(limit=10_000) == 1
    assert len(looks(captured)) == 1


def test_nothing_in_sight_is_nothing_under_every_choice(place):
    asked = UnitFilter(QueryDict("kind=school"), queryset=Unit.objects.none())
    assert asked.count(limit=10_000) == 0
    assert ("school", "学校（0）") in asked.form.fields["kind"].choices


def test_a_row_counts_where_it_misses_the_filters_own_choice_alone(place):
    class ByKindAndState(FilterSet):
        class Meta:
            model = Unit
            fields = ("kind", "state")

    unit(place.community, "一中", kind="school")
    unit(place.community, "一院", kind="hospital", state="left")
    asked = ByKindAndState(QueryDict("kind=school&state=left"), queryset=Unit.objects.all())
    assert asked.count(limit=10_000) == 0
    kinds, states = (dict(asked.form.fields[name].choices) for name in ("kind", "state"))
    assert (kinds["school"], kinds["hospital"]) == ("学校（0）", "医院（1）")
    assert "（1）" in states["active"]
    assert "（0）" in states["left"]


@pytest.mark.postgres
def test_what_the_planner_expects_far_above_the_limit_is_not_read(place):
    for n in range(5):
        unit(place.community, f"{n}", kind="school")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orgs_unit")
    asked = UnitFilter(QueryDict(), queryset=Unit.objects.all())
    with CaptureQueriesContext(connection) as captured:
        assert asked.count(limit=1) is None
    assert asked.counted == 2, "up to one more than the limit, in the words of the forecast"
    assert not any("GROUP BY" in sql for sql in looks(captured))


@pytest.mark.postgres
def test_what_was_more_than_the_limit_is_so_for_whoever_turns_the_page(place, monkeypatch):
    """And no longer than it is kept, for these rows alone."""
    for n in range(5):
        unit(place.community, f"{n}", kind="school")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orgs_unit")

    def asked(rows) -> tuple[int | None, int]:
        shown = UnitFilter(QueryDict(), queryset=rows)
        with CaptureQueriesContext(connection) as captured:
            shown.count(limit=2)
        return shown.counted, len(captured)

    schools = Unit.objects.filter(kind="school")
    assert asked(schools) == (3, 2), "a forecast and a count"
    assert asked(schools) == (3, 0)
    assert asked(Unit.objects.all()) == (3, 2)
    Unit.objects.exclude(pk=Unit.objects.first().pk).delete()
    assert asked(schools) == (3, 0)
    monkeypatch.setattr(briefly, "SECONDS", 0)
    hospitals = Unit.objects.exclude(kind="hospital")
    assert [asked(hospitals), asked(hospitals)] == [(1, 2)] * 2


def test_past_the_limit_there_are_no_numbers_until_somebody_asks(client, place, monkeypatch):
    monkeypatch.setattr(lists, "COUNT_LIMIT", 2)
    for _ in range(3):
        unit(place.community, kind="school")
    page = client.get(UNITS)
    assert options(page, "kind")[0] == "全部"
    assert "显示各选项的条数" in text(page)
    asked = client.get(f"{UNITS}?counts=1")
    assert "学校（3）" in options(asked, "kind")
    assert "共 3 条" in text(asked)
    # Who asked goes on seeing them.
    assert '<input type="hidden" name="counts" value="1">' in asked.content.decode()


def test_choices_that_are_conditions_are_counted_too(place):
    class ByName(FilterSet):
        named = CaseFilter(label="名称", choices=[("short", "短"), ("none", "无")], case="is_named")

        class Meta:
            model = Unit
            fields = ("kind",)

        def is_named(self, value):
            from django.db.models import Q

            return Q(name="甲") if value == "short" else Q(name__in=[])

    unit(place.community, "甲", kind="school")
    unit(place.community, "乙", kind="school")
    asked = ByName(QueryDict("named=short"), queryset=Unit.objects.all())
    assert asked.count(limit=10_000) == 1
    assert [u.name for u in asked.qs] == ["甲"]
    assert [label for _, label in asked.form.fields["named"].choices] == [
        "全部（2）",
        "短（1）",
        "无（0）",
    ]


def test_a_swapped_list_brings_the_numbers_and_the_links_that_stand_outside_of_it(client, place):
    unit(place.community, kind="school")
    page = client.get(f"{UNITS}?q=没有&cols=name,kind&sort=name", **htmx("list"))
    news = page.content.decode().split("</section>")[1]
    assert "学校（0）" in options(page, "kind")
    assert '<input type="hidden" name="cols" value="name,kind">' in news
    assert '<input type="hidden" name="sort" value="name">' in news


def test_the_button_of_the_folded_filters_says_how_many_are_in_force(client, place):
    unit(place.community)
    page = client.get(f"{UNITS}?kind=school&created_at_after=2020-01-01&q=x")
    assert re.search(r"筛选 ?<span[^>]*> · 2</span>", page.content.decode())


# -- columns


def heads(response) -> list[str]:
    return re.findall(r'<td[^>]* data-label="([^"]*)"', response.content.decode())


@pytest.mark.parametrize(
    "query", ["cols=name,kind", "cols=kind", "cols=name&cols=kind", "cols=kind,secret,name"]
)
def test_the_address_chooses_columns_and_the_first_always_stands(client, place, query):
    unit(place.community)
    assert heads(client.get(f"{UNITS}?{query}")) == ["单位名称", "类别"]


@pytest.mark.parametrize("query", ["", "cols=", "cols=secret", "cols=%00"])
def test_without_a_known_column_the_usual_ones_stand(client, place, query):
    unit(place.community)
    assert len(heads(client.get(f"{UNITS}?{query}"))) == 6


def test_what_is_not_shown_is_not_joined(client, place):
    unit(place.community)
    with CaptureQueriesContext(connection) as captured:
        client.get(f"{UNITS}?cols=name,kind")
    rows = next(q["sql"] for q in captured if 'FROM "orgs_unit"' in q["sql"] and "51" in q["sql"])
    assert "orgs_area" not in rows


def test_a_spare_column_waits_to_be_chosen_and_a_chosen_one_is_not_minor():
    class Some(Table):
        columns = (
            Column("name", "名称"),
            Column("kind", "类别", minor=True),
            Column("party_org", "党组织", spare=True),
        )

    assert [c.name for c in Some.choose([])] == ["name", "kind"]
    chosen = Some.choose(["party_org", "kind"])
    assert [c.name for c in chosen] == ["name", "kind", "party_org"]
    assert not any(c.minor for c in chosen)


# -- the list as a file


@pytest.fixture
def units(place):
    return [
        unit(place.community, "一中", kind="school", contact_name="=cmd()"),
        unit(place.community, "二中", kind="school"),
        unit(place.sibling_community, "三中", kind="school"),
        unit(place.community, "一院", kind="hospital"),
    ]


def sheet_of(path) -> list[list]:
    rows = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
    return [list(row) for row in rows]


def test_the_page_of_the_file_says_what_will_be_in_it(client, units, place):
    page = text(client.get(f"{EXPORT}?kind=school&area={place.community.pk}&cols=kind"))
    assert "共 2 条" in page
    assert "单位类别：学校" in page
    assert "列：单位名称、类别" in page
    assert "111社区居委会" in page


@own_connection
def test_the_file_holds_what_the_list_shows(client, units, officer, place):
    query = (
        f"kind=school&sort=-name&cols=name,kind,contact_name,created_at&area={place.community.pk}"
    )
    shown = re.findall(r">(.中)</a>", client.get(f"{UNITS}?{query}").content.decode())
    answer = client.post(f"{EXPORT}?{query}", {"format": "xlsx"})
    job = Job.objects.get(kind="core.list_export")
    assert answer["Location"] == job.get_absolute_url()
    execute(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("done", "")
    sheet = sheet_of(result_of(job, officer)[0])
    head = sheet.index(["单位名称", "类别", "联络员", "登记日期"])
    rows = [row for row in sheet[head + 1 :] if row[0] in shown]
    assert [row[0] for row in rows] == shown
    assert len(shown) == 2
    assert {row[1] for row in rows} == {"学校"}
    assert "=cmd()" in {row[2] for row in rows}  # text, and no formula
    assert "单位类别：学校" in str(sheet[:head])
    event = AuditEvent.objects.get(action="core.export")
    assert '"rows":2' in event.after
    assert "orgs:units" in event.after


@own_connection
def test_the_file_is_made_under_the_right_of_the_day(client, units, officer):
    client.post(EXPORT, {"format": "csv"})
    officer.grants.update(ends_on="2020-02-01")
    job = Job.objects.get(kind="core.list_export")
    execute(job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert "没有" in job.error


def test_whoever_asks_twice_is_led_to_the_file_under_way(client, units):
    first = client.post(f"{EXPORT}?kind=school")
    assert client.post(f"{EXPORT}?kind=school")["Location"] == first["Location"]
    assert client.post(f"{EXPORT}?kind=hospital")["Location"] != first["Location"]


def test_who_may_not_see_the_list_gets_no_file_of_it(place):
    worker = signed_in(person("grid_worker", place.grid))
    assert worker.get(EXPORT).status_code == 403
    assert worker.post(EXPORT).status_code == 403
    assert not Job.objects.exists()


@pytest.mark.parametrize("name", ["orgs:unit", "orgs:nothing", "console:home", "x", "core:jobs:y"])
def test_what_is_no_list_has_no_file(client, name):
    assert client.get(f"/console/lists/{name}/export/").status_code == 404


def test_a_place_out_of_reach_is_no_place(client, place):
    assert client.get(f"{EXPORT}?area={place.other_community.pk}").status_code == 404


def test_the_rows_can_be_come_back_to(client, place):
    mine = unit(place.community)
    assert f'<tr id="row-{mine.pk}">' in client.get(UNITS).content.decode()
