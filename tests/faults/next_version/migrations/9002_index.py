from django.db import migrations, models

from core.expand import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("services", "9001_expand")]
    operations = [AddIndexBeside("item", models.Index(fields=["origin"], name="item_origin"))]
