"""What the rendering of a list costs: 50 rows of 7 columns, without the database.

    DJANGO_SETTINGS_MODULE=config.settings.test python -m tests.bench.list_page

Measured in processor time of one process, so that a busy machine does not blur it; the yardstick
is a bare Jinja2 loop over ready strings.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace

import django

from tests.bench import medians, row

ROWS, ROUNDS = 50, 200


def many(work: Callable[[], object]) -> Callable[[], None]:
    def rounds() -> None:
        for _ in range(ROUNDS):
            work()

    return rounds


def main() -> None:
    django.setup()
    from django.http import QueryDict
    from django.template import engines
    from django.test import RequestFactory
    from django.urls import resolve
    from django.utils import timezone

    from core.context import face
    from core.pagination import Page
    from core.views.lists import ListView
    from orgs.filters import UnitFilter
    from orgs.models import Area, Unit
    from orgs.tables import UnitTable

    area = Area(pk=1, name="一二三社区居委会")
    now = timezone.now()
    rows = [
        Unit(
            pk=n, name=f"测试单位{n}", kind="school", area=area, party_org="党支部", created_at=now
        )
        for n in range(ROWS)
    ]
    page = Page(rows=rows, total=ROWS, more_than_counted=False, next="x", previous=None)
    request = RequestFactory().get("/console/orgs/units/")
    request.resolver_match = resolve(request.path)
    view = ListView()
    view.setup(request)
    view.model, view.table = Unit, UnitTable
    env = engines["jinja2"].env
    template = env.get_template("console/list.html")
    user = SimpleNamespace(current_grants=[], reach=lambda perm: True)

    def bind():
        return UnitTable.bind(Unit, rows, caption="驻区单位", anchors=True)

    def whole() -> str:
        return template.render(
            request=request,
            csrf_input="",
            messages=[],
            **{**face(request), "user": user},
            title="驻区单位",
            view=view,
            views=(),
            current=None,
            kept="",
            steps=(),
            counted=True,
            fragment=False,
            crumbs=[],
            actions=[],
            place=None,
            place_suffix="",
            menu=[],
            menu_now="",
            topbar=[],
            own_places=(),
            table=bind(),
            paging=page,
            filterset=UnitFilter(QueryDict(), queryset=Unit.objects.none()),
        )

    bare = env.from_string(
        "{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}"
    )
    cells = [[f"单位{row}{column}" for column in range(7)] for row in range(ROWS)]
    works = [many(w) for w in (bind, whole, lambda: bare.render(rows=cells))]
    for work in works:
        work()  # warm
    of_rows, of_page, of_loop = (
        took / ROUNDS * 1000 for took in medians(*works, clock=time.process_time)
    )
    row("the rows' cells", of_rows, "bare Jinja2 loop", of_loop, "ms")
    row("the whole page", of_page, "bare Jinja2 loop", of_loop, "ms")


if __name__ == "__main__":
    main()
