"""Bodies that are right but for one row: it lies next door, and is answered as one that is not there.

`tests.attacks.test_references` sends single fields to every form, and a form refuses what is not
whole before anybody looks a row up. Here each body (`tests.attacks.bodies`) is first seen to be
taken as it is; then each of its rows in turn, and the one that the address names, is the like of
it from the neighbours.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model

from accounts.enums import Role
from core.forms import PlaceField
from tests.attacks.bodies import NOBODY, TABLE, Body, Ground, Sent, with_row
from tests.attacks.next_door import MARK, TEXTS, decider_of, mark
from tests.attacks.test_references import without
from tests.attacks.written import changed, prints
from tests.factories.rows import World
from tests.guards.asking import Answer, Visitor

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
TAKEN = {200, 201, 302}


@pytest.fixture(scope="module")
def own(world: World) -> Ground:
    return Ground(world, world.place.community)


@pytest.fixture(scope="module")
def beside(world: World) -> dict[Role, Ground]:
    """Next door, by the reach of who sends: another unit of the same community for a unit, the
    community in the same street, the other street of the district, the other district."""
    place = world.place
    streets = [a for a in place.all.values() if a.parent_id == place.district.pk]
    street = next(s for s in streets if s.pk != place.street.pk)
    there = {
        Role.UNIT_LIAISON: place.community,
        Role.GRID_WORKER: place.sibling_community,
        Role.COMMUNITY_WORKER: place.sibling_community,
        Role.STREET_OFFICER: next(a for a in place.all.values() if a.parent_id == street.pk),
        Role.ORG_DEPARTMENT: place.other_community,
    }
    return {role: Ground(world, community) for role, community in there.items()}


def ask(visitor: Visitor, body: Body, sent: Sent) -> tuple[Answer, set[str]]:
    """The answer, and of what rows were written."""
    before, wrote = prints(), set()
    answer = visitor.ask(
        body.method,
        body.url(sent.obj),
        body.written(sent),
        look=lambda: wrote.update(changed(before, prints())),
    )
    return answer, wrote


@pytest.mark.parametrize("body", TABLE, ids=str)
def test_a_whole_body_is_taken(own, body):
    answer, wrote = ask(Visitor(own.people[body.by]), body, body.sent(own))
    assert answer.status in TAKEN, answer.body
    assert not answer.asks_to_sign_in
    assert body.writes in wrote


@pytest.mark.parametrize("body", TABLE, ids=str)
def test_a_row_of_next_door_is_answered_as_none(own, beside, body):
    user, ground = own.people[body.by], beside[body.by]
    visitor, sent, wrong = Visitor(user), body.sent(own), []
    likes = body.likes(ground)
    mark_what_is_hidden(user, ground)
    for name, like in likes.items():
        if is_public(body, name):
            continue
        like.refresh_from_db()
        assert sees(user, like) == (name in body.seen), f"{name}: whether it is in sight"
        there, not_there = with_row(sent, name, like), with_row(sent, name, NOBODY)
        words = said(body, name, there), said(body, name, not_there)
        got, wrote = ask(visitor, body, there)
        nothing, _ = ask(visitor, body, not_there)
        if without(got, *words) != without(nothing, *words):
            wrong.append(f"{name}: {got.status} tells, of nothing {nothing.status}")
        if wrote:
            wrong.append(f"{name}: writes {wrote}")
        shown = without(got, *words).body
        wrong += [f"{name}: shows {word}" for word in words_of(like) if word in shown]
    assert not wrong, "\n".join(wrong)


def is_public(body: Body, name: str) -> bool:
    """Places of forms that ask for any place there is: their names are no secret."""
    asked = body.form.base_fields.get(name)
    return isinstance(asked, PlaceField) and asked.anywhere


def sees(user: Any, row: Model) -> bool:
    decider = decider_of(row)
    return decider is not None and type(decider).scope.holds(decider, user)


def said(body: Body, name: str, sent: Sent) -> Any:
    """What the sender wrote there themself, and may read again."""
    return sent.obj.pk if name == "pk" and sent.obj is not NOBODY else body.written(sent).get(name)


def words_of(like: Model) -> list[str]:
    number = getattr(like, "number", "")
    return [MARK, number] if isinstance(number, str) and number else [MARK]


def mark_what_is_hidden(user: Any, beside: Ground) -> None:
    """A word in every text next door, another one in each row."""
    people = beside.people.values()
    for label in TEXTS:
        rows = people if label == "accounts.user" else apps.get_model(label)._base_manager.all()
        for row in rows:
            if not sees(user, row):
                mark(row, f"{MARK}{row.pk}")
