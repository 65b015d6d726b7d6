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
        kinds = list(AreaKind)
        place = kinds.index(self)
        return kinds[place - 1] if place else None


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
