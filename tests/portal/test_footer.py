"""Who answers for the site: shown when set, with the links that the rules on filing ask for."""

import pytest

from tests.factories.orgs import small_city

pytestmark = pytest.mark.django_db

# Made up, and never shown where nobody set them.
FILED = {
    "SITE_OWNER": "测试市委组织部",
    "SITE_OPERATOR": "测试市大数据中心",
    "SITE_CODE": "3700000001",
    "SITE_ICP": "鲁ICP备00000000号-1",
    "SITE_POLICE": "鲁公网安备 37000000000001号",
}


@pytest.fixture
def foot(client):
    def read() -> str:
        small_city()
        return client.get("/choose/").content.decode().split("<footer")[1]

    return read


def test_all_that_is_set_is_shown_with_its_register(foot, settings):
    for name, value in FILED.items():
        setattr(settings, name, value)
    text = foot()
    assert "主办单位：测试市委组织部" in text
    assert "承办单位：测试市大数据中心" in text
    assert "网站标识码：3700000001" in text
    assert '<a href="https://beian.miit.gov.cn/" rel="noopener">鲁ICP备00000000号-1</a>' in text
    assert (
        '<a href="https://beian.mps.gov.cn/#/query/webSearch?code=37000000000001" '
        'rel="noopener">鲁公网安备 37000000000001号</a>'
    ) in text
    assert "演示" not in text


@pytest.mark.parametrize("name", FILED)
def test_what_is_not_set_is_not_shown(foot, settings, name):
    settings.DEMO = False
    for other, value in FILED.items():
        setattr(settings, other, "" if other == name else value)
    text = foot()
    assert FILED[name] not in text
    assert all(value in text for other, value in FILED.items() if other != name)
    labels = {"SITE_OWNER": "主办单位", "SITE_OPERATOR": "承办单位", "SITE_CODE": "网站标识码"}
    assert labels.get(name, "beian.none") not in text


def test_a_trial_says_that_it_is_filed_nowhere(foot, settings):
    assert "演示站点：没有主办单位，也没有备案。" in foot()
    assert "beian" not in foot()
    settings.DEMO = False
    assert "演示" not in foot()
