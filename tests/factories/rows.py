"""One row of every model that has a page: what the guards walk the project with.

A new model with a page registers here::

    @row("orgs.unit")
    def _unit(world):
        return unit(world.place.community)

`world` is a small city with people (see `World`). Each call makes a fresh row in its first
community, in sight of everybody who holds a role there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from accounts.enums import DUTIES, Role
from accounts.models import Grant, User
from alliance.actions.clause import record_fulfilment
from core import audit, imports
from core.attachments import attach
from core.jobs import submit
from core.models import SheetImport, WorkdayOverride
from core.notify import notify
from core.saved_views import save_view
from core.sheets.resources import SheetResource
from grids.models import GridPost
from members.actions.post import claim_post
from orgs.actions.tree import create_area
from services.enums import ClaimState, Grade
from tests.core.test_content import PDF
from tests.factories import alliance, members, reports, services
from tests.factories.accounts import person
from tests.factories.grids import grid_profile
from tests.factories.orgs import small_city, unit

ROWS: dict[str, Callable[[World], Model]] = {}
_serial = itertools.count(1)


class Standing:
    """What was made, for as long as it stands: a test that undoes what it wrote takes along what was
    made for it, and whoever comes next has it made anew."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[list, Any]] = {}

    def keep(self, key: str, made: Any) -> Any:
        self._made[key] = list(connection.savepoint_ids), made
        return made

    def get(self, key: str) -> Any:
        under, made = self._made.get(key, ([], None))
        return made if connection.savepoint_ids[: len(under)] == under else None


class World:
    """Two cities; `people` hold each role where the rows are, `strangers` in the other city."""

    def __init__(self) -> None:
        self.made = Standing()
        self.place, self.elsewhere = small_city(), small_city("3798", "邻市")
        self.unit = unit(self.place.community, name="本地单位")
        self.people = {role: self._person(role, self.place, self.unit) for role in Role}
        far = unit(self.elsewhere.community, name="外地单位")
        self.strangers = {
            role: self._person(role, self.elsewhere, far) for role in Role if role not in DUTIES
        }

    def _person(self, role: Role, place: SimpleNamespace, of: Model) -> User:
        on = {
            Role.ORG_DEPARTMENT: place.city,
            Role.STREET_OFFICER: place.street,
            Role.COMMUNITY_WORKER: place.community,
            Role.GRID_WORKER: place.community,
            Role.UNIT_LIAISON: of,
        }
        return person(role, on.get(role))

    @cached_property
    def sides(self) -> SimpleNamespace:
        """The first community and its unit, as the factories of members and agreements take them."""
        return SimpleNamespace(
            community=self.place.community,
            worker=self.people[Role.COMMUNITY_WORKER],
            unit=self.unit,
            units=[self.unit],
            liaison=self.people[Role.UNIT_LIAISON],
            liaisons=[self.people[Role.UNIT_LIAISON]],
        )

    def one(self, label: str) -> Model:
        """The same row of the model each time, for whoever leaves it as it was."""
        return self.made.get(label) or self.made.keep(label, self.make(label))

    def upload(self, resource: type[SheetResource]) -> SheetImport:
        """A table that somebody with the right has uploaded, with a row that cannot be right."""
        key = f"upload of {resource.identifier}"
        if found := self.made.get(key):
            return found
        by = next(user for user in self.people.values() if user.reach(resource.perm))
        titles = [field.column_name for field in resource().columns]
        lines = f"{','.join(titles)}\n{','.join('?' for _ in titles)}\n"
        file = SimpleUploadedFile("名册.csv", lines.encode())
        return self.made.keep(key, imports.take(resource, file, by=by))

    def make(self, label: str) -> Model:
        """A fresh row of the model, as the database has it."""
        made = ROWS[label](self)
        return type(made)._base_manager.get(pk=made.pk)


def row(label: str) -> Callable:
    def registered(make: Callable[[World], Model]) -> Callable[[World], Model]:
        ROWS[label] = make
        return make

    return registered


@row("core.auditevent")
def _audit_event(world: World) -> Any:
    with transaction.atomic():
        return audit.record("orgs.unit.note", world.unit, by=None)


@row("core.job")
def _job(world: World) -> Any:
    return submit("accounts.verify_audit", by=world.people[Role.SECURITY_AUDITOR])


