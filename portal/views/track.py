"""Following a need by its number and secret, and rating how it ended."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.errors import Refused
from portal.forms import RateForm, TrackForm
from portal.progress import STEPS, progress_of
from portal.throttle import lookups
from services.actions.tickets import find_ticket, rate_by_ticket
from services.models import Ticket

KEY = "ticket"  # number and secret of the ticket that this browser follows


@never_cache
@require_http_methods(["GET", "POST"])
def track(request: HttpRequest) -> HttpResponse:
    """Ask for number and secret. A wrong pair says that the two do not fit, not which."""
    form = TrackForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        number = form.cleaned_data["number"]
        secret = form.cleaned_data["secret"]
        try:
            lookups.hit(request)
            find_ticket(number, secret)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            request.session[KEY] = [number, secret]
            return redirect("portal:ticket")
    return render(request, "portal/track.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET"])
def ticket(request: HttpRequest) -> HttpResponse:
    """How far the matter is, in plain words."""
    found = _followed(request)
    if found is None:
        return redirect("portal:track")
    return _page(request, found, RateForm())


@never_cache
@require_http_methods(["GET", "POST"])
def rate(request: HttpRequest) -> HttpResponse:
    """One rating a matter, by whoever holds the secret. A look leads to where it is given."""
    found = _followed(request) if request.method == "POST" else None
    if found is None:
        return redirect("portal:ticket")
    form = RateForm(request.POST)
    if form.is_valid():
        number, secret = request.session[KEY]
        try:
            rate_by_ticket(number=number, secret=secret, **form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        else:
            return redirect("portal:ticket")
    return _page(request, found, form)


def _page(request: HttpRequest, found: Ticket, form: RateForm) -> HttpResponse:
    context = {
        "ticket": found,
        "progress": progress_of(found),
        "steps": STEPS,
        "topic": found.get_topic_display(),
        "form": form,
    }
    return render(request, "portal/ticket.html", context, status=400 if form.errors else 200)


def _followed(request: HttpRequest) -> Ticket | None:
    number, secret = request.session.get(KEY, ("", ""))
    try:
        return find_ticket(number, secret) if number else None
    except Refused:
        return None
