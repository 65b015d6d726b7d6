from django.db import models


class ReviewKind(models.TextChoices):
    QUARTERLY = "quarterly", "季度评估"
    ANNUAL = "annual", "年度评估"


class ReviewState(models.TextChoices):
    """domain.md §4. A new review waits; a run fills it; people check, report and approve it."""

    WAITING = "waiting", "未开始"
    COMPUTING = "computing", "计算中"
    TO_CHECK = "to_check", "待核"
    REPORTED = "reported", "已上报"
    APPROVED = "approved", "已审定"


class Category(models.TextChoices):
    """The groups of the 考核汇总表's two-row header."""

    LISTS = "lists", "四张清单"
    AGREEMENTS = "agreements", "共建协议"
    REPORTING = "reporting", "双报到"
    GRIDS = "grids", "网格建设"


class Basis(models.TextChoices):
    """How a value is made of what was counted; full marks are reached at the target."""

    SHARE = "share", "比率（%）"  # part of the whole, in per cent
    AVERAGE = "average", "社区均值"  # part divided by the number of communities


class AdjustmentKind(models.TextChoices):
    BONUS = "bonus", "加分"
    DEDUCTION = "deduction", "扣分"
