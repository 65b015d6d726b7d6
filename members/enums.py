"""Names of dual reporting (双报到, domain.md rows 34–36 and §4) and the figures its rules use."""

from decimal import Decimal

from django.db import models

LATE_AFTER_DAYS = 30  # a service older than this is entered late (补录), with a reason
MOST_HOURS = Decimal(12)  # of one person on one day
HOUR_STEP = Decimal("0.5")


class ReportingState(models.TextChoices):
    PENDING = "pending", "待报到"
    RETURNED = "returned", "退回"
    REPORTED = "reported", "已报到"
    POSTED = "posted", "已领岗"
    SERVING = "serving", "服务中"
    REVIEWED = "reviewed", "年度已反馈"
    EXEMPT = "exempt", "免报"
    MOVED = "moved", "转出"
    CANCELLED = "cancelled", "注销"

    @property
    def tone(self) -> str:
        tones = {"pending": "warn", "returned": "bad", "moved": "neutral", "cancelled": "neutral"}
        return {**tones, "exempt": "neutral", "serving": "ok"}.get(self.value, "info")


# Accepted by the community: such a member may take posts and have services recorded.
ACCEPTED = (
    ReportingState.REPORTED,
    ReportingState.POSTED,
    ReportingState.SERVING,
    ReportingState.REVIEWED,
)
CLOSED = (ReportingState.MOVED, ReportingState.CANCELLED)
OPEN = tuple(state for state in ReportingState if state not in CLOSED)


class Opinion(models.TextChoices):
    """社区评价: what the community writes back to the unit once a year."""

    GOOD = "good", "好"
    FAIR = "fair", "较好"
    PLAIN = "plain", "一般"
    POOR = "poor", "较差"


class PostCategory(models.TextChoices):
    """The eleven kinds of volunteer posts (志愿服务岗, domain.md row 35)."""

    POLICY = "policy", "政策宣讲"
    OPINION = "opinion", "民意收集"
    ENVIRONMENT = "environment", "环境整治"
    SAFETY = "safety", "治安巡防"
    MEDIATION = "mediation", "矛盾调解"
    LAW = "law", "法律服务"
    HEALTH = "health", "医疗健康"
    CARE = "care", "助老助残"
    YOUTH = "youth", "青少年关爱"
    CULTURE = "culture", "文体活动"
    SKILLS = "skills", "技能科普"


class PostState(models.TextChoices):
    OPEN = "open", "招募中"
    CLOSED = "closed", "停止招募"

    @property
    def tone(self) -> str:
        return "ok" if self == PostState.OPEN else "neutral"


class ServiceState(models.TextChoices):
    RECORDED = "recorded", "已登记"
    CONFIRMED = "confirmed", "已确认"
    RETURNED = "returned", "已退回"

    @property
    def tone(self) -> str:
        return {"recorded": "warn", "confirmed": "ok", "returned": "neutral"}[self.value]
