"""What people do with their own account: the password and the second factor."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django_otp import login as show_device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.actions.signing import HAS_DEVICE, has_second_factor
from accounts.actions.users import check_password_of
from accounts.models import User
from core import audit
from core.errors import Conflict, Refused
from core.throttle import forget_tries, one_more_try

RECOVERY_CODES = 10
# A screen left open is no place to try the password of its owner.
_TRIES, _MOST_TRIES, _WINDOW = "own-password", 5, timedelta(minutes=15)


def change_password(request: HttpRequest, *, user: User, present: str, password: str) -> User:
    """Set a new password. Every other session of the account ends; this one goes on under a new
    key. Raises `Refused` when the present one is wrong or was wrong too often, or the new one too
    weak or no new one."""
    who = str(user.pk)
    if one_more_try(_TRIES, who, _WINDOW) > _MOST_TRIES:
        raise Refused("现密码输错次数过多，请 15 分钟后再试。", field="present")
    if not user.check_password(present):
        with transaction.atomic():
            audit.record("accounts.user.change_password_failed", user, by=user)
        raise Refused("现密码不正确，请重新输入。", field="present")
    forget_tries(_TRIES, who)
    if present == password:
        raise Refused("新密码不能与现密码相同。", field="password")
    check_password_of(user, password)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        user.set_password(password)
        user.must_change_password = False
        user.save(update_fields=["password", "must_change_password"])
        update_session_auth_hash(request, user)
        audit.record("accounts.user.change_password", user, by=user)
    return user


def pending_device(user: User) -> TOTPDevice:
    """The authenticator that the person is about to enrol: the same until it is confirmed."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two tabs, one device
        device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
        return device or TOTPDevice.objects.create(user=user, name="动态口令", confirmed=False)


def confirm_device(request: HttpRequest, *, user: User, token: str) -> list[str]:
    """Enrol the pending authenticator with a first code from it, in place of any other. Returns
    the recovery codes, which are shown this once."""
    with transaction.atomic():
        device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
        if device is None:
            raise Conflict("这次绑定已经完成或已取消，请重新打开绑定页面。")
        accepted = device.verify_token(token)
        if accepted:
            TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
            device.confirmed = True
            device.save(update_fields=["confirmed"])
            codes = _fresh_codes(user)
            audit.record("accounts.user.enrol_second_factor", user, by=user)
    if not accepted:
        raise Refused(_why_not(device, "验证码不正确"), field="token")
    _shown(request, device)
    return codes


def verify_second_factor(request: HttpRequest, *, user: User, token: str) -> None:
    """Pass with a code of the authenticator or one of the recovery codes. Each works once: a
    code that was seen over a shoulder or on the wire is refused the second time."""
    token = "".join(token.split()).lower()
    by_code = token.isascii() and token.isdigit()
    kind = TOTPDevice if by_code else StaticDevice
    with transaction.atomic():
        device = kind.objects.select_for_update().filter(user=user, confirmed=True).first()
        accepted = device is not None and device.verify_token(token)
        verb = "verify_second_factor" if accepted else "second_factor_failed"
        audit.record(
            f"accounts.user.{verb}",
            user,
            by=user,
            after={"by": "动态口令" if by_code else "恢复码"},
        )
    if not accepted:
        raise Refused(_why_not(device, "验证码不正确或已经用过"), field="token")
    _shown(request, device)


def new_recovery_codes(*, user: User) -> list[str]:
    """Ten fresh codes; the former ones are void. Returned once, to be shown once."""
    if not has_second_factor(user):
        raise Refused("请先绑定动态口令。")
    with transaction.atomic():
        codes = _fresh_codes(user)
        audit.record("accounts.user.new_recovery_codes", user, by=user)
    return codes


def recovery_codes_left(user: User) -> int:
    return StaticToken.objects.filter(device__user=user).count()


def _fresh_codes(user: User) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="恢复码")
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


def _shown(request: HttpRequest, device: TOTPDevice | StaticDevice) -> None:
    """The session has shown its second factor; it goes on under a new key."""
    request.session.cycle_key()
    request.session[HAS_DEVICE] = True
    show_device(request, device)


def _why_not(device: TOTPDevice | StaticDevice | None, wrong: str) -> str:
    allowed, detail = device.verify_is_allowed() if device else (True, None)
    if allowed:
        return f"{wrong}，请输入新的验证码。"
    until = detail["locked_until"]
    seconds = max(1, round((until - timezone.now()).total_seconds()))
    return f"{wrong}。为防猜测，请等待 {seconds} 秒后再试。"
