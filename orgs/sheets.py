"""Tables of the tree's room: the register of member units, in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.exports import Exporter, columns_of, exporter
from core.sheets.resources import SheetField, SheetResource, importable
from core.sheets.text import BadCell
from core.sheets.widgets import Choice, Code, Lookup, PersonName, Text
from orgs import credit_code
from orgs.actions.units import Upserted, upsert_units
from orgs.enums import AreaKind, UnitKind
from orgs.filters import UnitFilter
from orgs.models import Area, Unit
from orgs.names import COMMUNITIES
from orgs.tables import UnitTable


class CreditCode(Code):
    """A unified social credit code, in upper case and with its check digit right."""

    def __init__(self) -> None:
        super().__init__(hint="18位，含数字和大写字母")

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        code = super().clean(value, row, **kwargs).upper()
        if code and (why := credit_code.fault(code)):
            raise BadCell(why)
        return code


def _communities(user: Any):
    mine = Area.objects.visible_to(user, "units.edit").active()
    return mine.filter(kind=AreaKind.COMMUNITY)


@importable
class UnitSheet(SheetResource):
    identifier, title, perm = "units", "驻区单位", "units.edit"
    notes = ("已登记的单位按统一社会信用代码识别：代码相同的行更新原有登记，不会重复建立。",)

    name = SheetField("单位名称", Text(120), key=True, example="示例市第一人民医院")
    credit_code = SheetField("统一社会信用代码", CreditCode(), example="123702004274000374")
    kind = SheetField("单位类别", Choice(UnitKind), example="医院")
    area = SheetField(
        "所在社区代码",
        Lookup(
            _communities,
            names=COMMUNITIES,
            noun="社区",
            hint="12位统计用区划代码，社区须在您的管理范围内",
        ),
        aliases=("社区代码", "所在社区"),
        example="370202001001",
    )
    party_org = SheetField(
        "单位党组织", Text(120), required=False, example="中共示例市第一人民医院委员会"
    )
    contact_name = SheetField("联络员", PersonName(40), required=False, example="王晓明")

    class Meta:
        model = Unit
        import_id_fields = ("credit_code",)

    def write(
        self, new: Sequence[Mapping[str, Any]], changed: Sequence[Mapping[str, Any]], *, by: Any
    ) -> Upserted:
        return upsert_units(new=new, changed=changed, by=by)


@exporter
class UnitRegister(Exporter):
    """The list of units in the columns of its import, so that it can be corrected and sent back."""

    identifier, title, perm = "units", "驻区单位名册", "units.view"
    model, filters, table = Unit, UnitFilter, UnitTable
    columns = columns_of(UnitSheet, area="area__code")
