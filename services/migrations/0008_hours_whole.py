from django.db import migrations, models

from core.expand import AddConstraintBeside


class Migration(migrations.Migration):
    """In the release of its mending: the version that serves meanwhile keeps to it already, since
    its action has refused such hours from the beginning."""

    atomic = False  # the rows are read beside the writers

    dependencies = [
        ("services", "0007_hours_mended"),
    ]

    operations = [
        AddConstraintBeside(
            model_name="item",
            constraint=models.CheckConstraint(
                name="item_hours_whole",
                condition=models.Q(("closes_at__isnull", True), ("opens_at__isnull", True))
                | models.Q(
                    ("closes_at__gt", models.F("opens_at")),
                    ("closes_at__isnull", False),
                    ("opens_at__isnull", False),
                ),
                violation_error_message="开放时间和结束时间须同时填写，且结束晚于开放。",
            ),
        ),
    ]
