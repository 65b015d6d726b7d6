
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orgs', '0005_unit_left_on'),
        ('services', '0003_search_by_pairs'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='item',
            index=models.Index(condition=models.Q(('closed_at__isnull', False)), fields=['closed_at'], name='item_closed'),
        ),
    ]
