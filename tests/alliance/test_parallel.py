"""Two sides at once, each in a process of its own."""

import pytest

from accounts.models import User
from alliance.actions.agreement import confirm_agreement, renew_agreement
from alliance.models import Agreement
from core.errors import Conflict
from core.models import AuditEvent
from tests.factories import alliance as make
from tests.factories.orgs import small_city
from tests.processes import parallel

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def sign(agreement_id, user_id):
    agreement = Agreement.objects.get(pk=agreement_id)
    user = User.objects.get(pk=user_id)
    return confirm_agreement(agreement=agreement, version=agreement.version, by=user).state


def renew(agreement_id, user_id):
    agreement = Agreement.objects.get(pk=agreement_id)
    user = User.objects.get(pk=user_id)
    return renew_agreement(
        agreement=agreement, ends_on=agreement.ends_on.replace(year=2099), by=user
    ).pk


def test_signing_at_the_same_moment_puts_it_in_force_once():
    sides = make.pair(small_city().community, count=2)
    agreement = make.pending(sides)
    people = [sides.worker, *sides.liaisons]
    states = [f.result() for f in parallel(sign, [(agreement.pk, who.pk) for who in people])]
    assert sorted(states) == ["active", "pending", "pending"]
    assert AuditEvent.objects.filter(action="alliance.agreement.activate").count() == 1


def test_one_side_signing_from_two_desks_signs_once():
    sides = make.pair(small_city().community)
    agreement = make.pending(sides)
    done = parallel(sign, [(agreement.pk, sides.worker.pk)] * 2)
    assert {type(f.exception()) for f in done} == {Conflict, type(None)}
    assert agreement.parties.exclude(confirmed_at=None).count() == 1


def test_renewing_at_the_same_moment_makes_one_renewal():
    sides = make.pair(small_city().community)
    agreement = make.signed(sides)
    done = parallel(renew, [(agreement.pk, sides.worker.pk), (agreement.pk, sides.liaison.pk)])
    assert {type(f.exception()) for f in done} == {Conflict, type(None)}
    assert Agreement.objects.filter(renewed_from=agreement).count() == 1
