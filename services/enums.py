"""Names of the four lists (domain.md §4 and §6) and the figures that the rules use."""

from django.db import models

from alliance.enums import ClauseCategory

Union = ClauseCategory  # 六联 (domain.md row 51): tags of an item, none or several

CONTACT_DAYS = 7  # the two sides are in contact within so many days of a claim
RECTIFY_WORKDAYS = 15  # a bad rating is put right within so many working days
RESIDENT_RATES_WITHIN_DAYS = 15  # after that the community may rate for a silent resident
ROUND_DAY = 10  # a monthly round runs from this day to the day before it in the next month
DEFAULT_DUE_DAYS = 30  # the date offered where nobody named one
KEEP_CONTACT_DAYS = 30  # a resident's phone is erased so long after the matter ended


class ItemKind(models.TextChoices):
    NEED = "need", "需求"
    RESOURCE = "resource", "资源"
    SERVICE = "service", "服务"


class Beneficiary(models.TextChoices):
    """Whom it serves (需求差异化, domain.md row 52)."""

    RESIDENTS = "residents", "居民群众"
    LARGE_UNITS = "large_units", "驻区大单位"
    MEMBERS = "members", "在职党员"
    FIRMS = "firms", "企业商户"
    OTHER = "other", "其他"


class Topic(models.TextChoices):
    """What it is about: how residents browse."""

    DAILY = "daily", "便民服务"
    CARE = "care", "养老助残"
    HEALTH = "health", "健康义诊"
    CULTURE = "culture", "文体教育"
    WORK = "work", "就业创业"
    SAFETY = "safety", "环境安全"
    LAW = "law", "法律咨询"
    PLACE = "place", "场地设施"
    OTHER = "other", "其他"


class ItemState(models.TextChoices):
    DRAFT = "draft", "草稿"
    PENDING = "pending", "待审"
    RETURNED = "returned", "退回"
    PUBLISHED = "published", "已发布"
    CLAIMED = "claimed", "已认领"
    CONTACTING = "contacting", "对接中"
    WORKING = "working", "实施中"
    SUBMITTED = "submitted", "待验收"
    ACCEPTED = "accepted", "已验收"
    RATED = "rated", "已评价"
    CLOSED = "closed", "已销号"


class ClaimState(models.TextChoices):
    CLAIMED = "claimed", "已认领"
    CONTACTING = "contacting", "对接中"
    WORKING = "working", "实施中"
    SUBMITTED = "submitted", "待验收"
    ACCEPTED = "accepted", "已验收"
    RATED = "rated", "已评价"
    CLOSED = "closed", "已销号"
    WITHDRAWN = "withdrawn", "已退出"


# The way of a claim from first to last; a full item stands where its slowest claim stands.
PATH = (
    ClaimState.CLAIMED,
    ClaimState.CONTACTING,
    ClaimState.WORKING,
    ClaimState.SUBMITTED,
    ClaimState.ACCEPTED,
    ClaimState.RATED,
    ClaimState.CLOSED,
)
OPEN_CLAIM = PATH[:-1]  # of these a claimant has one an item at most
# Handed over for acceptance: the date by which to be done counts no more.
DELIVERED = (*PATH[PATH.index(ClaimState.SUBMITTED) :], ClaimState.WITHDRAWN)
# What anybody may read of: from publication on.
PUBLIC_STATES = (ItemState.PUBLISHED, *(ItemState(s) for s in PATH))


class ContactSpan(models.TextChoices):
    """How long the two sides took to be in contact after a claim, against the limit."""

    DAY_1 = "1", "1 日内"
    DAY_2 = "2", "第 2 日"
    DAY_3 = "3", "第 3 日"
    DAY_4 = "4", "第 4 日"
    DAY_5 = "5", "第 5 日"
    DAY_6 = "6", "第 6 日"
    DAY_7 = "7", "第 7 日"
    OVER = "over", "超过 7 日"
    WAITING = "waiting", "未对接，未到期"
    LATE = "late", "未对接，已超期"


class Direction(models.TextChoices):
    """认领方向: which side claims what."""

    UNIT_NEED = "unit_need", "单位认领需求"
    UNIT_RESOURCE = "unit_resource", "单位认领资源"
    UNIT_SERVICE = "unit_service", "单位认领服务"
    AREA_NEED = "area_need", "社区认领需求"
    AREA_RESOURCE = "area_resource", "社区认领资源"
    AREA_SERVICE = "area_service", "社区认领服务"


class Grade(models.TextChoices):
    """好差评, from best to worst."""

    EXCELLENT = "5", "非常满意"
    GOOD = "4", "满意"
    FAIR = "3", "基本满意"
    POOR = "2", "不满意"
    BAD = "1", "非常不满意"


BAD_GRADES = (Grade.POOR, Grade.BAD)


class RectificationState(models.TextChoices):
    OPEN = "open", "待整改"
    REPORTED = "reported", "待回访"
    CLOSED = "closed", "已回访"


# While it stands so, the matter is not closed.
OPEN_RECTIFICATION = (RectificationState.OPEN, RectificationState.REPORTED)


class TicketState(models.TextChoices):
    RECEIVED = "received", "待受理"
    ADOPTED = "adopted", "已受理"
    RETURNED = "returned", "未采纳"
    CLOSED = "closed", "已办结"
