"""Every component is on the page of components, in a file of its states."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.urls import reverse

from core.pages.components import SPECIMENS
from tests.core.browsing import signed_in
from tests.factories.accounts import person
from tests.markup import faults

TEMPLATES = settings.BASE_DIR / "templates"
_SHELL = "stands in the shell around the page of components itself"
# Components without a specimen, and why.
ELSEWHERE = {
    "side_menu": _SHELL,
    "user_menu": _SHELL,
    "list_news": "goes along with a swapped list and takes the place of parts that have an id",
    "hidden_query": "only hands on the address within a form: there is nothing to see",
}


def test_every_component_has_its_specimen():
    built = {path.stem for path in (TEMPLATES / "_components").glob("*.html")}
    shown = [specimen.name for specimen in SPECIMENS]
    assert len(shown) == len(set(shown))
    assert set(shown) | set(ELSEWHERE) == built, "name them in core/pages/components.py"
    assert not set(shown) & set(ELSEWHERE), "shown after all: take the reason away"


def test_a_specimen_draws_its_component():
    for specimen in SPECIMENS:
        drawn = (TEMPLATES / specimen.template).read_text()
        assert f"ui.{specimen.name}(" in drawn, specimen.template
    files = {path.stem for path in (TEMPLATES / "core/components").glob("[a-z]*.html")}
    assert files == {specimen.name for specimen in SPECIMENS}


@pytest.mark.django_db
def test_the_page_shows_them_all_and_asks_nothing_for_them(django_assert_max_num_queries):
    client = signed_in(person("system_admin"))
    with django_assert_max_num_queries(6):  # the shell's own
        answer = client.get(reverse("core:components"))
    assert answer.status_code == 200
    assert faults(answer) == []
    page = answer.content.decode()
    assert all(f'<section class="specimen" id="{one.name}">' in page for one in SPECIMENS)
    assert page.count('class="specimen-state"') > 2 * len(SPECIMENS)
