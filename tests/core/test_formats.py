import pytest

from core.formats import full_places, short_place


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("江西路社区居委会", "江西路社区"),
        ("江西路居民委员会", "江西路社区"),
        ("东台村民委员会", "东台村"),
        ("清河村村委会", "清河村"),
        ("第一网格", "第一网格"),
    ],
)
def test_a_community_is_called_as_its_residents_call_it(name, short):
    assert short_place(name) == short


def test_what_residents_say_leads_back_to_the_names_it_may_stand_for():
    assert full_places("清河村") == {
        *("清河村", "清河村委会", "清河村民委员会"),
        *("清河村村委会", "清河村村民委员会"),
    }
    assert full_places("江西路") == {"江西路"}
    for called in ("江西路社区", "清河村", "第一网格"):
        assert {short_place(name) for name in full_places(called)} == {called}
