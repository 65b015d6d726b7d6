"""What has failed when it is nobody's fault at the keyboard: the database away, the disk full.

Both are told apart by their cause, however deep it lies: writers of tables and archives wrap the
error of the system in one of their own.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

from django.db import InterfaceError, OperationalError

# EFBIG: more than the process or the file system may hold, which asks for the same remedy.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_POSTGRES_DISK_FULL = "53100"
_SQLITE_DISK_FULL = "database or disk is full"

DISK_FULL = "磁盘空间不足"


def is_disk_full(error: BaseException | None) -> bool:
    """Whether `error` comes of a disk, here or under the database, that has no room."""
    return any(
        (isinstance(one, OSError) and one.errno in _NO_ROOM)
        or getattr(one, "pgcode", None) == _POSTGRES_DISK_FULL
        or (isinstance(one, OperationalError) and _SQLITE_DISK_FULL in str(one))
        for one in _causes(error)
    )


def is_database_away(error: BaseException | None) -> bool:
    """Whether `error` is the database's, and may be gone at the next try: a lost connection, a
    restart, a lock not got in time."""
    return isinstance(error, OperationalError | InterfaceError)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what it was raised from, and what was wrapped in it as an argument."""
    seen: set[int] = set()
    left = [error]
    while left:
        one = left.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        left += [one.__cause__, one.__context__, *one.args]
