from django.db import migrations, models

from core.expand import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False  # the index is built beside the writers

    dependencies = [
        ("services", "0005_item_counted"),
    ]

    operations = [
        AddIndexBeside(
            model_name="item",
            index=models.Index(
                fields=["id"], include=("community", "street", "district"), name="item_place"
            ),
        ),
    ]
