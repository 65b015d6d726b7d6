import pytest

from core.among import Among
from orgs.models import Area
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db


def test_numbers_among_others():
    made = small_city()
    wanted = [made.street.pk, made.community.pk]
    among = Among("pk", [*wanted, 10**15])
    assert set(Area.objects.filter(among).values_list("pk", flat=True)) == set(wanted)
    left = Area.objects.exclude(Among("pk", wanted)).values_list("pk", flat=True)
    assert set(left) == set(Area.objects.values_list("pk", flat=True)) - set(wanted)


def test_nothing_is_among_none_and_null_among_nothing():
    made = small_city()
    assert not Area.objects.filter(Among("pk", [])).exists()
    assert Area.objects.get(Among("district_id", [made.district.pk]), kind="district")
    city = Area.objects.filter(kind="city", district=None)
    assert city.exists()
    assert not city.filter(Among("district_id", [made.district.pk, 0])).exists()
