from django.db import migrations, models

from core.expand import AddConstraintBeside


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("services", "9002_index")]
    operations = [
        AddConstraintBeside(
            "item",
            models.CheckConstraint(condition=models.Q(weight__gte=0), name="item_weight"),
        )
    ]
