"""manage.py migrate, as Django's, but it never keeps people waiting behind it for long.

A change of a table needs it for a moment to itself. While it waits for that (for a long export, say)
everybody else waits behind it; so it gives up after seconds, lets them through, and tries again.
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections

log = structlog.get_logger(__name__)

LOCK_SECONDS = 3  # that others may have to wait behind it
PAUSE = 5  # seconds that they have before the next try
TRIES = 60
_NOT_GOT = "55P03"


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":
            super().handle(*args, **options)
            return
        for _ in range(TRIES):
            try:
                with connection.cursor() as cursor:
                    cursor.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
                super().handle(*args, **options)
            except OperationalError as error:
                if getattr(error.__cause__, "pgcode", None) != _NOT_GOT:
                    raise
                log.warning("migration waits for a lock", error=str(error).strip())
                self.stderr.write(f"有人正在长时间使用要改动的表，{PAUSE} 秒后再试。")
                time.sleep(PAUSE)
            else:
                return
            finally:
                with connection.cursor() as cursor:
                    cursor.execute("RESET lock_timeout")
        raise CommandError("等了几分钟仍有人占用要改动的表，升级没有完成。请稍后再运行 migrate。")
