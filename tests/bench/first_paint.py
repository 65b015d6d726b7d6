"""How soon a resident reads the first words: Chromium on slow 4G with a processor a quarter as fast.

    DJANGO_SETTINGS_MODULE=config.settings.test python -m tests.bench.first_paint

Beside the portal's pages stands the yardstick, `/healthz/live`, an answer of a few bytes from the
same server over the same line: what remains above it is the page's own.
"""

from __future__ import annotations

import os
from statistics import median

import django

from tests.bench import row

VISITS = 7
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def slow_4g(page) -> None:
    """Lighthouse's slow 4G: 150 ms there and back, 1.6 Mbit/s down, 750 kbit/s up."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    line = {"latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
    session.send("Network.emulateNetworkConditions", {"offline": False, **line})
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})


def first_paint(browser, address: str, cookies: list[dict]) -> float:
    """Milliseconds of one visit by a browser that has nothing of ours yet."""
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, locale="zh-CN", bypass_csp=True
    )
    context.add_cookies(cookies)
    page = context.new_page()
    slow_4g(page)
    page.goto(address)
    page.wait_for_function(PAINT)
    found = page.evaluate(PAINT)
    context.close()
    return found


def main() -> None:
    os.environ["LOG_LEVEL"] = "ERROR"  # what is printed is the table
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop only waits in this thread
    django.setup()
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.management import call_command
    from django.test.testcases import LiveServerThread
    from playwright.sync_api import sync_playwright

    from scripts.prepare import browser as chromium
    from tests.browser.portal import full_city

    call_command("migrate", verbosity=0)
    place = full_city()
    server = LiveServerThread("127.0.0.1", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    site = f"http://127.0.0.1:{server.port}"
    pages = {
        "yardstick": "/healthz/live",
        "home page": "/",
        "a service": f"/item/{place.offer.number}/",
        "the form for a question": "/need/topic/",
    }
    cookies = [{"name": "community", "value": place.community.code, "url": site}]
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium(), args=sandbox)
        times = {}
        for name, path in pages.items():
            first_paint(browser, site + path, cookies)  # templates are compiled once, not by visit
            times[name] = median(first_paint(browser, site + path, cookies) for _ in range(VISITS))
        browser.close()
    server.terminate()
    yardstick = times.pop("yardstick")
    for name, spent in times.items():
        row(name, spent, "an answer of a few bytes", yardstick, "ms")


if __name__ == "__main__":
    main()
