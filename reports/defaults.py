"""Where a new city starts. The rows are data from then on: nothing here overwrites them."""

from __future__ import annotations

from reports.catalogue import MEASURES
from reports.models import Band, Indicator

BANDS = [("优秀", 95), ("良好", 90), ("合格", 60), ("不合格", 0)]  # domain.md §5


def fill(**kwargs) -> None:
    """After migrations: fill the tables that are still empty."""
    if not Indicator.objects.exists():
        Indicator.objects.bulk_create(
            Indicator(
                key=m.key,
                label=m.label,
                category=m.category,
                basis=m.basis,
                weight=m.weight,
                target=m.target,
                unit_label=m.unit_label,
                order=order,
            )
            for order, m in enumerate(MEASURES.values(), start=1)
        )
    if not Band.objects.exists():
        Band.objects.bulk_create(Band(label=label, floor=floor) for label, floor in BANDS)
