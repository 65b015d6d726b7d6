"""The rows of a scope, asked for at once and rule by rule: the same ones, for everybody."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts.enums import Role
from core.scope import Scope
from services import scopes
from services.enums import ClaimState, Grade
from services.models import Claim, Item, Rectification
from tests.factories import services as make
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def city():
    """Claims of units and communities on needs and offers of both, here, next door and far off."""
    place = small_city()
    near, beside, far = (
        unit(at) for at in (place.community, place.sibling_community, place.other_community)
    )
    for at in (place.community, place.sibling_community, place.other_community, near):
        item = make.item(at, capacity=9)
        for claimant in (near, beside, far):
            if claimant != at:
                make.claim(item, claimant)
    for at in (near, far):
        offer = make.item(at, kind="resource", capacity=9)
        make.claim(offer, place.community)
        make.claim(offer, place.other_community)
    for at, claimant in ((place.community, near), (place.other_community, far)):
        make.claim(make.item(at), claimant, state=ClaimState.RATED, grade=Grade.BAD)
    place.unit = near
    return place


def people(city) -> list:
    return [
        person(Role.COMMUNITY_WORKER, city.community),
        person(Role.UNIT_LIAISON, city.unit),
        person(Role.STREET_OFFICER, city.street),
        person(Role.ORG_DEPARTMENT, city.district),
        person(Role.ORG_DEPARTMENT, city.city),
        person(Role.SYSTEM_ADMIN),
        AnonymousUser(),
    ]


def test_rows_asked_for_rule_by_rule_are_those_asked_for_at_once(city):
    found = 0
    for user in people(city):
        for model, asked in (
            (Claim, (Claim.scope, scopes.PARTIES, scopes.PROVIDER, scopes.RECEIVER, scopes.OFFICE)),
            (Rectification, (Rectification.scope, scopes.RECTIFIER, scopes.CALLER)),
            (Item, (Item.scope, scopes.OWN, scopes.AUTHOR)),
        ):
            for scope in asked:
                for perm in ("services.view", "services.handle", "services.accept"):
                    found += _same(model, scope, user, perm)
    assert found > 100, "the city must have something to show"


@pytest.mark.parametrize(
    "scope",
    [Claim.scope, Rectification.scope, scopes.PARTIES, scopes.PROVIDER, scopes.RECEIVER],
)
def test_no_side_of_a_claim_is_looked_for_beside_the_other(city, scope):
    """An OR over claims and their items reads both tables whole: 230 ms a page of a city's."""
    assert scope.spans
    rows = Rectification.objects if scope is Rectification.scope else Claim.objects
    for at in (city.community, city.district):
        role = Role.COMMUNITY_WORKER if at == city.community else Role.ORG_DEPARTMENT
        asked = scope.admitted(rows.all(), person(role, at), "services.view").query
        assert " UNION ALL " in str(asked)
    whole = scope.admitted(rows.all(), person(Role.ORG_DEPARTMENT, city.city), "services.view")
    assert " UNION ALL " not in str(whole.query), "who reaches a whole city reads it at once"


def test_rules_over_one_table_are_one_condition(city):
    """What is open to the whole city would be gathered before it is narrowed."""
    for scope in (Item.scope, scopes.OWN, scopes.AUTHOR, scopes.CLAIMANT):
        assert not scope.spans
    seen = Item.objects.visible_to(person(Role.COMMUNITY_WORKER, city.community))
    assert " UNION ALL " not in str(seen.query)


def _same(model, scope: Scope, user, perm: str) -> int:
    """How many rows; each once, the same both ways, and still a queryset to go on with."""
    rows = scope.admitted(model.objects.all(), user, perm)
    once = sorted(rows.values_list("pk", flat=True))
    assert once == sorted(model.objects.filter(scope.q(user, perm)).values_list("pk", flat=True))
    assert list(rows.order_by("-pk")[:2].values_list("pk", flat=True)) == once[::-1][:2]
    assert rows.exclude(scope.q(user, perm)).count() == 0
    return len(once)
