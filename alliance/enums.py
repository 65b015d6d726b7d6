"""Names of the co-building agreement (共建协议, domain.md rows 17–19 and §4)."""

from django.db import models

ENDING_SOON_DAYS = 30  # both sides hear of it so many days before the last day


class AgreementState(models.TextChoices):
    DRAFT = "draft", "草稿"
    PENDING = "pending", "待签"
    ACTIVE = "active", "生效"
    EXPIRED = "expired", "到期"
    TERMINATED = "terminated", "终止"
    RENEWED = "renewed", "续签"

    @property
    def tone(self) -> str:
        return {"draft": "neutral", "pending": "warn", "active": "ok", "terminated": "bad"}.get(
            self.value, "info"
        )


ENDED = (AgreementState.EXPIRED, AgreementState.TERMINATED, AgreementState.RENEWED)
SIGNED = (AgreementState.ACTIVE, *ENDED)


class Side(models.TextChoices):
    COMMUNITY = "community", "甲方（社区）"
    UNIT = "unit", "乙方（单位）"


class ClauseCategory(models.TextChoices):
    """What a clause is about: the six unions (六联, domain.md row 51)."""

    ORGS = "orgs", "组织联设"
    TEAMS = "teams", "队伍联建"
    SERVICES = "services", "服务联做"
    PLATFORMS = "platforms", "平台联用"
    EVENTS = "events", "活动联办"
    SHARING = "sharing", "共享共用"
