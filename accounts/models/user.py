from __future__ import annotations

from datetime import date
from functools import cached_property

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from accounts.enums import DUTIES
from accounts.roles import PERMISSIONS, SECOND_FACTOR
from core.prepared import Prepared
from core.scope import AreaRule, OwnRule, Reach, Scope, ScopedQuerySet, UnitRule
from orgs.enums import STAMPS


class HolderRule:
    """Accounts that hold, or held, or will hold a grant on a place within reach."""

    def q(self, reach: Reach, perm: str) -> Q:
        return Q(Exists(self._grants(reach, perm).filter(user=OuterRef("pk"))))

    def test(self, obj: User, reach: Reach, perm: str) -> bool:
        return self._grants(reach, perm).filter(user=obj).exists()

    def _grants(self, reach: Reach, perm: str) -> models.QuerySet:
        from accounts.models.grant import Grant

        return Grant.objects.filter(AreaRule("area__").q(reach, perm) | UnitRule().q(reach, perm))


class UserQuerySet(ScopedQuerySet):
    def holding(self, role: str):
        """Active accounts that hold `role` today, wherever."""
        from accounts.models.grant import Grant

        grants = Grant.objects.in_force(timezone.localdate()).filter(role=role)
        return self.filter(is_active=True, pk__in=grants.values("user"))


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):
    def get(self, *args, **lookup):
        """As ever; the one account of an id is asked for in words that are ready: every request of
        somebody who has signed in begins with it."""
        pk = lookup.get("pk") if not args and len(lookup) == 1 else None
        # A manager of a relation is a class of its own, and looks among fewer.
        if type(pk) is not int or type(self) is not UserManager or self._db:
            return super().get(*args, **lookup)
        for found in _by_id(pk=pk):
            return found
        raise self.model.DoesNotExist(f"no account {pk}")

    def create_user(self, username: str, password: str | None = None, **fields):
        user = self.model(username=self.model.normalize_username(username), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A member of staff or a unit's liaison. Residents have no accounts."""

    username = models.CharField(
        "登录名",
        max_length=64,
        unique=True,
        validators=[
            RegexValidator(
                r"^[a-z0-9][a-z0-9._-]{1,63}$",
                "登录名用 2 到 64 个小写字母、数字、点、横线或下划线，以字母或数字开头。",
            )
        ],
    )
    name = models.CharField("姓名", max_length=40)
    email = models.EmailField("邮箱", blank=True)
    is_active = models.BooleanField("启用", default=True)
    must_change_password = models.BooleanField("下次登录须改密码", default=False)
    created_at = models.DateTimeField("建立时间", auto_now_add=True)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    audit_hidden = ("password",)
    deeds = {  # for its timeline
        "sign_in": "登录",
        "sign_in_failed": "登录失败",
        "sign_out": "退出登录",
        "lock_out": "连续输错，暂停登录",
        "change_password": "修改密码",
        "change_password_failed": "修改密码未成功",
        "reset_password": "重置密码",
        "enrol_second_factor": "绑定动态口令",
        "verify_second_factor": "通过动态口令验证",
        "second_factor_failed": "动态口令不对",
        "reset_second_factor": "解除动态口令",
        "new_recovery_codes": "更换备用码",
        "activate": "启用",
        "deactivate": "停用",
    }
    scope = Scope(HolderRule(), view="accounts.view", own=OwnRule("pk"))
    objects = UserManager()

    class Meta:
        verbose_name = "账号"

    def __str__(self) -> str:
        return self.name or self.username

    def get_absolute_url(self) -> str:
        return reverse("accounts:user", args=[self.pk])

    def get_short_name(self) -> str:
        return self.name

    @cached_property
    def current_grants(self) -> list:
        """Grants in force today, with their areas; read once a request."""
        today = timezone.localdate()
        if not self.is_active:
            return []
        found = _in_force(user=self.pk, day=today)
        for grant in found:
            grant.user = self
        return found

    def reach(self, perm: str) -> Reach:
        """Where this person holds `perm` today (see `core.scope`)."""
        found = self._reaches.get(perm)
        if found is None:
            found = self._reaches[perm] = self._reach(perm)
        return found

    @cached_property
    def _reaches(self) -> dict[str, Reach]:
        """A page asks for the same few rights dozens of times; the grants are read once as well."""
        return {}

    def _reach(self, perm: str) -> Reach:
        # A building group carries no stamp on facts: a grant there (refused by the action) is void.
        grants = [
            g
            for g in self.current_grants
            if perm in PERMISSIONS[g.role] and (g.area is None or g.area.kind in STAMPS)
        ]
        places = [g.area or g.unit for g in grants if g.role not in DUTIES]
        return Reach(
            areas=tuple((g.area.kind, g.area_id) for g in grants if g.area_id),
            units=tuple(g.unit_id for g in grants if g.unit_id),
            cities=tuple({p.city_id for p in places}),
            everywhere=any(g.role in DUTIES for g in grants),
        )

    @property
    def needs_second_factor(self) -> bool:
        return any(g.role in SECOND_FACTOR for g in self.current_grants)


def _grants_of(user: int, day: date) -> models.QuerySet:
    from accounts.models.grant import Grant

    return Grant.objects.in_force(day).filter(user_id=user).select_related("area", "unit")


_in_force = Prepared(_grants_of)
_by_id = Prepared(lambda pk: User.objects.filter(pk=pk))
