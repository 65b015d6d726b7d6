import pytest

from core.formats import short_place


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
