"""What a page of the console weighs over the wire, all that it loads counted: at first and then."""

from __future__ import annotations

import base64
import gzip
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from accounts.enums import Role
from tests.browser.console_walk import Walk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FIRST, AFTER = 250_000, 30_000
CHARTS, DRAWS = 180_000, "/static/dist/chart.js"  # once, with the first page that shows a chart
NGINX_LEVEL = 1  # its default: deploy/nginx.conf compresses pages
WHITENOISE_LEVEL = 9  # as assets/build.mjs packs what WhiteNoise sends


class Scale:
    """Bytes that came over the wire for one page; what the browser already had counts nothing."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._wire = page.context.new_cdp_session(page)
        self._wire.send("Network.enable")
        self._wire.on("Network.responseReceived", self._answered)
        self._wire.on("Network.loadingFinished", self._loaded)
        self._paths: dict[str, str] = {}
        self._came: dict[str, int] = {}

    def _answered(self, event: dict) -> None:
        if event["type"] == "Document":  # what was still on its way to the page before
            self._paths.clear()
            self._came.clear()
        self._paths[event["requestId"]] = urlsplit(event["response"]["url"]).path

    def _loaded(self, event: dict) -> None:
        if event["encodedDataLength"] and event["requestId"] in self._paths:
            self._came[event["requestId"]] = int(event["encodedDataLength"])

    def weigh(self, address: str) -> dict[str, int]:
        """Open the page; what came for it, by path."""
        self._page.goto(address)
        return {self._paths[one]: self._packed(one) for one in list(self._came)}

    def _packed(self, request: str) -> int:
        """As nginx and WhiteNoise send it; the test server sends it as it is."""
        sent = self._wire.send("Network.getResponseBody", {"requestId": request})
        text = sent["body"]
        body = base64.b64decode(text) if sent["base64Encoded"] else text.encode()
        level = WHITENOISE_LEVEL if self._paths[request].startswith("/static/") else NGINX_LEVEL
        return self._came[request] - len(body) + len(gzip.compress(body, level))


def test_a_page_weighs_little_at_first_and_less_after(new_context, live_server, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    walk = Walk(new_context, live_server)
    for _ in range(50):
        walk.world.make("services.item")
    stops = list(walk.stops())
    heavy = []
    for reader in {stop.reader.pk: stop.reader for stop in stops}.values():
        scale = Scale(walk.page(reader))
        mine = [stop.address for stop in stops if stop.reader == reader]
        charts = CHARTS
        for limit, address in [(FIRST, mine[0]), *((AFTER, one) for one in mine)]:
            found = scale.weigh(address)
            drawing = found.pop(DRAWS, 0)
            if drawing > charts or sum(found.values()) > limit:
                heavy.append(f"{address}: {found}, at most {limit:,}; charts {drawing:,}")
            charts = 0 if drawing else charts
    assert not heavy, "\n".join(heavy)


def test_charts_come_only_where_one_is_shown(new_context, live_server):
    """The script of the charts is a file of its own that no other page asks for."""
    walk = Walk(new_context, live_server)
    page = walk.page(walk.world.people[Role.COMMUNITY_WORKER])
    came = Scale(page).weigh("/console/services/items/")
    assert not page.locator("[data-chart]").count()
    assert not [path for path in came if "chart" in path]
