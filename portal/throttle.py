"""How often one address may send a form. Generous: a whole building may share an address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from axes.helpers import get_client_ip_address
from django.http import HttpRequest

from core.errors import Refused
from core.fields import blind_index
from core.throttle import one_more_try


@dataclass(frozen=True)
class Limit:
    name: str
    tries: int
    window: timedelta
    message: str

    def hit(self, request: HttpRequest) -> None:
        """Count this request; raises `Refused` when the address sent too many."""
        who = blind_index(get_client_ip_address(request) or "unknown")
        if one_more_try(self.name, who, self.window) > self.tries:
            raise Refused(self.message)


submissions = Limit(
    "portal-need",
    20,
    timedelta(hours=1),
    "此网络一小时内提交的诉求过多，请稍后再试，或到社区窗口办理。您填写的内容还在，不会丢失。",
)
lookups = Limit(
    "portal-track",
    60,
    timedelta(minutes=15),
    "此网络查询次数过多，请15分钟后再试，或到社区窗口查询。",
)
