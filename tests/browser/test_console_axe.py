"""Every page of the console: axe finds nothing in light and dark, nothing is wider than the screen,
what has the focus shows it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.axe import violations
from tests.browser.console_walk import Walk

pytestmark = pytest.mark.browser

WIDTHS = (360, 768, 1280, 1920)
_WIDER = """() => {
    const wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= wide) return [];
    const over = [...document.querySelectorAll("body *")].filter(
        one => one.getBoundingClientRect().right > wide + 1);
    return over.slice(-1).map(one => `${one.localName}.${one.className}`);
}"""
# Each control in turn, as the keyboard reaches it: it takes the focus and looks different with it.
_UNSEEN = """() => {
    const all = document.querySelectorAll(
        "a[href], button:not([disabled]), input:not([type=hidden]):not([disabled]), select, " +
        "textarea, summary, [tabindex]:not([tabindex='-1'])");
    const wrong = [];
    for (const one of all) {
        if (!one.checkVisibility({ visibilityProperty: true })) continue;
        if (one.tabIndex > 0) wrong.push(`tabindex of ${one.outerHTML.slice(0, 80)}`);
        one.focus();
        const look = getComputedStyle(one);
        const seen = look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2;
        if (document.activeElement !== one || !seen) wrong.push(one.outerHTML.slice(0, 120));
    }
    return wrong;
}"""


def faults(page: Page) -> list[str]:
    """What is wrong with the page that is open."""
    page.emulate_media(color_scheme="light")
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {line}" for line in violations(page, "color-contrast")]
    page.keyboard.press("Tab")  # from now on the browser draws the focus as for the keyboard
    found += [f"no focus to see: {line}" for line in page.evaluate(_UNSEEN)]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        found += [f"wider than {width}: {line}" for line in page.evaluate(_WIDER)]
    return found


@pytest.mark.django_db(transaction=True)
def test_every_page_is_open_to_everybody_and_fits_every_screen(
    new_context, live_server, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    walk = Walk(new_context, live_server)
    wrong = []
    for stop in walk.stops():
        page = walk.page(stop.reader)
        page.goto(stop.address)
        wrong += [f"{stop}: {line}" for line in faults(page)]
    assert not wrong, "\n".join(wrong)
