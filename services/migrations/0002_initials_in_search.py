"""Items are found by the initials of their titles: the text that is searched is made anew."""

from django.db import migrations

from orgs.pinyin import reading

BATCH = 1000


def spell(apps, schema_editor):
    Item = apps.get_model("services", "Item")
    last = 0
    while True:
        fields = ("pk", "number", "publisher", "title", "content", "venue")
        rows = list(Item.objects.filter(pk__gt=last).order_by("pk").only(*fields)[:BATCH])
        if not rows:
            return
        for row in rows:
            typed = reading(row.title).initials
            parts = (row.number, row.publisher, row.title, typed, row.content, row.venue)
            row.search = " ".join(parts).lower()
        Item.objects.bulk_update(rows, ["search"])
        last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("services", "0001_initial")]

    operations = [migrations.RunPython(spell, migrations.RunPython.noop)]
