"""After `make load`: each write that was acknowledged is in the database, once and as it was told."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
PATIENCE = 120  # seconds until the last file must be made


def main(path: str) -> int:
    import django

    django.setup()
    from core.models import Job
    from services.models import Item

    told = json.loads(Path(path).read_text())
    own = Item.objects.filter(title__startswith=f"压测{told['run']}")
    rows = own.values_list("title", "capacity")
    there, capacity = Counter(title for title, _ in rows), dict(rows)
    faults = []
    for title, wanted in told["published"].items():
        if there[title] != 1:
            faults.append(f"{title}: there {there[title]} times")
        elif wanted is not None and capacity[title] != wanted:
            faults.append(f"{title}: capacity {capacity[title]}, told {wanted}")
    unasked = there.keys() - told["published"].keys() - set(told["unknown"])
    faults += [f"{title}: nobody wrote it" for title in unasked]

    deadline = time.monotonic() + PATIENCE
    jobs = Job.objects.filter(pk__in=told["exports"])
    while jobs.filter(state__in=("pending", "dispatched", "running")).exists():
        if time.monotonic() > deadline:
            break
        time.sleep(1)
    ended = jobs.filter(state="done", result_size__gt=0).count()
    if ended != len(set(told["exports"])):
        faults.append(f"{len(set(told['exports'])) - ended} ordered files were not made")
    print(json.dumps({"faults": faults, "published": len(told["published"]), "files": ended}))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
