"""Every session knows when it began and when it was last used, however it came about."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

from accounts.middleware import SEEN, STARTED


@receiver(user_logged_in)
def start_the_clock(request: Any, **kwargs: Any) -> None:
    request.session[STARTED] = request.session[SEEN] = int(time.time())
