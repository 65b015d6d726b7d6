from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("services", "0014_item_in_district"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="item", name="item_city"),
        migrations.RemoveIndex(model_name="item", name="item_district"),
    ]
