"""Pages of the division tree: one node with what hangs below, and the four ways to change it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import Http404
from django.urls import reverse

from core.forms import Form
from core.places import source
from core.scope import may, require
from core.views import Action, ActionFormView, DetailView, ListView
from orgs.actions.tree import create_area, may_change, move_area, rename_area, retire_area
from orgs.enums import AreaKind
from orgs.filters import AreaFilter
from orgs.forms import AreaAddForm, AreaMoveForm, AreaRenameForm, AreaRetireForm
from orgs.models import Area, AreaHistory
from orgs.queries import children, counts_below, next_code
from orgs.tables import AreaTable

LABEL = "区划"
NUMBERED_HERE = (AreaKind.COMMUNITY, AreaKind.GRID)  # what lies below has codes of our own


class AreaList(ListView):
    model = Area
    table = AreaTable
    filters = AreaFilter
    perm = "orgs.view"
    title = "区划"
    lead = "选择上方的地点可以只看其下的区划；点名称进入，可新增下级、更名、调整上级或撤销。"
    empty = "还没有区划，请由系统管理员用 import_areas 导入。"


class AreaDetail(DetailView):
    model = Area
    template = "orgs/area.html"
    perm = "orgs.view"
    related = ("parent", "successor")
    list_label = LABEL

    @property
    def actions(self) -> list[Action]:
        area, user = self.object, self.request.user
        if area.state != "active":
            return []
        found = []
        below = _kind_below(area)
        if below and may(user, may_change(below), area):
            label = f"新增{AreaKind(below).label}"
            found.append(Action(label, "orgs:area-below", icon="plus", tone="primary"))
        if area.parent_id and may(user, may_change(area.kind), area):
            found += [
                Action("更名", "orgs:area-rename", icon="edit"),
                Action("调整上级", "orgs:area-move"),
                Action("撤销或并入", "orgs:area-retire", tone="danger"),
            ]
        return found

    def extra(self) -> dict[str, Any]:
        area = self.object
        counts = counts_below([area])[area.pk]
        rows = list(children(area, retired=True)[:300])
        return {
            "trail": [*source().trail(area.parent), area.parent] if area.parent else [],
            "counts": [(kind.label, counts[kind]) for kind in AreaKind if counts[kind]],
            "below": AreaTable.bind(Area, rows, caption="下级区划", suffix=self.place_suffix),
            "history": _lived(area),
        }


class _AreaForm(ActionFormView):
    """A change of one node; who may depends on its level (`may_change`)."""

    model = Area
    perm = "orgs.view"
    related = ("parent",)
    list_label = LABEL

    def get_object(self) -> Area:
        found = super().get_object()
        require(self.request.user, may_change(self.kind(found)), found)
        return found

    def kind(self, area: Area) -> str:
        """The level that is changed."""
        return area.kind

    def build(self, *data: Any) -> Form:
        form = super().build(*data)
        if hasattr(form, "fit"):
            form.fit(self.object.kind, may_change(self.object.kind))
        return form


class AreaBelow(_AreaForm):
    """A new node below the one at hand."""

    form = AreaAddForm
    done = "已新增。"

    @property
    def title(self) -> str:
        return f"新增{AreaKind(self.kind(self.object)).label}"

    def kind(self, area: Area) -> str:
        below = _kind_below(area)
        if below is None:
            raise Http404(f"nothing lies below {area!r}")
        return below

    def initial(self) -> dict[str, Any]:
        """The community numbers its grids itself; codes above are given by the statistics."""
        return {"code": next_code(self.object)} if self.object.kind in NUMBERED_HERE else {}

    def run(self, data: dict[str, Any]) -> Area:
        kind = self.kind(self.object)
        return create_area(kind=kind, parent=self.object, by=self.request.user, **data)


class AreaRename(_AreaForm):
    form = AreaRenameForm
    action = staticmethod(rename_area)
    title = "更名"
    done = "已更名，原名称保留在沿革中。"


class AreaMove(_AreaForm):
    form = AreaMoveForm
    action = staticmethod(move_area)
    title = "调整上级"
    lead = "它和它的全部下级一起调整；以前各期的评估仍按当时的上级计算。"
    done = "已调整上级。"

    def initial(self) -> dict[str, Any]:
        return {}


class AreaRetire(_AreaForm):
    form = AreaRetireForm
    action = staticmethod(retire_area)
    title = "撤销或并入"
    lead = "撤销后不再登记新的事项，以前的记录保留。并入的，请选择同级的并入对象。"
    submit = "确认撤销"
    done = "已撤销。"

    def initial(self) -> dict[str, Any]:
        return {}

    def success_url(self, result: Any) -> str:
        return reverse("orgs:area", args=[self.object.pk]) + self.place_suffix


def _lived(area: Area) -> list[tuple[AreaHistory, date, date | None]]:
    """What it was called and where it hung, newest first, with the first and last day of each.

    The rows of a node's history reach from the beginning of time to today, so that a fact of any
    day finds its path; the node itself stood from its own first day to its last.
    """
    found = []
    for row in area.history.select_related("parent").order_by("-valid_from"):
        first = max(row.valid_from, area.valid_from)
        last = min(filter(None, (row.valid_to, area.valid_to)), default=None)
        if last is None or first <= last:
            found.append((row, first, last))
    return found


def _kind_below(area: Area) -> str | None:
    kinds = list(AreaKind.values)
    place = kinds.index(area.kind) + 1
    return kinds[place] if place < len(kinds) else None
