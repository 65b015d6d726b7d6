"""The first page of the console, as Chromium shows it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_a_stranger_is_led_to_the_sign_in_page(page: Page):
    page.goto("/console/")
    assert "/console/sign-in/" in page.url
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.get_by_label("密码")).to_be_visible()


def test_characters_are_drawn_and_not_boxes(page: Page):
    """Two different characters look different: without a Chinese font both are the same box."""
    page.goto("/console/sign-in/")
    drawings = page.evaluate(
        """() => ['网', '格'].map(character => {
            const canvas = document.createElement('canvas');
            canvas.width = canvas.height = 40;
            const pen = canvas.getContext('2d');
            pen.font = '32px sans-serif';
            pen.fillText(character, 0, 32);
            return canvas.toDataURL();
        })"""
    )
    assert drawings[0] != drawings[1]
