"""Whole bodies: for each form that names rows, what its owner sends, and would have taken::

    @body("alliance:agreement-clauses", by=Role.COMMUNITY_WORKER, writes="alliance.clause")
    def _clause(at):
        agreement = alliance.draft(at.sides)
        return agreement, {"party": agreement.parties.first(), "category": "events", ...}

One recipe, made on any ground: the row that the address names (None for a list or a new object) and
the fields. `tests.attacks.test_bodies` sends each as it is, and then with one row after the other
taken from next door; a form that names rows and has no body here is red there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import Model
from django.utils import timezone

from accounts.enums import Role
from core.periods import last_finished
from members.actions.post import claim_post
from services.enums import ItemState
from tests.attacks.whole import Body, Ground
from tests.factories import alliance, members, services
from tests.factories.orgs import credit_code, unit
from tests.guards.project import routes

TABLE: list[Body] = []
_serial = itertools.count(1)
_ROUTES = {route.name: route for route in routes()}


def body(*names: str, by: Role | None, writes: str, **more: Any) -> Callable:
    """Register one recipe for each of these addresses; after a stroke stand the parts of an address
    besides its row: ``members:reporting-transit/receive``."""

    def registered(make: Callable) -> Callable:
        for name in names:
            route, *parts = name.split("/")
            TABLE.append(Body(_ROUTES[route], by, writes, make, parts=tuple(parts), **more))
        return make

    return registered


def _day(days: int = 0) -> str:
    return str(timezone.localdate() + timedelta(days=days))


Made = tuple[Model | None, dict[str, Any]]
WORKER, LIAISON, STREET = Role.COMMUNITY_WORKER, Role.UNIT_LIAISON, Role.STREET_OFFICER

# Units and the tree --------------------------------------------------------------------------


def _of_unit(at: Ground) -> dict[str, Any]:
    return {
        "name": f"新登记单位{next(_serial)}",
        "credit_code": credit_code(90_000 + next(_serial)),
        "kind": "state_firm",
        "area": at.place.community,
    }


def _code(at: Ground) -> str:
    return at.unit.credit_code


@body("orgs:unit-add", "api:units-list", by=WORKER, writes="orgs.unit", once={"credit_code": _code})
def _unit(at: Ground) -> Made:
    return None, _of_unit(at)


@body(
    "orgs:unit-edit", "api:units-detail", by=WORKER, writes="orgs.unit", once={"credit_code": _code}
)
def _unit_again(at: Ground) -> Made:
    return unit(at.place.grid), _of_unit(at)


def _grid(at: Ground) -> Model:
    return at.make("orgs.area")


@body("orgs:area-move", by=STREET, writes="orgs.area")
def _moved(at: Ground) -> Made:
    return _grid(at), {"parent": at.place.sibling_community}


@body("orgs:area-retire", by=WORKER, writes="orgs.area")
def _retired(at: Ground) -> Made:
    return _grid(at), {"successor": _grid(at), "reason": "两个网格合并"}


# Agreements ----------------------------------------------------------------------------------


def _terms() -> dict[str, Any]:
    return {
        "title": "共建协议",
        "goal": "共同服务辖区居民",
        "starts_on": _day(),
        "ends_on": _day(364),
    }


@body("alliance:agreement-add", "api:agreements-list", by=WORKER, writes="alliance.agreement")
def _agreement(at: Ground) -> Made:
    place = at.place.community
    units = {"units": [at.unit, unit(place)], "others": [unit(place)]}
    return None, {**_terms(), **units, "community": place}


@body("alliance:agreement-add", "api:agreements-list", by=LIAISON, writes="alliance.agreement")
def _agreement_of_unit(at: Ground) -> Made:
    return None, {**_terms(), "units": [at.unit], "community": at.place.community}


@body("alliance:agreement-edit", by=WORKER, writes="alliance.party")
def _agreement_again(at: Ground) -> Made:
    place = at.place.community
    units = {"units": [at.unit, unit(place)], "others": [unit(place)]}
    return alliance.draft(at.sides), {**_terms(), **units}


@body("alliance:agreement-clauses", by=WORKER, writes="alliance.clause")
def _clause(at: Ground) -> Made:
    agreement = alliance.draft(at.sides)
    return agreement, _of_clause(agreement)


@body("alliance:clause-edit", by=WORKER, writes="alliance.clause")
def _clause_again(at: Ground) -> Made:
    agreement = alliance.draft(at.sides)
    return agreement.clauses.first(), _of_clause(agreement)


def _of_clause(agreement: Model) -> dict[str, Any]:
    return {
        "party": agreement.parties.first(),
        "category": "events",
        "content": "为居民义诊",
        "quantity": "2",
        "measure": "次",
        "due_on": _day(30),
    }


def _to_sign(at: Ground) -> Made:
    return alliance.pending(at.sides), {"agreed": "on"}


# Whose side is signed for is picked by the page.
body("alliance:agreement-sign", by=WORKER, writes="alliance.party")(_to_sign)
body("alliance:agreement-sign", by=LIAISON, writes="alliance.party")(_to_sign)


@body("alliance:agreement-renew", by=WORKER, writes="alliance.agreement")
def _renewed(at: Ground) -> Made:
    return alliance.signed(at.sides), {"ends_on": _day(700)}


# Members -------------------------------------------------------------------------------------


def _phone(at: Ground) -> str:
    return members.member(at.sides).phone


def _registered(at: Ground) -> Made:
    phone = members.phone(80_000_000 + next(_serial))
    home = at.place.community
    return None, {"name": "李党员", "unit": at.unit, "area": home, "phone": phone}


for _role in (LIAISON, STREET):
    body(
        "members:member-add",
        "api:members-list",
        by=_role,
        writes="members.reporting",
        once={"phone": _phone},
    )(_registered)


@body("members:member-edit", by=LIAISON, writes="members.member", once={"phone": _phone})
def _member_again(at: Ground) -> Made:
    phone = members.phone(80_000_000 + next(_serial))
    return members.member(at.sides), {"name": "李改名", "phone": phone}


@body("members:member-move", by=LIAISON, writes="members.reporting")
def _moved_house(at: Ground) -> Made:
    return members.member(at.sides), {"area": at.place.sibling_community, "reason": "搬家"}


@body(
    "members:reporting-transit/receive",
    "api:reportings-receive",
    by=WORKER,
    writes="members.reporting",
)
def _received(at: Ground) -> Made:
    reporting = members.member(at.sides).reportings.get()
    return reporting, {"reported_on": _day(), "grid": at.place.grid}


@body("members:post-add", "api:posts-list", by=WORKER, writes="members.post")
def _post(at: Ground) -> Made:
    return None, {
        "area": at.place.grid,
        "title": "法律咨询岗",
        "category": "law",
        "headcount": "3",
    }


_RECRUITING = {"post": "posts that recruit are shown in the whole city"}


@body("members:reporting-claim", by=WORKER, writes="members.postclaim", seen=_RECRUITING)
def _to_claim(at: Ground) -> Made:
    return members.reported(at.sides), {"post": members.post(at.sides)}


def _elsewhere(at: Ground) -> Model:
    return members.post(members.side(at.place.sibling_community))


# The next unit reports to the same community, whose posts are for both.
body(
    "members:reporting-claim",
    by=LIAISON,
    writes="members.postclaim",
    hidden={"post": _elsewhere},
    seen=_RECRUITING,
)(_to_claim)


def _of_service(at: Ground, days_ago: int) -> Made:
    reporting, post = members.reported(at.sides), members.post(at.sides)
    claim_post(post=post, member=reporting.member, by=at.sides.worker)
    served = {"served_on": _day(-days_ago), "hours": "2", "content": "社区法律咨询"}
    return reporting, {**served, "post": post}


@body("members:reporting-record", by=WORKER, writes="members.servicerecord", seen=_RECRUITING)
def _recorded(at: Ground) -> Made:
    return _of_service(at, 1)


@body("members:reporting-late", by=WORKER, writes="members.servicerecord", seen=_RECRUITING)
def _recorded_late(at: Ground) -> Made:
    reporting, data = _of_service(at, 60)
    return reporting, {**data, "reason": "当月漏记"}


@body("members:servicerecord-add", by=WORKER, writes="members.servicerecord")
def _recorded_for_many(at: Ground) -> Made:
    served = {"served_on": _day(-1), "hours": "2", "content": "清理楼道"}
    return None, {**served, "reportings": [members.reported(at.sides) for _ in range(2)]}


@body("members:servicerecords-confirm", by=WORKER, writes="members.servicerecord")
def _confirmed(at: Ground) -> Made:
    reporting = members.reported(at.sides)
    return None, {"records": [members.service(at.sides, reporting) for _ in range(2)]}


# The four lists ------------------------------------------------------------------------------


def _of_item(side: Model) -> dict[str, Any]:
    return {
        "side": side,
        "kind": "need",
        "title": "暑期托管志愿者",
        "content": "每周两个下午，陪小学生写作业。",
        "topic": "other",
        "beneficiary": "residents",
        "capacity": "1",
        "then": "submit",
    }


@body("services:item-add", "api:items-list", by=WORKER, writes="services.item")
def _item(at: Ground) -> Made:
    return None, _of_item(at.place.community)


@body("services:item-add", "api:items-list", by=LIAISON, writes="services.item")
def _item_of_unit(at: Ground) -> Made:
    return None, _of_item(at.unit)


def _unpublished(at: Ground) -> Model:
    return services.item(at.place.community, state=ItemState.PENDING)


def _of_claim(at: Ground) -> dict[str, Any]:
    clause = alliance.signed(at.sides).clauses.first()
    return {"side": at.unit, "clause": clause, "responsible": "张三", "due_on": _day(20)}


@body("services:item-claim", by=LIAISON, writes="services.claim", hidden={"pk": _unpublished})
def _claim(at: Ground) -> Made:
    return services.item(at.place.community), _of_claim(at)


@body("api:claims-list", by=LIAISON, writes="services.claim", hidden={"item": _unpublished})
def _claim_by_id(at: Ground) -> Made:
    return None, {"item": services.item(at.place.community), **_of_claim(at)}


# Reviews -------------------------------------------------------------------------------------


def _of_period(area: Model) -> Made:
    return None, {"area": area, "period": last_finished().text}


@body("reports:run-add", by=Role.ORG_DEPARTMENT, writes="reports.run")
def _run(at: Ground) -> Made:
    return _of_period(at.place.street)


@body("reports:approve-all", by=Role.ORG_DEPARTMENT, writes="core.job")
def _approved(at: Ground) -> Made:
    return _of_period(at.place.street)


@body("reports:report-all", by=STREET, writes="core.job")
def _reported(at: Ground) -> Made:
    return _of_period(at.place.street)


# Mechanisms ----------------------------------------------------------------------------------


@body("core:list-views/services:items", by=WORKER, writes="core.savedview")
def _view(at: Ground) -> Made:
    return None, {"name": f"视图{next(_serial)}", "office": at.place.community}


@body("core:watch/services.item", by=WORKER, writes="core.watch", hidden={"pk": _unpublished})
def _watch(at: Ground) -> Made:
    return services.item(at.place.community), {"follow": "1"}


@body("core:list-bulk/services:items/publish", by=WORKER, writes="services.item")
def _published(at: Ground) -> Made:
    return None, {"rows": [_unpublished(at)]}


@body("core:list-bulk/members:reportings/receive", by=WORKER, writes="members.reporting")
def _received_together(at: Ground) -> Made:
    return None, {"rows": [members.member(at.sides).reportings.get()]}


# Residents -----------------------------------------------------------------------------------


@body("portal:track", by=None, writes="sessions.session")
def _followed(at: Ground) -> Made:
    ticket, secret = services.ticket(at.place.community)
    return None, {"number": ticket, "secret": secret}
