from django.db import migrations

BATCH = 5


def fill(apps, editor):
    """A few rows at a time, each in a transaction of its own, until none is left."""
    rows = apps.get_model("services", "Item").objects.filter(origin=None)
    while some := list(rows.values_list("pk", flat=True)[:BATCH]):
        rows.filter(pk__in=some).update(origin="former")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("services", "9003_check")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
