"""The resident's community: chosen by name, remembered in a cookie, never tied to a person."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Case, IntegerField, Q, Value, When
from django.http import Http404, HttpRequest, HttpResponse

from core.prepared import Prepared
from orgs.models import Area

COOKIE = "community"
YEAR = 365 * 24 * 3600
FOUND_AT_MOST = 30


def remembered(request: HttpRequest) -> Area | None:
    """The community of this browser, if it chose one that still stands."""
    code = request.COOKIES.get(COOKIE, "")
    if not code.isdigit() or len(code) > 18:
        return None
    return next(iter(_standing(code=code)), None)


def remember(response: HttpResponse, community: Area) -> HttpResponse:
    """Keep the choice for a year. It is the code of a place: nothing about the visitor."""
    response.set_cookie(
        COOKIE,
        community.code,
        max_age=YEAR,
        samesite="Lax",
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


def community_or_404(code: str) -> Area:
    """A community by its division code; one that was merged leads to its successor."""
    area = next(iter(_coded(code=code)), None)
    for _ in range(5):  # a chain of mergers longer than that is a fault in the data
        if area is None or area.state == "active":
            break
        area = area.successor
    if area is None or area.state != "active" or area.kind != "community":
        raise Http404(f"no community {code}")
    return area


def search_communities(text: str) -> list[Area]:
    """Communities whose name, pinyin or initials hold `text`; those that begin with it first."""
    text = text.strip().lower()[:40]
    if not text:
        return []
    begins = Q(name__startswith=text) | Q(initials__startswith=text) | Q(pinyin__startswith=text)
    found = begins | Q(name__contains=text) | Q(street__name__startswith=text)
    if text.isascii():
        found |= Q(pinyin__contains=text)
    return list(
        _communities()
        .filter(found)
        .annotate(rank=Case(When(begins, Value(0)), default=Value(1), output_field=IntegerField()))
        .order_by("rank", "code")[:FOUND_AT_MOST]
    )


def below(area: Area | None) -> list[Area]:
    """The places one step down on the way to a community: cities, districts, streets."""
    step = Area.objects.active().filter(
        parent=area, kind__in=("city", "district", "street", "community")
    )
    return list(step.order_by("code"))


def _communities():
    return Area.objects.active().filter(kind="community").select_related("street", "district")


# Every page asks one of these, or both.
_standing = Prepared(lambda code: _communities().filter(code=code).order_by())
_coded = Prepared(
    lambda code: (
        Area.objects.filter(kind="community", code=code)
        .select_related("successor", "street")
        .order_by()
    )
)
