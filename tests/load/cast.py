"""Who takes part in `make load`, signed in, and what their pages must say.

Counted by plain conditions on the tables, not by the querysets that the pages use.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
READERS, WRITERS, MATTERS = 120, 40, 600


def main(path: str) -> None:
    import django

    django.setup()
    import config.celery  # noqa: F401  (tasks are sent through this application)
    from orgs.models import Area
    from services.models import Item

    chance = random.Random(1)
    filled = Item.objects.filter(state="published").order_by().values_list("community").distinct()
    codes = list(Area.objects.filter(pk__in=filled).order_by("code").values_list("code", flat=True))
    chosen = chance.sample(codes, min(READERS + WRITERS, len(codes)))
    writing = chosen[: len(chosen) // 4]  # their pages change, so nobody else looks at them
    public = Item.objects.filter(state="published", community__code__in=chosen[len(writing) :])
    matters = list(public.order_by("pk").values_list("number", "title"))
    found = {
        "run": secrets.token_hex(3),  # part of every title that is written: runs share a database
        "readers": [_reader(code) for code in chosen[len(writing) :]],
        "writers": [_session(code) for code in writing],
        "matters": chance.sample(matters, min(MATTERS, len(matters))),
    }
    Path(path).write_text(json.dumps(found, ensure_ascii=False))


def _session(code: str) -> dict[str, Any]:
    """A community's worker, as their browser knows them after the sign-in."""
    from django.test import Client

    from accounts.models import User

    client = Client()
    user = User.objects.get(username=f"c{code}-1")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return {"code": code, "user": user.name, "session": client.cookies["sessionid"].value}


def _reader(code: str) -> dict[str, Any]:
    from members.models import Member
    from orgs.models import Area, Unit
    from services.models import Item

    area = Area.objects.get(code=code)
    own = Item.objects.filter(community=area)
    newest = own.filter(state="published").order_by("-published_at", "-pk").first()
    opened = own.order_by("-number").values_list("pk", "title").first()
    return {
        **_session(code),
        "name": area.name,
        "newest": newest.title,
        "item": opened,
        "items": own.count(),
        "units": Unit.objects.filter(community=area).count(),
        "members": Member.objects.filter(community=area).count(),
    }


if __name__ == "__main__":
    main(sys.argv[1])
