"""One declaration of a table for both ways: what is imported, checked, exported and asked for.

::

    class UnitSheet(SheetResource):
        name = SheetField("单位名称", Text(120), key=True)
        credit_code = SheetField("统一社会信用代码", CreditCode())
        area = SheetField("所在社区代码", Lookup(communities, noun="社区"))

        title, perm, identifier = "驻区单位", "units.edit", "units"

        class Meta:
            model = Unit
            import_id_fields = ("credit_code",)

        def write(self, new, changed, *, by):
            return upsert_units(new=new, changed=changed, by=by)

It is a django-import-export resource: its fields map and its widgets validate, and what stock
import-export does with a resource works. Files are read, checked and written by the rest of this
package instead, because the stock path saves row by row and holds three copies of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.db.models import Model
from import_export.fields import Field
from import_export.resources import Resource

from core.among import Among
from core.scope import reach_of
from core.sheets.layout import Column
from core.sheets.reading import Wanted
from core.sheets.text import BadCell
from core.sheets.widgets import CellWidget, Lookup


class SheetField(Field):
    """A column of a `SheetResource`: its header, how its cells are read, and whether it must be
    filled. The attribute is the name it is declared under.

    key: stays in sight in the template and in exports. example: a filled cell for 填表说明.
    """

    widget: CellWidget

    def __init__(
        self,
        column_name: str,
        widget: CellWidget,
        *,
        attribute: str | None = None,
        required: bool = True,
        group: str = "",
        aliases: Sequence[str] = (),
        key: bool = False,
        example: str = "",
        help: str = "",  # noqa: A002  (as Django's help_text)
    ) -> None:
        super().__init__(attribute=attribute, column_name=group + column_name, widget=widget)
        self.header, self.group, self.aliases = column_name, group, tuple(aliases)
        self.required, self.key, self.example = required, key, example
        self.help = "；".join(part for part in (widget.hint, help) if part)

    def read(self, raw: Any) -> Any:
        """The value of a raw cell, whatever its row. Raises `BadCell`, also for an empty one that
        must be filled."""
        value = self.widget.clean(raw) if raw is not None else self.widget.empty
        if self.required and value in (None, ""):
            raise BadCell("必填，不能为空")
        return value

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.header, self.required, self.aliases, self.group)

    @property
    def column(self) -> Column:
        return Column(self.header, self.widget.kind, self.group, key=self.key)


@dataclass
class Problem:
    """What a check finds beyond single cells: by row number and column, with the reason."""

    row: int
    column: str
    reason: str


@dataclass(slots=True)
class Ready:
    """A row whose cells were all read: `values` by attribute; the key of the row it will change
    (None: a new one), a print of what stood there, in this process alone, and what differs by
    column, as (before, after) in words."""

    number: int
    values: dict[str, Any]
    pk: Any = None
    stood: int = 0
    changes: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        return self.pk is None


class SheetResource(Resource):
    """The base of all tables. A subclass declares `SheetField`s, the names below and `write`.

    identifier: names it in addresses and jobs, e.g. ``units``. perm: what the importer must hold.
    """

    identifier: ClassVar[str] = ""
    title: ClassVar[str] = ""
    perm: ClassVar[str] = ""
    notes: ClassVar[Sequence[str]] = ()  # further lines for 填表说明

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, column in cls.fields.items():
            column.attribute = column.attribute or name

    # -- what a subclass may say

    def existing(self, keys: Sequence[Any]) -> Iterable[Model]:
        """The rows that have these keys, seen or not: a key is unique beyond one's reach. With
        what they refer to, so that comparing asks nothing more."""
        name, model = self.key_field.attribute, self._meta.model
        links = [c.attribute for c in self.columns if isinstance(c.widget, Lookup)]
        found = model._base_manager.filter(Among(name, [getattr(key, "pk", key) for key in keys]))
        # Not joined: of a new register nothing is found, and the join reads whole tables for it.
        return found.prefetch_related(*links) if links else found

    def out_of_reach(self, current: Model, by: Any) -> str | None:
        """Why the person may not change a row that is there already, or None."""
        if type(current).scope.holds(current, by, self.perm):
            return None
        return f"这个{self.key_field.column_name}已由其他区域登记，请核对；确需变更请联系上级"

    def check_rows(self, rows: Sequence[Ready], by: Any) -> Iterator[Problem]:
        """What can only be seen over several cells or rows."""
        yield from ()

    def write(
        self, new: Sequence[dict[str, Any]], changed: Sequence[dict[str, Any]], *, by: Any
    ) -> Any:
        """Write all rows through one set-based action, in one transaction: what was not registered,
        and what was. Each is a dict by attribute; columns that the file lacks are not in it."""
        raise NotImplementedError

    # -- what the package reads

    @property
    def columns(self) -> list[SheetField]:
        return self.get_import_fields()

    @property
    def key_field(self) -> SheetField:
        return self.fields[self.get_import_id_fields()[0]]

    def may_import(self, user: Any) -> bool:
        return bool(reach_of(user, self.perm))

    def export_cells(self, obj: Model) -> list[Any]:
        """An object as a row of the same table."""
        return [column.export(obj) for column in self.columns]


RESOURCES: dict[str, type[SheetResource]] = {}


def importable(cls: type[SheetResource]) -> type[SheetResource]:
    """Class decorator: offer the resource for import under its identifier."""
    if not (cls.identifier and cls.title and cls.perm):
        raise ValueError(f"{cls.__name__} lacks identifier, title or perm")
    if RESOURCES.setdefault(cls.identifier, cls) is not cls:
        raise ValueError(f"two resources named {cls.identifier}")
    return cls
