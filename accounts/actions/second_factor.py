"""The second factor of others: the security administrator takes it off when it is lost."""

from __future__ import annotations

from django.db import transaction
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User
from core import audit
from core.errors import Refused
from core.scope import require


def reset_second_factor(*, user: User, by: User, reason: str) -> User:
    """Take the authenticator and the recovery codes off an account: its holder enrols anew at
    the next sign-in. Sessions that have shown the old one must show a second factor again.

    Not in the hands that set passwords (`users.reset_password`): nobody alone can enter as
    somebody else.
    """
    require(by, "accounts.grant")
    if user.pk == by.pk:
        raise Refused("不能解除自己的动态口令，请由另一位安全管理员办理。")
    if not reason.strip():
        raise Refused("解除动态口令须填写理由。", field="reason")
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        count, _ = TOTPDevice.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()
        if not count:
            raise Refused(f"“{user}”没有绑定动态口令，无须解除。")
        audit.record("accounts.user.reset_second_factor", user, by=by, reason=reason.strip())
    return user
