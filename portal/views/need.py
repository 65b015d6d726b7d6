"""Submitting a need: one question a page, check your answers, a number and a secret."""

from __future__ import annotations

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core import sessions
from core.errors import Refused
from orgs.models import Area
from portal import elder, places
from portal.forms import STEPS
from portal.throttle import submissions
from services.actions.tickets import submit_ticket
from services.enums import Topic
from services.models import Item

# In the session: what was answered; what was written or filled in and not yet sent; the outcome.
ANSWERS, DRAFTS, DONE = "need", "need_drafts", "need_done"
LONGEST_DRAFT = 2000
ORDER = list(STEPS)


@never_cache
@require_http_methods(["GET"])
def start(request: HttpRequest) -> HttpResponse:
    """The first unanswered question; the community comes first of all.

    Who comes from an offer (`?item=`) is not asked again what it is about.
    """
    if number := request.GET.get("item", ""):
        _begin_from(request, number)
    if places.remembered(request) is None:
        return redirect("/choose/?next=need")
    answers = request.session.get(ANSWERS, {})
    missing = next((name for name in ORDER if name not in answers), None)
    return redirect("portal:need-step", step=missing) if missing else redirect("portal:need-check")


@never_cache
@require_http_methods(["GET", "POST"])
def step(request: HttpRequest, step: str) -> HttpResponse:
    """One question. An answer that does not fit is shown again with what is wrong."""
    if step not in STEPS:
        return redirect("portal:need")
    community = places.remembered(request)
    if community is None:
        return redirect("/choose/?next=need")
    if request.method == "POST" and elder.FIELD in request.POST:
        return _shown_otherwise(request, step)
    answers, drafts = request.session.get(ANSWERS, {}), request.session.get(DRAFTS, {})
    before = drafts.get(step, answers.get(step, ""))
    form = STEPS[step](request.POST or None, initial={step: before})
    if request.method == "POST" and form.is_valid():
        request.session[ANSWERS] = {**answers, step: form.cleaned_data[step]}
        request.session[DRAFTS] = {n: text for n, text in drafts.items() if n != step}
        following = ORDER[ORDER.index(step) + 1 :]
        unanswered = next((n for n in following if n not in answers), None)
        if unanswered and request.POST.get("back") != "check":
            return redirect("portal:need-step", step=unanswered)
        return redirect("portal:need-check")
    place = ORDER.index(step)
    context = {
        "form": form,
        "step": step,
        "community": community,
        "number": place + 1,
        "of": len(ORDER) + 1,
        "previous": ORDER[place - 1] if place else None,
        "back": request.POST.get("back") or request.GET.get("back", ""),
    }
    return render(request, "portal/need_step.html", context, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Check your answers; sending twice makes one ticket, because the answers go with the first,
    in the transaction that writes it."""
    community = places.remembered(request)
    answers = request.session.get(ANSWERS, {})
    if community is None or any(name not in answers for name in ORDER):
        return redirect(
            "portal:need-done" if not answers and DONE in request.session else "portal:need"
        )
    problem, amend = "", ""
    if request.method == "POST":
        try:
            submissions.hit(request)
            with sessions.held(request.session):
                _send(request.session, community)
        except Refused as refused:
            problem = str(refused)
            amend = refused.field if refused.field in STEPS else ""
        else:
            return redirect("portal:need-done")
    context = {
        "community": community,
        "topic": Topic(answers["topic"]).label,
        "content": answers["content"],
        "phone": answers["phone"],
        "problem": problem,
        "amend": amend,
    }
    return render(request, "portal/need_check.html", context, status=400 if problem else 200)


@never_cache
@require_http_methods(["GET"])
def done(request: HttpRequest) -> HttpResponse:
    """The number and the secret, until this browser is closed or sends another need."""
    if DONE not in request.session:
        return redirect("portal:home")
    number, secret, community = request.session[DONE]
    context = {"number": number, "secret": secret, "community_name": community}
    return render(request, "portal/need_done.html", context)


def _send(session: SessionBase, community: Area) -> None:
    answers = session.pop(ANSWERS, None)
    if answers is None:  # sent by a second finger on the button, a moment ago
        return
    ticket, secret = submit_ticket(community=community, **answers)
    session.pop(DRAFTS, None)
    session[DONE] = [ticket.number, secret, community.name]


def _begin_from(request: HttpRequest, number: str) -> None:
    """Fill in what the offer tells already: its topic, and its name in the resident's words."""
    found = Item.objects.public().filter(number=number).values("title", "topic").first()
    if found is None:
        return
    request.session[ANSWERS] = {"topic": found["topic"]}
    request.session[DRAFTS] = {"content": f"我想要“{found['title']}”（{number}）。"}


def _shown_otherwise(request: HttpRequest, step: str) -> HttpResponse:
    """The same question in the other version, with what was typed so far and not yet judged."""
    drafts = request.session.get(DRAFTS, {})
    typed = request.POST.get(step, "")[:LONGEST_DRAFT]
    request.session[DRAFTS] = {**drafts, step: typed}
    back = "?back=check" if request.POST.get("back") == "check" else ""
    response = redirect(reverse("portal:need-step", args=[step]) + back)
    return elder.switch(request, response, on=request.POST[elder.FIELD] == "1")
