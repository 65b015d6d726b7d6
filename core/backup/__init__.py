"""A copy of the whole platform and the way back from it: docs/backup.md.

::

    take(Path("/backup/2026-11-26"))      # manage.py backup
    restore(Path("/backup/2026-11-26"))   # manage.py restore, into an empty database

A copy is a folder: `manifest.json`, the database as its own tool writes it, `media/` with the
files that rows of that very moment name. It holds no keys.
"""

from core.backup.manifest import Damaged, Manifest
from core.backup.restoring import restore
from core.backup.taking import take

__all__ = ["Damaged", "Manifest", "restore", "take"]
