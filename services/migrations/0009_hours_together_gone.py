from django.db import migrations


class Migration(migrations.Migration):
    """The check that let hours without an end pass; `item_hours_whole` stands in its place."""

    dependencies = [
        ("services", "0008_hours_whole"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="item", name="item_hours_together"),
    ]
