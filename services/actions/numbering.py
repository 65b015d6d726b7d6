"""Numbers that people quote: unique, rising within a place and a year, safe under parallel use."""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone

from orgs.models import Area
from services.models import Serial


def next_number(area: Area) -> str:
    """The next item number of the place's community (or of the place, above one), this year:
    ``370202001001-2026-0007``. Must run in a transaction; others of the same place and year
    wait for its end, so that a number is given once."""
    community = area.community if area.community_id else area
    key = f"{community.code}-{timezone.localdate().year}"
    Serial.objects.bulk_create([Serial(key=key)], ignore_conflicts=True)
    Serial.objects.filter(key=key).update(last=F("last") + 1)
    return f"{key}-{Serial.objects.get(key=key).last:04d}"
