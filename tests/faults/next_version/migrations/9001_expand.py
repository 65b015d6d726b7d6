"""Two columns that the former version does not know of and need not fill."""

from pathlib import Path

from django.db import migrations, models

from services import migrations as former

_LAST = max(path.stem for path in Path(former.__file__).parent.glob("0*.py"))


class Migration(migrations.Migration):
    dependencies = [("services", _LAST)]
    operations = [
        migrations.AddField("item", "origin", models.CharField(max_length=20, null=True)),
        migrations.AddField("item", "weight", models.IntegerField(db_default=0)),
    ]
