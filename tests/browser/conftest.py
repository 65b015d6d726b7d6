"""Journeys run in the machine's own Chromium, in Chinese, against the live server.

`page` fails its test for anything that the browser complains of: an error in a script, a breach of
the content security policy, a file that is not there. A journey that provokes an answer of 4xx on
purpose names it: ``page.expected.add(403)``.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator

import pytest
from django.core.signals import request_finished, request_started
from playwright.sync_api import ConsoleMessage, Page

from scripts.prepare import browser as chromium


@pytest.fixture(scope="session", autouse=True)
def _queries_beside_an_event_loop() -> Iterator[None]:
    """Playwright runs its loop in the test's own thread; Django would forbid queries there. They
    are safe: the loop only waits while the test goes on."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    path = chromium()
    assert path, "Chromium is not installed: apt-get install chromium"
    # Chromium's sandbox does not work for root, which the suite may be.
    args = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": path, "args": args}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict) -> dict:
    return {
        **browser_context_args,
        "locale": "zh-CN",
        "timezone_id": "Asia/Shanghai",
        "viewport": {"width": 1366, "height": 900},
    }


@pytest.fixture(autouse=True)
def _all_answered(live_server) -> Iterator[None]:
    """The database is not emptied while the server still answers: a form that has just been filled in
    sends its draft after the test's last line. The browser's windows are closed by then."""
    under_way, told = set[int](), threading.Condition()

    def begins(**kwargs) -> None:
        with told:
            under_way.add(threading.get_ident())

    def ends(**kwargs) -> None:
        with told:
            under_way.discard(threading.get_ident())
            told.notify_all()

    request_started.connect(begins)
    request_finished.connect(ends)
    yield
    with told:
        assert told.wait_for(lambda: not under_way, timeout=20), "a request is never answered"
    request_started.disconnect(begins)
    request_finished.disconnect(ends)


@pytest.fixture
def page(page: Page, live_server) -> Iterator[Page]:
    """A page of the live server (`page.goto("/console/")`) that bears no complaint."""
    complaints: list[str] = []
    page.expected = set()

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(
            f"status of {code}" in message.text for code in page.expected
        ):
            complaints.append(f"{message.text} ({message.location.get('url')})")

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert not complaints, complaints


@pytest.fixture(scope="session")
def base_url() -> None:
    """Paths are completed by the context below, because the live server is not a session's own."""
    return


@pytest.fixture
def context(new_context, live_server):
    return new_context(base_url=live_server.url)


PASSWORD = "journey-password-1"  # of accounts that live as long as a test


@pytest.fixture
def signed_in(new_context, live_server):
    """Opens a browser of its own for a person: `signed_in(user) -> Page`."""

    def enter(user) -> Page:
        user.set_password(PASSWORD)
        user.save()
        context = new_context(base_url=live_server.url)
        page = context.new_page()
        page.goto("/console/")
        page.get_by_label("登录名").fill(user.username)
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.wait_for_url("**/console/")
        return page

    return enter


@pytest.fixture
def resident(browser, browser_context_args, live_server):
    """Opens a small phone of its own, with the community that it chose before, if any:
    `resident(community, elder=True) -> Page`. It bears no complaint but of answers of 400 and 404.
    """
    complaints: list[str] = []
    opened = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not re.search("status of (400|404)", message.text):
            complaints.append(message.text)

    def enter(community=None, *, elder=False, **options) -> Page:
        phone = {"viewport": {"width": 360, "height": 740}, "base_url": live_server.url}
        context = browser.new_context(**{**browser_context_args, **phone, **options})
        opened.append(context)
        cookies = {"community": community.code if community else "", "elder": "1" if elder else ""}
        context.add_cookies(
            [{"name": n, "value": v, "url": live_server.url} for n, v in cookies.items() if v]
        )
        page = context.new_page()
        page.on("console", hear)
        return page

    yield enter
    for context in opened:
        context.close()
    assert not complaints, complaints
