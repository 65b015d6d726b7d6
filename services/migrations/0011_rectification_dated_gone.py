from django.db import migrations


class Migration(migrations.Migration):
    """The check that let missing dates pass; `rectification_whole` stands in its place."""

    dependencies = [
        ("services", "0010_rectification_whole"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="rectification", name="rectification_dated"),
    ]
