from django.urls import reverse
from django.utils.html import format_html

from accounts.enums import GrantState
from accounts.models import Grant, User
from core.deeds import said
from core.models import AuditEvent
from core.tables import Column, Table, tag


def _roles(user: User) -> str:
    """The roles in force; `UserList` has fetched the grants of the page at once."""
    return "、".join(
        f"{g.get_role_display()}{f'（{place}）' if (place := g.area or g.unit) else ''}"
        for g in user.grants.all()
        if g.state == GrantState.IN_FORCE
    )


class UserTable(Table):
    columns = (
        Column("name", "姓名", link="accounts:user", sort=True),
        Column("username", "登录名", sort=True),
        Column("grants", "现有角色", render=_roles),
        Column(
            "is_active",
            "状态",
            render=lambda user: tag("启用", "ok") if user.is_active else tag("停用", "neutral"),
        ),
        Column("last_login", "最近登录", time=True, sort=True, minor=True),
        Column("created_at", "建立时间", time=True, sort="pk", minor=True),
    )


def _grant_state(grant: Grant) -> str:
    return tag(grant.state.label, grant.state.tone)


class GrantTable(Table):
    columns = (
        Column("user__name", "姓名", link="accounts:grant", sort=True),
        Column("user__username", "登录名"),
        Column("role", "角色"),
        Column("area__name", "区域"),
        Column("unit__name", "单位"),
        Column("starts_on", "自", date=True, sort=True),
        Column("ends_on", "至", date=True, sort=True),
        Column("state", "状态", render=_grant_state),
    )


def _event(event: AuditEvent) -> str:
    address = reverse("accounts:audit-event", args=[event.pk])
    what = said(event.action, event.object_type)
    return format_html('<a href="{}">{}</a> <small>{}</small>', address, what, event.action)


class AuditTable(Table):
    columns = (
        Column("at", "时间", time=True, sort="pk"),
        Column("actor_name", "操作人"),
        Column("action", "动作", render=_event),
        Column("object_label", "对象"),
        Column("object_type", "对象类型", minor=True),
        Column("object_id", "对象编号", minor=True),
        Column("reason", "理由"),
    )
