"""Coming and going: sign in, sign out, and what the log says of both.

Whatever is tried with a name that nobody has is answered, timed and recorded like a wrong
password. Addresses stand in the audit log and nowhere else.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.db import transaction
from django.http import HttpRequest
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.lockout import address_of
from accounts.models import User
from core import audit

HAS_DEVICE = "second_factor"  # in the session: this person has one, and must show it


def sign_in(request: HttpRequest, *, username: str, password: str) -> User | None:
    """Sign in under a new session. None when name and password do not fit, the account is
    closed, or there were too many attempts (`accounts.lockout`)."""
    user = authenticate(request, username=username, password=password)
    if user is None:
        _record_failure(request, username)
        return None
    with transaction.atomic():
        login(request, user)
        request.session[HAS_DEVICE] = has_second_factor(user)
        audit.record("accounts.user.sign_in", user, by=user, after=_where(request))
    return user


def sign_out(request: HttpRequest, *, reason: str = "") -> None:
    """End the session; `reason` says why when the person did not ask for it."""
    user = request.user
    with transaction.atomic():
        if user.is_authenticated:
            audit.record(
                "accounts.user.sign_out", user, by=user, after=_where(request), reason=reason
            )
        logout(request)


def has_second_factor(user: User) -> bool:
    return TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def _record_failure(request: HttpRequest, username: str) -> None:
    """While locked out, attempts are refused unread: one row says so, not one an attempt."""
    failures = getattr(request, "axes_failures_since_start", None)
    if failures is None:
        return
    # An unknown name is not written down: it may be a password typed into the wrong box.
    account = User.objects.filter(username=username).first() or User(name="未知登录名")
    with transaction.atomic():
        where = {**_where(request), "failures": failures}
        audit.record("accounts.user.sign_in_failed", account, by=None, after=where)
        if request.axes_locked_out:
            audit.record("accounts.user.lock_out", account, by=None, after=where)


def _where(request: HttpRequest) -> dict[str, Any]:
    return {"address": address_of(request)}
