"""What people write stays text in a real browser: no script of theirs runs, wherever it is shown."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.enums import Role
from orgs.actions.tree import rename_area
from tests.attacks.next_door import mark
from tests.factories.rows import ROWS, World
from tests.guards.declared import LET_IN, addresses

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Out of an attribute, out of a text, out of a script; short enough for most columns.
EVIL = "'\"></script><img src=x onerror=ran=1>"
# Rows that this walk leaves alone: their pages are many and show no text of people.
LEFT = {"reports.review", "reports.run", "core.auditevent"}
SOUND = "() => window.ran === undefined && !document.querySelector('img[src=x]')"


@pytest.fixture
def world() -> World:
    """A row of everything, with markup in all that people write; the names of places as well,
    though only an import writes those."""
    made = World()
    for label in set(ROWS) - LEFT:
        mark(made.one(label), EVIL)
    rename_area(area=made.place.community, name=EVIL, by=None)
    return made


def seen(page: Page) -> None:
    assert page.evaluate(SOUND), page.url


def test_no_script_of_theirs_runs_on_any_page_that_shows_it(page: Page, world, signed_in):
    """`page` bears no complaint: not even one of the content policy, which would be the last wall."""
    worker = world.people[Role.COMMUNITY_WORKER]
    inside = signed_in(worker)
    said: list[str] = []
    inside.on("console", lambda m: said.append(m.text) if "Content Security" in m.text else None)
    inside.on("dialog", lambda dialog: said.append(dialog.message))
    shown = 0
    for address in addresses(world):
        opens = "get" in address.route.methods and address.promised(worker, "get") == LET_IN
        related = not address.route.model or address.route.model._meta.label_lower not in LEFT
        page_of_detail = address.route.name.partition(":")[2] in DETAILS
        if not (opens and related and page_of_detail):
            continue
        inside.goto(address.url)
        seen(inside)
        shown += EVIL in inside.inner_text("body")
    assert shown >= len(DETAILS) - 2, "the walk no longer meets what was written"
    # What scripts of ours put into the page by themselves.
    inside.goto("/console/")
    inside.keyboard.press("/")
    inside.get_by_role("combobox").or_(inside.get_by_role("searchbox")).first.fill("onerror")
    expect(inside.get_by_role("option").first).to_be_visible()
    seen(inside)
    inside.goto(reverse("reports:overview"))
    seen(inside)
    item = world.one("services.item")
    for address in ("/", reverse("portal:item", args=[item.number])):
        page.goto(address)
        seen(page)
    assert not said


DETAILS = (
    *("unit", "agreement", "member", "reporting", "post", "servicerecord", "item", "claim"),
    *("units", "agreements", "members", "items", "claims", "posts"),
)
