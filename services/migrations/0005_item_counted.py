from django.db import migrations, models

from core.expand import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False  # the index is built beside the writers

    dependencies = [
        ("orgs", "0006_lighter_history"),
        ("services", "0004_item_closed"),
    ]

    operations = [
        AddIndexBeside(
            model_name="item",
            index=models.Index(
                fields=["published_at"],
                include=("community", "street", "district", "kind", "state", "claimed"),
                name="item_counted",
            ),
        ),
    ]
