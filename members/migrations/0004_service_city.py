from django.db import migrations, models

from core.expand import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False  # the index is built beside the writers

    dependencies = [
        ("members", "0003_service_counted"),
    ]

    operations = [
        AddIndexBeside(
            model_name="servicerecord",
            index=models.Index(fields=["city", "-served_on", "-id"], name="service_city"),
        ),
    ]
