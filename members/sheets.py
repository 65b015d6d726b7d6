"""Tables of dual reporting: the register of members coming in, the ledger going out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from core.errors import Refused
from core.exports import Asked, Col, Exporter, Serial, exporter
from core.fields import blind_index, mask_phone
from core.periods import PeriodForm
from core.scope import AreaRule, reach_of
from core.sheets.layout import Kind
from core.sheets.resources import Problem, Ready, SheetField, SheetResource, importable
from core.sheets.text import BadCell, to_code, to_text
from core.sheets.widgets import CellWidget, Lookup, PersonName, Text
from members.actions.intake import Taken, register_members
from members.actions.member import clean_phone
from members.enums import ReportingState
from members.forms import HOMES
from members.models import Member, Reporting
from orgs.enums import UnitState
from orgs.models import Area, Unit
from orgs.names import COMMUNITIES_AND_GRIDS, UNITS

PERM = "members.register"
_FIXED = {  # what a table does not change of those registered already, and the way that does
    "单位统一社会信用代码": "请先由原单位办理注销",
    "居住社区代码": "请在页面上办理转出",
}


class PhoneCell(CellWidget):
    """A phone number. Whatever is said about it shows it masked."""

    kind = Kind.CODE
    hint = "11位手机号，固定电话带区号"

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        try:
            return clean_phone(to_code(value))
        except Refused as error:
            raise BadCell("应为11位手机号，固定电话带区号") from error

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return mask_phone(value or "")

    def quote(self, raw: Any) -> str:
        return mask_phone(to_text(raw))


def _units(user: Any) -> QuerySet[Unit]:
    """A liaison's own units; for a street, whose residents work anywhere, those of the city."""
    reach = reach_of(user, PERM)
    active = Unit.objects.filter(state=UnitState.ACTIVE)
    return (
        active.filter(city__in=reach.cities) if reach.areas else active.filter(pk__in=reach.units)
    )


def _homes(user: Any) -> QuerySet[Area]:
    """Members of a unit live anywhere in the city; a street registers its own residents."""
    reach = reach_of(user, PERM)
    mine = AreaRule().q(reach, PERM)
    if reach.units:
        mine |= Q(city__in=reach.cities)
    return Area.objects.active().filter(mine, kind__in=HOMES)


@importable
class MemberSheet(SheetResource):
    identifier, title, perm = "members", "在职党员", PERM
    notes = (
        "已登记的党员按手机号识别：号码相同的行更正原有登记，不会重复建立。",
        "已登记党员的单位和居住社区不能在表中改动，请在页面上办理注销或转出。",
        "不填身份证号、出生日期、住址等信息；填了也不会读取。",
    )

    name = SheetField("姓名", PersonName(40), key=True, example="王晓明")
    phone = SheetField("手机号", PhoneCell(), aliases=("联系电话",), example="13812345678")
    unit = SheetField(
        "单位统一社会信用代码",
        Lookup(_units, by="credit_code", names=UNITS, noun="单位"),
        aliases=("统一社会信用代码", "单位代码", "工作单位"),
        required=False,
        example="123702004274000374",
        help="只负责一个单位的联络员可以不填",
    )
    area = SheetField(
        "居住社区代码",
        Lookup(
            _homes,
            names=COMMUNITIES_AND_GRIDS,
            noun="社区或网格",
            hint="12位社区代码或15位网格代码",
        ),
        aliases=("社区代码", "居住社区"),
        example="370202001001",
    )
    party_org = SheetField("单位党组织", Text(120), required=False, help="不填用单位登记的党组织")
    speciality = SheetField("特长", Text(100), required=False, example="法律咨询")

    class Meta:
        model = Member
        import_id_fields = ("phone",)

    def existing(self, keys: Sequence[str]) -> Iterable[Member]:
        """By the blind index: the numbers themselves cannot be looked up."""
        indexes = [blind_index(key) for key in keys]
        return Member.objects.under_phones(indexes).prefetch_related("unit", "area")

    def out_of_reach(self, current: Member, by: Any) -> str | None:
        if Member.scope.holds(current, by, PERM):
            return None
        return "这个手机号已由其他单位或区域登记；如是调入，请原单位先办理注销"

    def check_rows(self, rows: Sequence[Ready], by: Any) -> Iterator[Problem]:
        own = self._own_unit(by)
        for row in rows:
            if row.is_new and not row.values.get("unit"):
                if own is None:
                    yield Problem(row.number, "单位统一社会信用代码", "必填，不能为空")
                row.values["unit"] = own
            for column, way in _FIXED.items():
                before, after = row.changes.get(column, ("", ""))
                if not after:  # left empty: as it is
                    row.changes.pop(column, None)
                elif not row.is_new:
                    yield Problem(row.number, column, f"已登记为 {before}，不能在表中改动；{way}")

    def write(
        self, new: Sequence[Mapping[str, Any]], changed: Sequence[Mapping[str, Any]], *, by: Any
    ) -> Taken:
        return register_members(new=new, changed=changed, by=by)

    def _own_unit(self, user: Any) -> Unit | None:
        """The unit of a liaison who has but one."""
        reach = reach_of(user, PERM)
        if reach.areas or len(reach.units) != 1:
            return None
        return _units(user).first()


@exporter
class ReportingLedger(Exporter):
    """双报到台账: reportings that stood on a day of the period; without one, all there were.

    服务次数 and 服务时长 are of the period, 社区评价 of its year.
    """

    identifier, title, perm = "reporting", "双报到台账", "reports.export"
    model, form = Reporting, PeriodForm
    columns = (
        Serial(),
        Col("姓名", "member__name", key=True),
        Col("单位党组织", "member__party_org", width=30),
        Col("报到社区", "community__name"),
        Col("网格", "grid__name"),
        Col("报到日期", "reported_on", kind=Kind.DATE),
        Col("特长", "member__speciality"),
        Col("认领岗位", "post_titles"),
        Col("服务次数", "service_count", kind=Kind.NUMBER),
        Col("服务时长", "service_hours", kind=Kind.NUMBER),
        Col("社区评价", "opinion"),
        Col("反馈日期", "feedback_on", kind=Kind.DATE),
        Col("状态", "state", dict(ReportingState.choices)),
    )

    def queryset(self, user: Any, asked: Asked) -> QuerySet:
        rows = super().queryset(user, asked)
        first: date | None = None
        last: date | None = None
        if period := asked["period"]:
            first, last = period.first, period.last
            rows = rows.standing_during(first, last)
        rows = rows.with_service(first, last).with_posts(first, last)
        rows = rows.with_feedback(last.year if last else None)
        return rows.order_by("community__code", "grid__code", "pk")
