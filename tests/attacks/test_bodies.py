"""Bodies that are right but for one row: it lies next door, and is answered as one that is not there.

`tests.attacks.test_references` sends single fields to every form, and a form refuses what is not
whole before anybody looks a row up. Here each body (`tests.attacks.bodies`) is first seen to be
taken as it is; then each of its rows in turn, and the one that the address names, is the like of
it from the neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.db.models import Model
from django.urls import reverse

from accounts.enums import Role
from core import places
from core.checks import CHECKS
from core.forms import PlaceField
from core.scope import reach_of
from core.transitions import MACHINES
from tests.attacks.bodies import TABLE
from tests.attacks.next_door import MARK, TEXTS, decider_of, form_at, mark
from tests.attacks.test_references import without
from tests.attacks.whole import (
    IN_WORDS,
    NO_ID,
    NOBODY,
    Body,
    Ground,
    Sent,
    named_in,
    names_rows,
    with_row,
)
from tests.attacks.written import changed, prints
from tests.factories.rows import World
from tests.guards.asking import Answer, Visitor
from tests.guards.declared import is_transit
from tests.guards.project import routes

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
REFUSED = {400, 422}


@pytest.fixture(scope="module")
def own(world: World) -> Ground:
    return Ground(world, world.place.community)


@pytest.fixture(scope="module")
def beside(world: World) -> dict[Role | None, Ground]:
    """Next door, by the reach of who sends: another unit of the same community for a unit, the
    community in the same street, the other street of the district, the other district."""
    place = world.place
    streets = [a for a in place.all.values() if a.parent_id == place.district.pk]
    street = next(s for s in streets if s.pk != place.street.pk)
    there = {
        Role.UNIT_LIAISON: place.community,
        None: place.sibling_community,
        Role.COMMUNITY_WORKER: place.sibling_community,
        Role.STREET_OFFICER: next(a for a in place.all.values() if a.parent_id == street.pk),
        Role.ORG_DEPARTMENT: place.other_community,
    }
    return {role: Ground(world, community) for role, community in there.items()}


def public_fields(body: Body) -> list[str]:
    """Places of forms that ask for any place there is: their names are no secret."""
    asked = body.fields.items()
    return [name for name, f in asked if isinstance(f, PlaceField) and f.anywhere]


def ask(visitor: Visitor, body: Body, sent: Sent, at: str = "") -> tuple[Answer, set[str]]:
    """The answer, and of what rows were written."""
    before, wrote = prints(), set()
    answer = visitor.ask(
        body.method,
        body.url(sent.obj) + at,
        body.written(sent),
        look=lambda: wrote.update(changed(before, prints())),
    )
    return answer, wrote


@pytest.mark.parametrize("body", TABLE, ids=str)
def test_a_whole_body_is_taken(own, body):
    answer, wrote = ask(Visitor(own.people.get(body.by)), body, body.sent(own))
    assert answer.status == body.taken, answer.body
    assert not answer.asks_to_sign_in
    assert body.writes in wrote


@pytest.mark.parametrize("body", TABLE, ids=str)
def test_a_row_of_next_door_is_answered_as_none(own, beside, body):
    user, ground = own.people.get(body.by), beside[body.by]
    visitor, sent, wrong = Visitor(user), body.sent(own), []
    likes = body.likes(ground)
    mark_what_is_hidden(user, ground)
    for name, like in likes.items():
        if name in public_fields(body):
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


@pytest.mark.parametrize("body", [b for b in TABLE if b.once], ids=str)
def test_what_may_stand_once_is_refused_without_a_word_of_whose_it_is(own, beside, body):
    """That a code or a number is registered has to be said; with whom, has not."""
    user, ground = own.people[body.by], beside[body.by]
    sent = body.sent(own)
    texts = {name: text(ground) for name, text in body.once.items()}
    mark_what_is_hidden(user, ground)
    for name, text in texts.items():
        answer, wrote = ask(Visitor(user), body, sent._replace(data={**sent.data, name: text}))
        assert answer.status in REFUSED
        assert MARK not in answer.body
        assert not wrote


@pytest.mark.parametrize("body", [b for b in TABLE if public_fields(b)], ids=str)
def test_a_place_that_anybody_may_name_tells_nothing_of_what_lies_there(own, beside, body):
    user, ground = own.people[body.by], beside[body.by]
    sent, likes = body.sent(own), body.likes(ground)
    mark_what_is_hidden(user, ground)
    for name in public_fields(body):
        answer, _ = ask(Visitor(user), body, with_row(sent, name, likes[name]))
        # 403 is the API's word for what would lie out of reach once it is saved.
        assert answer.status in {body.taken, 403, *REFUSED}
        assert MARK not in answer.body


@pytest.mark.parametrize("body", [b for b in TABLE if b.at_place], ids=str)
def test_a_whole_body_sent_at_a_place_of_next_door_is_answered_as_at_none(own, beside, body):
    """The place that the address chooses is one more row that is named."""
    user, sent = own.people[body.by], body.sent(own)
    like, visitor = beside[body.by].place.community, Visitor(user)
    assert not sees(user, like)
    answers = {}
    for key in (str(like.pk), like.code, str(NO_ID)):
        answers[key], wrote = ask(visitor, body, sent, at=f"?{places.PARAM}={key}")
        assert not wrote
    assert len(set(answers.values())) == 1


# Live checks of fields: what form is asked about (`about`), and a text that is right for it.
CHECKED: dict[str, tuple[Callable[[Ground], Model], Callable[[Any], str]]] = {
    "credit-code": (lambda at: at.unit, lambda unit: unit.credit_code),
    "area-code": (lambda at: at.place.community, lambda area: f"{area.code}099"),
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_about_a_row_of_next_door_is_answered_as_one_about_none(own, beside, name):
    pick, text = CHECKED[name]
    visitor = Visitor(own.people[Role.COMMUNITY_WORKER])
    mine, like = pick(own), pick(beside[Role.COMMUNITY_WORKER])
    url = reverse("console:check", args=[name])

    def answer(row: Model, about: int) -> Answer:
        return visitor.ask("get", url, {"field": "q", "q": text(row), "about": about})

    assert answer(mine, mine.pk) != answer(mine, NO_ID), "it makes no difference at all"
    assert answer(like, like.pk) == answer(like, NO_ID)


# That there is a body for each form

# Forms that name rows without a body here, and why none of it would be an attack.
NO_BODY = {
    "accounts:grant-add": "who gives grants sees every account and every place",
    "accounts:user-grant": "who gives grants sees every account and every place",
}


def test_each_form_that_names_rows_has_a_body(own):
    named = {
        (address, name)
        for address, form in forms_sent()
        for name, asked in form.base_fields.items()
        if names_rows(name, asked)
    }
    here = {(body.address, name) for body in TABLE for name in named_in(body.sent(own))}
    missing = sorted(f"{at}: {name}" for at, name in named - here if at not in NO_BODY)
    assert not missing, "give them a body in tests/attacks/bodies.py:\n" + "\n".join(missing)
    assert set(NO_BODY) <= {at for at, _ in named}, "is gone: take the reason away"


def test_who_gives_grants_has_nothing_next_door(world):
    assert reach_of(world.people[Role.SECURITY_ADMIN], "accounts.grant").everywhere


def test_what_is_known_of_single_fields_is_still_so(own):
    used = set()
    for body in TABLE:
        sent = body.sent(own)
        assert {*body.hidden, *body.seen, *body.once} <= {*sent.data, "pk"}, body
        used |= named_in(sent)
    assert set(IN_WORDS) <= used


def forms_sent() -> Iterator[tuple[str, type[forms.Form]]]:
    """Each form that is sent to an address, by the address as a body names it."""
    for route in routes():
        if is_transit(route):
            steps = MACHINES[route.model._meta.label_lower].transitions.values()
            asked = [(f"{route.name}/{step.name}", form_at(route, step, "post")) for step in steps]
        else:
            methods = route.methods & {"post", "patch"}
            asked = [(route.name, form_at(route, route.step, method)) for method in methods]
        if exporter := route.declared.get("exporter"):
            asked = [(route.name, exporter.form)]
        yield from ((at, form) for at, form in asked if form)


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
