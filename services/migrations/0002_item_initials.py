"""Items are found by the initials of their names."""

from django.db import migrations, models

from orgs.pinyin import reading

BATCH = 1000


def spell(apps, schema_editor):
    Item = apps.get_model("services", "Item")
    last = 0
    while True:
        rows = list(Item.objects.filter(pk__gt=last).order_by("pk").only("pk", "title")[:BATCH])
        if not rows:
            return
        for row in rows:
            row.initials = reading(row.title).initials
        Item.objects.bulk_update(rows, ["initials"])
        last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("services", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="item",
            name="initials",
            field=models.CharField(
                default="", editable=False, max_length=162, verbose_name="拼音首字母"
            ),
        ),
        migrations.RunPython(spell, migrations.RunPython.noop),
    ]
