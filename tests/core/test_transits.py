"""Transitions on pages: what is offered, the reason page, the dialogue, and being second."""

import pytest

from core.models import AuditEvent
from core.transitions import MACHINES, Machine, Transition
from orgs.enums import UnitState
from tests.core.browsing import flush, htmx, signed_in, text
from tests.factories.accounts import person
from tests.factories.orgs import dated, small_city, unit

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.pages")]
UNITS = "/console/orgs/units/"


@pytest.fixture(autouse=True)
def _table():
    """A table of transitions for member units, in the place of their own if they have one."""
    own = MACHINES.pop("orgs.unit", None)
    Machine(
        "orgs.Unit",
        states=UnitState,
        transitions=[
            Transition(
                "leave",
                "迁出",
                ["active"],
                "left",
                perm="units.edit",
                reason=True,
                tone="danger",
                hint="迁出后不再参加认领。",
                guard=lambda obj, by: "还有未完成的事项，请先办结。" if "忙" in obj.name else None,
                apply=dated,
            ),
            Transition("come", "迁入", ["left"], "active", perm="units.edit", apply=dated),
            Transition("expire", "注销", ["active"], "left", apply=dated),
        ],
    )
    yield
    MACHINES.pop("orgs.unit")
    if own:
        MACHINES["orgs.unit"] = own


@pytest.fixture
def place():
    return small_city()


@pytest.fixture
def client(place):
    return signed_in(person("street_officer", place.street))


def test_the_detail_offers_what_the_table_allows_from_here(client, place):
    page = text(client.get(f"{UNITS}{unit(place.community, '甲').pk}/"))
    assert "迁出" in page
    assert "迁入" not in page
    assert "注销" not in page  # the system's own
    assert "在册 （当前） 已迁出 （未开始）" in page


def test_what_a_guard_forbids_is_there_disabled_and_says_why(client, place):
    busy = unit(place.community, "忙碌单位")
    page = client.get(f"{UNITS}{busy.pk}/").content.decode()
    assert 'disabled aria-describedby="why-leave"' in page
    assert "还有未完成的事项，请先办结。" in page
    alone = client.get(f"{UNITS}{busy.pk}/do/leave/")
    assert "还有未完成的事项" in text(alone)
    assert "确认迁出" not in text(alone)


def test_the_button_says_confirm_once():
    said = [Transition("take", label, ["a"], "b").confirmation for label in ("确认报到", "退回")]
    assert said == ["确认报到", "确认退回"]


def test_without_right_there_is_no_button_and_no_way(place):
    mine = unit(place.community, "甲")
    liaison = signed_in(person("unit_liaison", mine))
    assert "do/leave/" not in liaison.get(f"{UNITS}{mine.pk}/").content.decode()
    for method in (liaison.get, liaison.post):
        assert method(f"{UNITS}{mine.pk}/do/leave/").status_code == 403


def test_unknown_steps_the_systems_own_and_foreign_objects_are_404(client, place):
    mine, foreign = unit(place.community), unit(place.other_community)
    for address in (f"{mine.pk}/do/fly/", f"{mine.pk}/do/expire/", f"{foreign.pk}/do/leave/"):
        assert client.get(UNITS + address).status_code == 404
        assert client.post(UNITS + address).status_code == 404


def test_the_reason_page_works_without_script(client, place):
    mine = unit(place.community, "甲")
    address = f"{UNITS}{mine.pk}/do/leave/"
    page = text(client.get(address))
    assert "迁出：甲" in page
    assert "迁出后不再参加认领。" in page
    response = client.post(address, {"reason": "搬到外区"}, follow=True)
    assert response.redirect_chain == [(f"{UNITS}{mine.pk}/", 302)]
    shown = text(response)
    assert "已迁出。" in shown
    assert "搬到外区" in shown  # the timeline
    mine.refresh_from_db()
    assert mine.state == "left"


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_missing_reason_is_asked_for(client, place, reason):
    mine = unit(place.community)
    response = client.post(f"{UNITS}{mine.pk}/do/leave/", {"reason": reason})
    assert response.status_code == 422
    assert "迁出须填写理由。" in text(response)
    mine.refresh_from_db()
    assert mine.state == "active"


def test_who_comes_second_is_told_and_keeps_what_was_typed(client, place):
    mine = unit(place.community, "甲")
    address = f"{UNITS}{mine.pk}/do/leave/"
    client.post(address, {"reason": "先"})
    response = client.post(address, {"reason": "后到的理由"})
    assert response.status_code == 409
    shown = text(response)
    assert "当前状态是“已迁出”，不能迁出" in shown
    assert "后到的理由" in shown
    assert "确认迁出" not in shown
    assert AuditEvent.objects.filter(action="orgs.unit.leave").count() == 1


def test_the_dialogue_is_the_same_form_and_swaps_the_page_when_done(client, place):
    mine = unit(place.community, "甲")
    address = f"{UNITS}{mine.pk}/do/leave/"
    part = client.get(address, **htmx("dialog")).content.decode().strip()
    assert part.startswith('<h2 id="dialog-title">迁出</h2>')
    assert f'hx-post="{address}"' in part
    wrong = client.post(address, {"reason": ""}, **htmx("dialog"))
    assert wrong.status_code == 422
    assert wrong.content.decode().strip().startswith('<h2 id="dialog-title">')
    done = client.post(address, {"reason": "搬走"}, **htmx("dialog"))
    assert done.status_code == 204
    assert f'"path":"{UNITS}{mine.pk}/"' in done["HX-Location"]
    body = client.get(f"{UNITS}{mine.pk}/", **htmx("page")).content.decode().strip()
    assert body.startswith('<main id="page"')
    assert "已迁出。" in flush(body)
