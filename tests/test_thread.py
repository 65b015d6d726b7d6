import pytest

from orgs.models import Area, Unit
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit


@pytest.mark.django_db
def test_a_grant_reaches_its_node_and_all_below_and_nothing_beside():
    place = small_city()
    mine, foreign = unit(place.community), unit(place.other_community)
    for node in (place.city, place.district, place.street, place.community):
        officer = person("org_department", node)
        assert mine in Unit.objects.visible_to(officer)
        assert Unit.scope.holds(mine, officer)
    officer = person("org_department", place.district)
    assert foreign not in Unit.objects.visible_to(officer)
    assert not Unit.scope.holds(foreign, officer)
    assert Area.objects.visible_to(officer).count() == 1 + 2 + 4 + 4
