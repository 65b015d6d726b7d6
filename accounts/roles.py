"""What each role may do: the one table of permissions.

A permission is `room.verb`. A role is granted on an area (and all below it), on a unit, or,
for the three administrator duties, on nothing. `tests/guards` holds that every permission
named in the code stands here and that every one here is used.
"""

from __future__ import annotations

from accounts.enums import Role

# Views of lists that an office keeps together; whoever holds a role on a place has a share in them.
_OFFICE = {"lists.share"}
# Looking is separate from doing: an organisation department reviews, it does not do the work.
_LOOK = {
    "orgs.view",
    "units.view",
    "grids.view",
    "services.view",
    "alliance.view",
    "members.view",
    "reports.view",
}
_COMMUNITY_WORK = {
    "orgs.divide",  # draw grids and building groups: create, rename, move, retire them
    "grids.edit",  # households, members, posts of the grids
    "services.draft",  # write and submit items of one's own place or unit
    "services.claim",  # claim what the other side published
    "services.handle",  # carry a claimed matter from contact to acceptance
    "services.accept",  # accept the result, close the matter
    "services.tickets",  # take or decline what residents ask for
    "alliance.draft",  # draft and change agreements not yet in force
    "alliance.confirm",  # sign for one's own side
    "members.receive",  # accept or return a report, record and confirm service
    "members.post",  # publish posts
    "members.claim",  # put members on posts: a unit its own, a community those who report to it
}

PERMISSIONS: dict[str, frozenset[str]] = {
    Role.SYSTEM_ADMIN: frozenset({"accounts.view", "accounts.manage", "jobs.all", "workdays.edit"}),
    Role.SECURITY_ADMIN: frozenset({"accounts.view", "accounts.grant"}),
    Role.SECURITY_AUDITOR: frozenset({"accounts.view", "audit.view"}),
    Role.ORG_DEPARTMENT: frozenset(
        _LOOK
        | _OFFICE
        | {
            "orgs.edit",  # create, rename, move, retire divisions down to the community
            "orgs.divide",
            "units.edit",
            "reports.run",
            "reports.submit",  # a district's own review, to the city
            "reports.approve",
            "reports.export",
            "members.unmask",
        }
    ),
    Role.STREET_OFFICER: frozenset(
        _LOOK
        | _OFFICE
        | {
            "orgs.edit",
            "orgs.divide",
            "units.edit",
            "services.review",  # publish or return what communities and units submit
            "services.draft",
            "services.claim",
            "services.handle",
            "services.accept",
            "services.tickets",
            "alliance.draft",
            "alliance.confirm",
            "alliance.end",
            "members.register",  # for units that cannot: those who live in the street
            "members.receive",
            "members.post",
            "grids.edit",
            "reports.submit",
            "reports.export",
        }
    ),
    Role.COMMUNITY_WORKER: frozenset(
        _LOOK | _OFFICE | _COMMUNITY_WORK | {"units.edit", "services.review", "reports.export"}
    ),
    Role.GRID_WORKER: frozenset(
        _OFFICE | {"orgs.view", "grids.view", "services.view", "services.draft"}
    ),
    Role.UNIT_LIAISON: frozenset(
        _OFFICE
        | {
            "units.view",
            "services.view",
            "services.draft",
            "services.claim",
            "services.handle",
            "services.accept",  # what was done for the unit; closing is the community's
            "alliance.view",
            "alliance.draft",
            "alliance.confirm",
            "members.view",
            "members.register",  # register in-service members, send their reports
            "members.claim",  # claim posts for them
        }
    ),
}

AREA_ROLES = (
    Role.ORG_DEPARTMENT,
    Role.STREET_OFFICER,
    Role.COMMUNITY_WORKER,
    Role.GRID_WORKER,
)
# Roles whose holders must have a second factor before they may do anything.
SECOND_FACTOR = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.SECURITY_AUDITOR, Role.ORG_DEPARTMENT)
