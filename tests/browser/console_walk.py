"""Every page of the console with somebody who may see it, over rows with the longest names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from core import watching
from core.transitions import MACHINES
from core.views import ListView, TransitView
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
_LINES = "lines for a part of another page"
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
    "console:place-options": _LINES,
    "console:search-options": _LINES,
    "console:check": _LINES,
    "console:draft-save": _POST,
    "console:draft-drop": _POST,
    "core:savedview-update": _POST,
    "core:savedview-default": _POST,
    "core:watch": _POST,
}
# Pages whose address names a row of another model than they make or show.
ROW_OF = {
    "accounts:user-grant": "accounts.user",
    "reports:evidence": "reports.review",
    "services:item-claim": "services.item",
}
FILES = ("-template", "-errors")  # of every import
# What an address asks for, where the page without it shows less.
ASKED = {"console:search": "?q=太平角", "core:list-bulk": "?all=1", "core:list-views": "?q=太平角"}
A_LIST = "services:items"  # whose views and file stand for those of every list

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
    "core.savedview": {"name": "太平角历史文化风貌保护区滨海步行道沿线逾期未认领的需求"},
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
        watching.follow(self.world.one("services.item"), self.world.people[READERS[0]])
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
        found = [reverse(route.name, kwargs=parts) for parts in self._parts(route)]
        asked = ASKED.get(route.name)
        more = [f"{address}{asked}" for address in found] if asked else []
        return [(route.name, address) for address in found + more]

    def _parts(self, route: Route) -> list[dict[str, Any]]:
        """What stands in the address of each of its pages."""
        row = self._row(route)
        parts = {} if row is None else {"pk": row.pk}
        if isinstance(route.view, type) and issubclass(route.view, TransitView):
            return [{**parts, "name": name} for name in _steps(row)]
        if route.name == "reports:evidence":
            return [{**parts, "key": row.scores.first().key}]
        if route.name == "core:attach":
            agreement = self.world.one("alliance.agreement")
            return [{"label": "alliance.agreement", "object_id": agreement.pk}]
        if route.name == "core:list-bulk":
            return [{"page": page, "name": name} for page, steps in _bulk() for name in steps]
        if "page" in route.params:
            return [{"page": A_LIST}]
        return [parts]

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


def _bulk() -> list[tuple[str, Sequence[str]]]:
    """The lists and what each offers for many rows."""
    lists = (r for r in routes() if isinstance(r.view, type) and issubclass(r.view, ListView))
    return [(route.name, route.view.bulk) for route in lists if route.view.bulk]


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