@row("core.notification")
def _notification(world: World) -> Any:
    with transaction.atomic():
        return notify([world.people[Role.COMMUNITY_WORKER].pk], title="有新的需求待审")[0]


@row("core.attachment")
def _attachment(world: World) -> Any:
    upload = SimpleUploadedFile("说明.pdf", PDF + str(next(_serial)).encode())
    return attach(world.make("alliance.agreement"), upload, by=world.people[Role.COMMUNITY_WORKER])


@row("core.savedview")
def _saved_view(world: World) -> Any:
    return save_view(
        page="orgs:units",
        name=f"视图{next(_serial)}",
        query="kind=school",
        office=world.place.community,
        by=world.people[Role.COMMUNITY_WORKER],
    )


@row("core.workdayoverride")
def _workday(world: World) -> Any:
    day = timezone.localdate() + timedelta(days=next(_serial))
    return WorkdayOverride.objects.create(day=day, is_workday=True, note="调休上班")


@row("orgs.area")
def _area(world: World) -> Any:
    serial = next(_serial)
    code = f"{world.place.community.code}{100 + serial}"
    parent = world.place.community
    return create_area(kind="grid", code=code, name=f"第{serial}网格", parent=parent, by=None)


@row("orgs.unit")
def _unit(world: World) -> Any:
    return unit(world.place.community)


@row("accounts.user")
def _user(world: World) -> Any:
    return person(Role.GRID_WORKER, world.place.grid)


@row("accounts.grant")
def _grant(world: World) -> Any:
    return Grant.objects.get(user=person(Role.GRID_WORKER, world.place.grid))


def _grid(world: World) -> Any:
    """A grid's counts, in a grid of its own: each has one."""
    return grid_profile(world.make("orgs.area"))


@row("grids.gridprofile")
def _grid_profile(world: World) -> Any:
    return _grid(world)


@row("grids.gridpost")
def _grid_post(world: World) -> Any:
    return GridPost.objects.filter(area=_grid(world).area).first()


@row("alliance.agreement")
def _agreement(world: World) -> Any:
    return alliance.draft(world.sides)


@row("alliance.party")
def _party(world: World) -> Any:
    return world.make("alliance.agreement").parties.first()


@row("alliance.clause")
def _clause(world: World) -> Any:
    return world.make("alliance.agreement").clauses.first()


@row("alliance.fulfilment")
def _fulfilment(world: World) -> Any:
    agreement = alliance.signed(world.sides)
    return record_fulfilment(
        clause=agreement.clauses.first(),
        quantity=Decimal(1),
        on=timezone.localdate(),
        source=agreement,
        by=None,
    )


@row("members.member")
def _member(world: World) -> Any:
    return members.member(world.sides)


@row("members.reporting")
def _reporting(world: World) -> Any:
    return members.reported(world.sides)


@row("members.post")
def _post(world: World) -> Any:
    return members.post(world.sides)


@row("members.postclaim")
def _post_claim(world: World) -> Any:
    member = members.reported(world.sides).member
    return claim_post(post=members.post(world.sides), member=member, by=world.sides.worker)


@row("members.servicerecord")
def _service(world: World) -> Any:
    return members.service(world.sides, members.reported(world.sides))


@row("services.item")
def _item(world: World) -> Any:
    return services.item(world.place.community)


@row("services.claim")
def _claim(world: World) -> Any:
    return services.claim(services.item(world.place.community), world.unit)


@row("services.rectification")
def _rectification(world: World) -> Any:
    item = services.item(world.place.community)
    claim = services.claim(item, world.unit, state=ClaimState.RATED, grade=Grade.BAD)
    return claim.rating.rectification


@row("services.ticket")
def _ticket(world: World) -> Any:
    return services.ticket(world.place.community)[0]


@row("reports.review")
def _review(world: World) -> Any:
    return _again(reports.review(world.place.community), world)


@row("reports.run")
def _run(world: World) -> Any:
    return _again(reports.review(world.place.community).run, world)


def _again(computed: Any, world: World) -> Any:
    """The first is computed; those after it are its like of other years, which would take a
    computation of all measures each."""
    key = f"computed {computed._meta.label_lower}"
    if not world.made.get(key):
        return world.made.keep(key, computed)
    computed.pk, computed._state.adding = None, True
    computed.period = str(2000 + next(_serial) % 100)
    computed.save(force_insert=True)
    return computed
