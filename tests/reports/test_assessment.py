"""The assessment summary, read back from the file that the command wrote."""

import pytest
from django.core.management import CommandError, call_command
from openpyxl import load_workbook

from reports.catalogue import MEASURES
from reports.models import Review
from services.enums import ClaimState
from tests.factories import reports, services
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

# A job beats its heart on a connection of its own: what it runs on must be committed.
pytestmark = pytest.mark.django_db(transaction=True)


def export(place, tmp_path, user, **more):
    out = tmp_path / "考核.xlsx"
    options = {"area": place.code, "period": reports.this_quarter().text, **more}
    call_command("export_ledger", "assessment", out=out, username=user.username, **options)
    return load_workbook(out).worksheets[0]


def table(sheet) -> list[list]:
    """The rows from the first header row to the last place."""
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    start = next(n for n, row in enumerate(rows) if row[0] == "序号")
    end = next(n for n, row in enumerate(rows) if row[0] and str(row[0]).startswith("填报"))
    return rows[start:end]


def test_the_summary_lists_the_places_below_best_first_with_all_indicators(tmp_path):
    place = small_city()
    need = services.item(place.community)
    services.claim(need, unit(place.community), state=ClaimState.RATED)
    reports.run(place.city)
    officer = person("org_department", place.city)
    groups, heads, *rows = table(export(place.city, tmp_path, officer))
    assert [row[1] for row in rows] == ["东区", "西区"]
    assert [row[0] for row in rows] == [1, 2]
    assert heads[2].startswith(next(iter(MEASURES.values())).label)
    assert groups[2] == "四张清单"
    assert (groups[0], groups[1]) == ("序号", "单位")
    east = Review.objects.get(area=place.district)
    figures = rows[0][2 : 2 + len(MEASURES)]
    assert round(sum(figures), 2) == float(east.total)
    bonus, deduction, total, band, rank, remark = rows[0][2 + len(MEASURES) :]
    assert (bonus, deduction, total, rank) == (0, 0, float(east.total), 1)
    assert band == east.band
    assert "未审定" in remark


def test_the_same_total_shares_a_rank(tmp_path):
    place = small_city()
    reports.run(place.city)
    sheet = export(place.district, tmp_path, person("org_department", place.district))
    ranks = [row[-2] for row in table(sheet)[2:]]
    assert ranks == [1, 1]


def test_without_a_review_the_command_says_what_to_do(tmp_path):
    place = small_city()
    with pytest.raises(CommandError, match="请先发起评估"):
        export(place.city, tmp_path, person("org_department", place.city))
    assert not list(tmp_path.iterdir())
