from datetime import date

from django.db import models


class AreaKind(models.TextChoices):
    """The six levels (domain.md §2), from the top down."""

    CITY = "city", "城市"
    DISTRICT = "district", "区县"
    STREET = "street", "街道/镇"
    COMMUNITY = "community", "社区/村"
    GRID = "grid", "网格"
    BUILDING = "building", "楼栋组"

    @property
    def parent_kind(self) -> "AreaKind | None":
        return _ABOVE.get(self)


_ABOVE = dict(zip(list(AreaKind)[1:], AreaKind, strict=False))

# Significant digits of the statistical division code at each level; down to the community the
# rest of its 12 digits are zeros.
SIGNIFICANT = {"city": 4, "district": 6, "street": 9, "community": 12, "grid": 15, "building": 18}

# The first history row of every node starts here, so that a fact of any day finds a path; a
# node with this as its `valid_from` was there before the platform.
BEGINNING = date(1900, 1, 1)

# Levels whose ids are stamped on facts; a building group is reached through its grid.
STAMPS = ("city", "district", "street", "community", "grid")


class AreaState(models.TextChoices):
    ACTIVE = "active", "使用中"
    RETIRED = "retired", "已撤销"


class UnitKind(models.TextChoices):
    ORGAN = "organ", "机关"
    PUBLIC = "public", "事业单位"
    STATE_FIRM = "state_firm", "国有企业"
    PRIVATE_FIRM = "private_firm", "非公企业"
    SOCIAL = "social", "社会组织"
    SCHOOL = "school", "学校"
    HOSPITAL = "hospital", "医院"
    BANK = "bank", "银行"
    OTHER = "other", "其他"


class UnitState(models.TextChoices):
    ACTIVE = "active", "在册"
    LEFT = "left", "已迁出"
