"""Opening hours without an end, which no version's action writes and the check let pass.

An item that has them cannot be shown, so nothing that anybody reads is lost with the start; it stays
in the audit log, and on the item's timeline.
"""

from django.db import migrations, transaction

from core import audit

BATCH = 500
WHY = "只有开放时间、没有结束时间，无法公布，已清空。"


def mend(apps, editor):
    """A few rows at a time, each in a transaction of its own, until none is left."""
    Item = apps.get_model("services", "Item")
    Item.__str__ = lambda item: item.title  # as the log is to name it
    items = Item.objects
    half = items.filter(opens_at__isnull=False, closes_at=None).order_by("pk")
    while True:
        with transaction.atomic(editor.connection.alias):
            some = list(half.select_for_update(of=("self",))[:BATCH])
            if not some:
                return
            items.filter(pk__in=[item.pk for item in some]).update(opens_at=None)
            audit.record_many(
                "services.item.update",
                [
                    audit.Entry(item, {"opens_at": item.opens_at}, {"opens_at": None})
                    for item in some
                ],
                by=None,
                reason=WHY,
            )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("core", "0011_saved_view"),  # the audit log
        ("services", "0006_item_place"),
    ]

    operations = [migrations.RunPython(mend, migrations.RunPython.noop)]
