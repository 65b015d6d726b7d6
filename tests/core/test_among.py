import pytest

from accounts.models import User
from core.among import Among
from orgs.models import Area
from tests.factories.accounts import person
from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db


def test_numbers_among_others():
    made = small_city()
    wanted = [made.street.pk, made.community.pk]
    among = Among("pk", [*wanted, 10**15])
    assert set(Area.objects.filter(among).values_list("pk", flat=True)) == set(wanted)
    left = Area.objects.exclude(Among("pk", wanted)).values_list("pk", flat=True)
    assert set(left) == set(Area.objects.values_list("pk", flat=True)) - set(wanted)


@pytest.mark.parametrize(
    "name",
    ['引"号', "反\\斜", "逗,号", "{括}", "NULL", "", " 空 格 ", "单'引", '\\"', "换\n行", "𠮷"],
)
def test_texts_among_others_as_they_stand(name):
    officer = person("org_department", small_city().city, name=name)
    assert User.objects.get(Among("name", ["别处", name])) == officer
    assert not User.objects.filter(Among("name", ["别处", f"{name}x", f"x{name}"])).exists()


def test_nothing_is_among_none_and_null_among_nothing():
    made = small_city()
    assert not Area.objects.filter(Among("pk", [])).exists()
    assert not Area.objects.filter(Among("name", [])).exists()
    assert Area.objects.exclude(Among("name", [])).count() == Area.objects.count()
    assert set(Area.objects.annotate(no=Among("pk", [])).values_list("no", flat=True)) == {False}
    assert Area.objects.get(Among("district_id", [made.district.pk]), kind="district")
    city = Area.objects.filter(kind="city", district=None)
    assert city.exists()
    assert not city.filter(Among("district_id", [made.district.pk, 0])).exists()
