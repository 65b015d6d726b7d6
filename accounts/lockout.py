"""How often passwords may be tried: for one name from one place, for one name from anywhere, from one
place for any name (docs/adr/0017-accounts-lock-outs.md).

A try that is refused unread is not counted, so nobody keeps a lock closed by knocking at it, and what
browsers that are strangers to an account use up leaves room for those that have signed in to it.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Any, NamedTuple

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_ip_address, get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.core import signing
from django.db.models import Q, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac

KNOWN_COOKIE = "known"
_KNOWN_DAYS = 90
_KNOWN_NAMES = 8  # of one browser: an office shares its machines
_SALT = "accounts.lockout"
_APART = timedelta(minutes=1)  # the clocks of several hosts, at most


class Measure(NamedTuple):
    """What is counted together, and how much of it closes the way."""

    name: str
    rows: Q
    limit: int


def address_of(request: HttpRequest) -> str:
    """Where the request comes from: the header that `CLIENT_ADDRESS_HEADER` names; empty when that
    is no address. Nothing else that a visitor says of it counts."""
    raw = request.META.get(settings.CLIENT_ADDRESS_HEADER, "").strip()
    try:
        found = ip_address(raw)
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


def place_of(request: HttpRequest) -> str | None:
    """The address as tries are counted by: of IPv6 the /64, for a visitor has all of one."""
    address = address_of(request)
    if ":" not in address:
        return address or None
    return str(ip_network(f"{address}/64", strict=False).network_address)


def name_of(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """The name as tries are counted by. A keyed digest: it may be a password typed into the wrong
    box, and is nobody's to read."""
    typed = (credentials or {}).get("username") or ""
    return salted_hmac(_SALT, typed).hexdigest()


class Handler(AxesDatabaseHandler):
    """The pair of name and place is axes' own; this adds the other two."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        return bool(_full(request, name_of(request, credentials)))

    def user_login_failed(
        self, sender: Any, credentials: dict, request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        super().user_login_failed(sender, credentials, request, **kwargs)
        if request and not request.axes_locked_out and self.is_locked(request, credentials):
            request.axes_locked_out, request.axes_credentials = True, credentials


def closed(request: HttpRequest, username: str) -> tuple[str, int]:
    """Which measure is full for this name from here, and for how many minutes; ("", 0) if none."""
    rows = _rows(request)
    found = "", 0
    for measure in _full(request, name_of(request, {"username": username})):
        kept = rows.filter(measure.rows).order_by("-attempt_time")
        total = 0
        for failures, at in kept.values_list("failures_since_start", "attempt_time"):
            total += failures
            if total >= measure.limit:  # once this row is too old, there is room again
                left = at + (get_cool_off(request) or timedelta()) - timezone.now()
                found = max(
                    found,
                    (measure.name, max(1, ceil(left.total_seconds() / 60))),
                    key=lambda one: one[1],
                )
                break
    return found


def forget(username: str) -> None:
    """Start counting anew for a name, from wherever: its password was set by an administrator."""
    AccessAttempt.objects.filter(username=name_of(None, {"username": username})).delete()


def _full(request: HttpRequest, name: str) -> list[Measure]:
    measures = _measures(request, name)
    sums = _rows(request).aggregate(
        **{m.name: Sum("failures_since_start", filter=m.rows) for m in measures}
    )
    return [m for m in measures if (sums[m.name] or 0) >= m.limit]


def _measures(request: HttpRequest, name: str) -> list[Measure]:
    by_name, by_place = Q(username=name), Q(ip_address=get_client_ip_address(request))
    known = name in _known(request)
    room = settings.SIGN_IN_FAILURES_KNOWN if known else 0
    found = [
        Measure("pair", by_name & by_place, settings.AXES_FAILURE_LIMIT),
        Measure("name", by_name, settings.SIGN_IN_FAILURES_NAME + room),
    ]
    if not known:
        found.append(Measure("place", by_place, settings.SIGN_IN_FAILURES_PLACE))
    return found


def _rows(request: HttpRequest) -> Any:
    """What counts. Tries from the future were made before the clock was set back: they would close
    the way until it is there again. The next try by the same name from the same place brings them
    up to date, and they count on."""
    now = timezone.now()
    since = now - (get_cool_off(request) or timedelta())
    return AccessAttempt.objects.filter(attempt_time__gt=since, attempt_time__lt=now + _APART)


# Browsers that an account has signed in from


def remember(request: HttpRequest, response: HttpResponse, username: str) -> None:
    """Let this browser show from now on that the account has signed in from it. That opens nothing:
    it keeps strangers' failures from standing in the way."""
    name = name_of(request, {"username": username})
    names = [name, *(n for n in _known(request) if n != name)][:_KNOWN_NAMES]
    response.set_cookie(
        KNOWN_COOKIE,
        signing.dumps(names, salt=_SALT),
        max_age=timedelta(days=_KNOWN_DAYS),
        path=settings.LOGIN_URL,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Strict",
    )


def _known(request: HttpRequest) -> list[str]:
    kept = request.COOKIES.get(KNOWN_COOKIE, "")
    try:
        return signing.loads(kept, salt=_SALT, max_age=timedelta(days=_KNOWN_DAYS))
    except signing.BadSignature:
        return []
