"""Every page of the console with somebody who may see it, over rows with the longest names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page

from accounts.enums import Role
from accounts.models import User
from core.transitions import MACHINES
from core.views import TransitView
from tests.factories.rows import ROWS, World
from tests.guards.project import Route, routes

# Who is asked first whether they see a page: those with the most on it.
READERS = (
    Role.STREET_OFFICER,
    Role.COMMUNITY_WORKER,
    Role.ORG_DEPARTMENT,
    Role.UNIT_LIAISON,
    Role.SYSTEM_ADMIN,
    Role.SECURITY_ADMIN,
    Role.SECURITY_AUDITOR,
)
# Addresses that show no page of their own, and what they do instead.
_FILE = "hands out a file"
_POST = "takes a form that stands on another page"
NO_PAGE = {
    "console:theme": _POST,
    "accounts:sign-out": _POST,
    "accounts:recovery-codes": _POST,
    "accounts:audit-verify": _POST,
    "core:inbox-read": _POST,
    "core:attachment": _FILE,
    "core:job-result": _FILE,
    "accounts:second-factor": "leads on: these tests sign in without one",
    "accounts:sign-in": "leads on: its page is looked at without a sign-in",
    "console:place-options": "lines for a list box, not a page",
}
# Pages whose address names a row of another model than they make or show.
ROW_OF = {
    "accounts:user-grant": "accounts.user",
    "reports:evidence": "reports.review",
    "services:item-claim": "services.item",
}
FILES = ("-template", "-errors")  # of every import

# Nobody in the first community is without a long name, with a code that does not break in it.
LONG = {
    "orgs.area": {"name": "太平角历史文化风貌保护区滨海步行道沿线第三社区居民委员会"},
    "orgs.unit": {
        "name": "青岛海洋地质工程勘察设计研究院（集团）有限公司党委驻八大关街道第二联合党支部"
    },
    "accounts.user": {"name": "欧阳阿依古丽·买买提江（挂职）"},
    "services.item": {
        "title": "为太平角一路至六路独居和高龄老人上门检修燃气软管、更换老化电线并讲解用电安全",
        "publisher": "太平角历史文化风貌保护区滨海步行道沿线第三社区居民委员会",
        "venue": "太平角历史文化风貌保护区滨海步行道沿线第三社区党群服务中心二楼东侧多功能活动室",
    },
    "services.claim": {
        "claimant": "青岛海洋地质工程勘察设计研究院（集团）有限公司党委驻八大关街道第二联合党支部",
    },
    "members.member": {
        "name": "欧阳阿依古丽·买买提江",
        "speciality": "水电维修、法律咨询、心理疏导",
    },
    "members.post": {"title": "滨海步行道文明旅游劝导与垃圾分类宣传志愿服务岗（周末及法定节假日）"},
    "alliance.agreement": {
        "title": "八大关街道区域化党建联盟与青岛海洋地质工程勘察设计研究院共驻共建协议书（2026年度）",
        "goal": "组织联建、队伍联育、活动联办、阵地联用、资源联享、服务联做，" * 8,
    },
    "core.notification": {
        "title": "您发布的“为太平角一路至六路独居和高龄老人上门检修燃气软管”已被认领"
    },
}


@dataclass(frozen=True)
class Stop:
    """One page: the name of its address, the address with a row behind it, and its reader."""

    name: str
    address: str
    reader: User

    def __str__(self) -> str:
        return f"{self.name} {self.address}"


class Walk:
    """The pages and, for each reader, a browser that is signed in."""

    def __init__(self, new_context: Any, live_server: Any) -> None:
        self._open, self._url = new_context, live_server.url
        self.world = World()
        self._clients = {role: _signed_in(self.world.people[role]) for role in READERS}
        self._pages: dict[int, Page] = {}

    def stops(self) -> Iterator[Stop]:
        """All pages, those of one reader together."""
        addresses = [pair for route in console_routes() for pair in self._addresses(route)]
        lengthen()
        found = [self._stop(name, address) for name, address in addresses]
        order = {self.world.people[role].pk: n for n, role in enumerate(READERS)}
        return iter(sorted(found, key=lambda stop: order[stop.reader.pk]))

    def page(self, reader: User) -> Page:
        """The reader's own window, the same at each call."""
        if reader.pk not in self._pages:
            self._pages[reader.pk] = self.context(reader).new_page()
        return self._pages[reader.pk]

    def context(self, reader: User, **given: Any) -> BrowserContext:
        """A fresh browser in which the reader is signed in."""
        context = self._open(base_url=self._url, **given)
        key = _signed_in(reader).cookies[settings.SESSION_COOKIE_NAME].value
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": key, "url": self._url}
        context.add_cookies([cookie])
        return context

    def _addresses(self, route: Route) -> list[tuple[str, str]]:
        parts: dict[str, Any] = {}
        row = self._row(route)
        if row is not None:
            parts["pk"] = row.pk
        if isinstance(route.view, type) and issubclass(route.view, TransitView):
            named = [{**parts, "name": name} for name in _steps(row)]
            return [(route.name, reverse(route.name, kwargs=one)) for one in named]
        if route.name == "reports:evidence":
            parts["key"] = row.scores.first().key
        if route.name == "core:attach":
            agreement = self.world.one("alliance.agreement")
            parts = {"label": "alliance.agreement", "object_id": agreement.pk}
        return [(route.name, reverse(route.name, kwargs=parts))]

    def _row(self, route: Route) -> Model | None:
        if not route.takes_pk:
            return None
        if resource := route.declared.get("resource"):
            return self.world.upload(resource)
        return self.world.one(ROW_OF.get(route.name) or route.model._meta.label_lower)

    def _stop(self, name: str, address: str) -> Stop:
        for role, client in self._clients.items():
            answer = client.get(address)
            if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
                return Stop(name, address, self.world.people[role])
        raise AssertionError(f"{name}: nobody sees a page at {address}; if it has none, say so")


def console_routes() -> list[Route]:
    return [
        route
        for route in routes()
        if route.pattern.startswith("console/")
        and route.name not in NO_PAGE
        and not route.name.endswith(FILES)
    ]


def _steps(row: Model) -> list[str]:
    """The steps that its state allows, and one that it does not, whose page says why."""
    machine = MACHINES[row._meta.label_lower]
    state = getattr(row, machine.field)
    asked = [step for step in machine.transitions.values() if step.perm]
    now = [step.name for step in asked if state in step.sources]
    return now + [step.name for step in asked if step.name not in now][:1]


def lengthen() -> None:
    """Give every row that has been made the longest names that people write."""
    for label, values in LONG.items():
        assert label in ROWS
        apps.get_model(label)._base_manager.update(**values)


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client
