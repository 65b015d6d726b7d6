from django.db import migrations, models

from core.expand import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False  # the index is built beside the writers

    dependencies = [
        ("services", "0013_item_in_city"),
    ]

    operations = [
        AddIndexBeside(
            model_name="item",
            index=models.Index(
                fields=["district", "state", "-id"],
                include=("city", "kind", "topic", "beneficiary", "unit", "claimed", "capacity"),
                name="item_in_district",
            ),
        ),
    ]
