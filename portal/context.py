"""What every page of the portal knows, its error pages too: so nothing here asks the database."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest

from portal import elder

# Where the public looks the numbers up; the rules on filing ask for these links.
ICP_REGISTER = "https://beian.miit.gov.cn/"
POLICE_REGISTER = "https://beian.mps.gov.cn/"


class Site(NamedTuple):
    """Who answers for the site. What is not set is empty, and is not shown."""

    owner: str
    operator: str
    code: str
    icp: str
    icp_url: str
    police: str
    police_url: str
    demo: bool  # a trial: it says that these are missing, where a real site keeps silent


def portal(request: HttpRequest) -> dict[str, Any]:
    """`portal.elder` (bool), `portal.switch` (address), `portal.site`."""
    return {
        "portal": {
            "elder": elder.wanted(request),
            "switch": elder.address(request),
            "site": site(),
        }
    }


def site() -> Site:
    police = settings.SITE_POLICE
    return Site(
        owner=settings.SITE_OWNER,
        operator=settings.SITE_OPERATOR,
        code=settings.SITE_CODE,
        icp=settings.SITE_ICP,
        icp_url=ICP_REGISTER,
        police=police,
        police_url=_police_record(police),
        demo=settings.DEMO,
    )


def _police_record(number: str) -> str:
    """The register's page of this very site: it is asked for by the digits of the number."""
    digits = "".join(re.findall(r"\d", number))
    return f"{POLICE_REGISTER}#/query/webSearch?code={digits}" if digits else POLICE_REGISTER
