from alliance.models import Agreement
from alliance.queries import ending_soon, to_sign
from core.console import DEPARTMENT, figure, menu, waiting

menu(
    "共建协议",
    "alliance:agreements",
    perm="alliance.view",
    order=40,
    icon="handshake",
    group="共建",
    key="p",
)
waiting("待我方签署的协议", perm="alliance.confirm", rows=to_sign, due="starts_on", order=40)
waiting("即将到期的协议", perm="alliance.draft", rows=ending_soon, due="ends_on", order=60)
figure(
    "签订协议",
    levels=DEPARTMENT,
    perm="alliance.view",
    rows=lambda user: Agreement.objects.visible_to(user, "alliance.view"),
    on="signed_on",
    page="alliance:agreements",
    span="signed_on",
    unit="份",
    order=40,
)
