"""The people whom a visitor signs in as: one of each role, on places with something to do."""

from __future__ import annotations

import secrets

from accounts.enums import Role
from accounts.models import Grant, User
from core.formats import short_place
from demo.ground import SINCE, Ground


def cast(ground: Ground, password: str) -> list[dict[str, str]]:
    """Create the named accounts; returns their sign-ins. Each gets `password`, or one of its own."""
    home = ground.communities[0]
    unit_id, unit_name = ground.units[home.pk][0]
    partner_id, partner_name = ground.units[home.pk][-1]
    street, district, grid = home.street, home.district, ground.grids[home.pk][0]
    roles = [
        ("org", "组织部", Role.ORG_DEPARTMENT, {"area": ground.city}, ground.city.name),
        ("qu", "区委组织部", Role.ORG_DEPARTMENT, {"area": district}, district.name),
        ("street", "街道干部", Role.STREET_OFFICER, {"area": street}, street.name),
        ("community", "社区书记", Role.COMMUNITY_WORKER, {"area": home}, short_place(home.name)),
        (
            "grid",
            "网格员",
            Role.GRID_WORKER,
            {"area": grid},
            f"{short_place(home.name)}{grid.name}",
        ),
        ("unit", "单位联络员", Role.UNIT_LIAISON, {"unit_id": unit_id}, unit_name),
        ("unit2", "单位联络员", Role.UNIT_LIAISON, {"unit_id": partner_id}, partner_name),
        ("system", "系统管理员", Role.SYSTEM_ADMIN, {}, "全系统"),
        ("security", "安全管理员", Role.SECURITY_ADMIN, {}, "全系统"),
        ("audit", "安全审计员", Role.SECURITY_AUDITOR, {}, "全系统"),
    ]
    sign_ins = []
    for username, name, role, place, where in roles:
        own = password or secrets.token_urlsafe(9)
        user = User.objects.create_user(username=username, password=own, name=name)
        Grant.objects.create(user=user, role=role, starts_on=SINCE, **place)
        sign_ins.append(
            {
                "username": username,
                "password": own,
                "role": str(role),
                "who": Role(role).label,
                "where": where,
            }
        )
    return sign_ins
