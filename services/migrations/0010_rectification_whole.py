from django.db import migrations, models

from core.expand import AddConstraintBeside


class Migration(migrations.Migration):
    """A closed rectification has the dates of its report and of its end: without either the former
    check was NULL, which passes. Every version that has served sets both: nothing is to mend."""

    atomic = False  # the rows are read beside the writers

    dependencies = [
        ("services", "0009_hours_together_gone"),
    ]

    operations = [
        AddConstraintBeside(
            model_name="rectification",
            constraint=models.CheckConstraint(
                name="rectification_whole",
                condition=models.Q(("closed_at__isnull", True), ("state", "open"))
                | models.Q(
                    ("closed_at__isnull", True),
                    ("reported_at__isnull", False),
                    ("state", "reported"),
                )
                | models.Q(
                    ("closed_at__gte", models.F("reported_at")),
                    ("closed_at__isnull", False),
                    ("reported_at__isnull", False),
                    ("state", "closed"),
                ),
            ),
        ),
    ]
