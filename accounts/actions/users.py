"""Accounts: the system administrator opens and closes them, and sets a first password.

Nobody does so for their own account; what one may do for oneself is in `own`.
"""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import lockout
from accounts.models import User
from core import audit
from core.errors import Conflict, Refused
from core.scope import require


def create_user(*, by: User, username: str, name: str, password: str, email: str = "") -> User:
    """Open an account. Its password serves for the first sign-in alone and must then be changed.

    Raises `Refused` when the name is taken or the password too weak.
    """
    require(by, "accounts.manage")
    user = User(username=username.strip().lower(), name=name.strip(), email=email)
    with transaction.atomic():
        _check(user)
        check_password_of(user, password)
        user.set_password(password)
        user.must_change_password = True
        user.save()
        audit.record("accounts.user.create", user, by=by, after=audit.snapshot(user))
    return user


def update_user(*, user: User, by: User, name: str, email: str = "") -> User:
    """Change what an account is called and where its mail goes."""
    with transaction.atomic():
        user = _of_another(user, by)
        before = audit.snapshot(user)
        user.name, user.email = name.strip(), email
        _check(user)
        user.save(update_fields=["name", "email"])
        after = audit.snapshot(user)
        audit.record("accounts.user.update", user, by=by, before=before, after=after)
    return user


def reset_password(*, user: User, by: User, password: str) -> User:
    """Give an account a new first password. Every session of it ends with the next request, and
    failures to sign in with the old one are forgotten.

    The second factor stays: it is the security administrator's to take off
    (`second_factor.reset_second_factor`), so that neither alone can enter as somebody else.
    """
    with transaction.atomic():
        user = _of_another(user, by)
        check_password_of(user, password)
        user.set_password(password)
        user.must_change_password = True
        user.save(update_fields=["password", "must_change_password"])
        lockout.forget(user.username)
        audit.record("accounts.user.reset_password", user, by=by)
    return user


def deactivate(*, user: User, by: User, reason: str) -> User:
    """Close an account: it signs in no more, its sessions end, its grants reach nothing."""
    return _switch(user, by, reason, active=False)


def activate(*, user: User, by: User, reason: str) -> User:
    """Open a closed account again, with the grants that still run."""
    return _switch(user, by, reason, active=True)


def check_password_of(user: User, password: str) -> None:
    """Raises `Refused` at the field `password`, with the validators' sentences."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused("".join(error.messages), field="password") from error


def _switch(user: User, by: User, reason: str, *, active: bool) -> User:
    verb, label = ("activate", "启用") if active else ("deactivate", "停用")
    if not reason.strip():
        raise Refused(f"{label}账号须填写理由。", field="reason")
    with transaction.atomic():
        user = _of_another(user, by)
        if user.is_active == active:
            raise Conflict(f"账号“{user}”已经{label}，请刷新页面查看。")
        before = audit.snapshot(user)
        user.is_active = active
        user.save(update_fields=["is_active"])
        audit.record(
            f"accounts.user.{verb}",
            user,
            by=by,
            before=before,
            after=audit.snapshot(user),
            reason=reason.strip(),
        )
    return user


def _of_another(user: User, by: User) -> User:
    """The account, locked, once it is clear that `by` may administer it."""
    require(by, "accounts.manage", user)
    if user.pk == by.pk:
        raise Refused("不能管理自己的账号，请由另一位系统管理员办理。")
    return User.objects.select_for_update().get(pk=user.pk)


def _check(user: User) -> None:
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise Refused("".join(messages), field=field) from error
