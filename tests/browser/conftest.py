"""Debian's Chromium on the test's own server: nothing is downloaded, nothing outside is asked."""

from __future__ import annotations

import os
import shutil

import pytest
from playwright.sync_api import Page

# Playwright's event loop runs in this thread; Django would refuse the ORM beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

PASSWORD = "journey-password-1"  # of accounts that live as long as a test


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "Chromium is missing: apt-get install chromium"
    return {
        **browser_type_launch_args,
        "executable_path": chromium,
        "args": ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync"],
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}


@pytest.fixture
def signed_in(browser, browser_context_args, live_server):
    """Opens a browser of its own for a person: `signed_in(user) -> Page`."""
    contexts = []

    def enter(user) -> Page:
        user.set_password(PASSWORD)
        user.save()
        context = browser.new_context(base_url=live_server.url, **browser_context_args)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.goto("/console/")
        page.get_by_label("登录名").fill(user.username)
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.wait_for_url("**/console/")
        return page

    yield enter
    for context in contexts:
        context.close()
