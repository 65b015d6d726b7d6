import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    """Counts may be unknown, and a post says whether it is held."""

    dependencies = [("grids", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="gridprofile",
            name="households",
            field=models.PositiveIntegerField(
                null=True,
                validators=[django.core.validators.MaxValueValidator(99999)],
                verbose_name="户数",
            ),
        ),
        migrations.AlterField(
            model_name="gridprofile",
            name="members",
            field=models.PositiveIntegerField(
                null=True,
                validators=[django.core.validators.MaxValueValidator(99999)],
                verbose_name="党员数",
            ),
        ),
        migrations.AlterField(
            model_name="gridprofile",
            name="counted_on",
            field=models.DateField(null=True, verbose_name="统计日期"),
        ),
        migrations.RemoveConstraint(
            model_name="gridpost", name="grid_post_holder_and_date_together"
        ),
        migrations.AddField(
            model_name="gridpost",
            name="state",
            field=models.CharField(
                choices=[("vacant", "空缺"), ("held", "在岗")],
                default="vacant",
                max_length=8,
                verbose_name="状态",
            ),
        ),
    ]
