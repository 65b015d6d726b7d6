"""Finding: my community, what is open now, by what one needs, by a word."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_cookie

from core.pagination import paginate
from orgs.models import Area
from portal import elder, hours, offers, places
from portal.kept import kept
from portal.progress import IN_A_WORD
from services.enums import ItemKind, ItemState, Topic
from services.models import Item

# (ordinary, 长辈版)
ON_HOME = (3, 2)
ON_PAGE = (20, 8)
KINDS = (ItemKind.SERVICE, ItemKind.RESOURCE, ItemKind.NEED)  # what one can get comes first


@kept
@vary_on_cookie
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What can I get near me, now: for the remembered community, or how to choose one."""
    community = places.remembered(request)
    if community is None:
        return choose(request)
    now = timezone.localtime()
    near = offers.near(community, now, ON_HOME[elder.wanted(request)])
    context = {
        "community": community,
        "near": near,
        "any_open": any(row.opening and row.opening.is_open for row in near),
        "holiday": hours.is_holiday(now),
        "topics": Topic.choices,
    }
    return render(request, "portal/home.html", context)


@kept
@vary_on_cookie
@require_safe
def topics(request: HttpRequest) -> HttpResponse:
    """By what one needs: a page of its own in 长辈版, where home has fewer things."""
    community = places.remembered(request)
    if community is None:
        return redirect("portal:choose")
    return render(request, "portal/topics.html", {"community": community, "topics": Topic.choices})


@kept
@vary_on_cookie
@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """Choose a community: by a word, or step by step down the tree."""
    text = request.GET.get("q", "")
    parent = None
    if (code := request.GET.get("in", "")).isdigit():
        parent = Area.objects.active().filter(code=code[:18]).first()
    found = places.search_communities(text)
    steps = places.below(parent) if not text else []
    while parent is None and len(steps) == 1:  # one city: begin with its districts
        parent = steps[0]
        steps = places.below(parent)
    context = {
        "text": text,
        "found": found,
        "parent": parent,
        "trail": list(Area.objects.above(parent)) if parent else [],
        "steps": steps,
        "next": request.GET.get("next", ""),
    }
    return render(request, "portal/choose.html", context)


@require_safe
def choose_community(request: HttpRequest, code: str) -> HttpResponse:
    """Remember this community and go on to its page, or to the form that asked for it."""
    community = places.community_or_404(code)
    target = "portal:need" if request.GET.get("next") == "need" else "portal:home"
    return places.remember(redirect(target), community)


@kept
@vary_on_cookie
@require_safe
def community(request: HttpRequest, code: str) -> HttpResponse:
    """Everything published in one community; filters in the address, a page at a time."""
    place = places.community_or_404(code)
    if place.code != code:
        return redirect("portal:community", code=place.code)
    rows = Item.objects.published().at(place)
    kind = _known(request.GET.get("kind", ""), ItemKind)
    topic = _known(request.GET.get("topic", ""), Topic)
    text, now_only = request.GET.get("q", "").strip()[:60], request.GET.get("now") == "1"
    if kind:
        rows = rows.filter(kind=kind)
    if topic:
        rows = rows.filter(topic=topic)
    now = timezone.localtime()
    if now_only:
        rows = offers.live(rows, now.date()).open_at(now)
    if text:
        rows = rows.matching(text)
    page = paginate(
        rows,
        ["-published_at"],
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        size=ON_PAGE[elder.wanted(request)],
    )
    context = {
        "community": place,
        "page": page,
        "rows": offers.rows(page.rows, now),
        "kinds": [(kind.value, kind.label) for kind in KINDS],
        "topics": Topic.choices,
        "kind": kind,
        "topic": topic,
        "text": text,
        "now_only": now_only,
    }
    response = render(request, "portal/community.html", context)
    # Who follows a link has found a community; who looks in on another one keeps their own.
    return response if places.remembered(request) else places.remember(response, place)


@kept
@vary_on_cookie
@require_safe
def item(request: HttpRequest, number: str) -> HttpResponse:
    """One published matter, with the columns that are safe for anybody."""
    found = Item.objects.public().filter(number=number).first()
    if found is None:
        raise Http404(f"no public item {number}")
    place = Area.objects.filter(pk=found["community_id"]).first()
    now = timezone.localtime()
    context = {
        "item": found,
        "community": place,
        "opening": hours.opening(found["weekdays"], found["opens_at"], found["closes_at"], now),
        "holiday": hours.is_holiday(now),
        "phone": offers.phone_in(found["contact"]),
        "kind": ItemKind(found["kind"]).label,
        "progress": IN_A_WORD[ItemState(found["state"])],
        "places_left": found["capacity"] - found["claimed"],
    }
    return render(request, "portal/item.html", context)


def _known(value: str, choices) -> str:
    """A value out of the address, or nothing: a mangled link shows the whole list."""
    return value if value in choices.values else ""
