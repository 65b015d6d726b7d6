from django.db import models


class Role(models.TextChoices):
    SYSTEM_ADMIN = "system_admin", "系统管理员"
    SECURITY_ADMIN = "security_admin", "安全管理员"
    SECURITY_AUDITOR = "security_auditor", "安全审计员"
    ORG_DEPARTMENT = "org_department", "组织部门"
    STREET_OFFICER = "street_officer", "街道干部"
    COMMUNITY_WORKER = "community_worker", "社区工作者"
    GRID_WORKER = "grid_worker", "网格员"
    UNIT_LIAISON = "unit_liaison", "单位联络员"


# The three administrator duties (三员分立): never two of them in one hand.
DUTIES = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.SECURITY_AUDITOR)


class GrantState(models.TextChoices):
    """How a grant stands on a day; computed from its dates, never stored."""

    AHEAD = "ahead", "未开始"
    IN_FORCE = "in_force", "生效中"
    OVER = "over", "已到期"
    REVOKED = "revoked", "已收回"

    @property
    def tone(self) -> str:
        return {"in_force": "ok", "ahead": "info"}.get(self.value, "neutral")
