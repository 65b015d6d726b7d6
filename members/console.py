from core.console import COMMUNITY, UNIT, awaited, figure, menu, waiting
from members.enums import ServiceState
from members.models import ServiceRecord
from members.queries import (
    reports_returned_to_others,
    reports_to_correct,
    reports_to_receive,
    services_to_confirm,
)

_GROUP = "双报到"
menu(
    "双报到",
    "members:reportings",
    perm="members.view",
    order=50,
    icon="check",
    group=_GROUP,
    key="b",
)
menu("在职党员", "members:members", perm="members.view", order=51, icon="users", group=_GROUP)
menu("服务岗位", "members:posts", perm="members.view", order=52, icon="star", group=_GROUP)
menu(
    "服务记录",
    "members:servicerecords",
    perm="members.view",
    order=53,
    icon="clock",
    group=_GROUP,
    key="r",
)
waiting("待报到的党员", perm="members.receive", rows=reports_to_receive, order=45)
waiting("被退回的报到", perm="members.register", rows=reports_to_correct, order=46)
waiting("待确认的服务", perm="members.receive", rows=services_to_confirm, order=70)
awaited(
    "被退回的报到",
    perm="members.view",
    rows=reports_returned_to_others,
    holder=lambda reporting: reporting.unit.name,
    order=46,
)
figure(
    "党员服务",
    levels=COMMUNITY + UNIT,
    perm="members.view",
    rows=lambda user: ServiceRecord.objects.visible_to(user, "members.view").filter(
        state=ServiceState.CONFIRMED
    ),
    on="served_on",
    page="members:servicerecords",
    span="served_on",
    query={"state": ServiceState.CONFIRMED.value},
    unit="次",
    order=50,
)
