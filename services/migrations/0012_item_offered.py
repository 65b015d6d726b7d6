from django.db import migrations, models

from core.expand import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False  # the index is built beside the writers

    dependencies = [
        ("services", "0011_rectification_dated_gone"),
    ]

    operations = [
        AddIndexBeside(
            model_name="item",
            index=models.Index(
                fields=["-carried", "-id"],
                condition=models.Q(state="published", claimed__lt=models.F("capacity")),
                name="item_offered",
            ),
        ),
    ]
