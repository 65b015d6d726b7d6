from django.db import migrations

STAMPS = ("city_id", "district_id", "street_id", "community_id", "grid_id")


def say_which_posts_are_held(apps, schema_editor):
    apps.get_model("grids", "GridPost").objects.exclude(holder="").update(state="held")


def open_missing_records(apps, schema_editor):
    """Grids in use that were drawn or loaded before their record came with them."""
    profiles = apps.get_model("grids", "GridProfile").objects
    posts = apps.get_model("grids", "GridPost").objects
    kinds = apps.get_model("grids", "PostKind").objects.filter(is_active=True)
    kinds = list(kinds.values_list("pk", flat=True))
    grids = apps.get_model("orgs", "Area").objects.filter(kind="grid", state="active")
    grids = grids.exclude(pk__in=profiles.values("area"))
    places = [
        {"area_id": pk, **dict(zip(STAMPS, stamps, strict=True))}
        for pk, *stamps in grids.values_list("pk", *STAMPS)
    ]
    profiles.bulk_create([profiles.model(**place) for place in places], batch_size=1000)
    posts.bulk_create(
        [posts.model(**place, kind_id=kind) for place in places for kind in kinds],
        batch_size=1000,
    )


class Migration(migrations.Migration):
    dependencies = [("grids", "0002_unknown_until_counted"), ("orgs", "0005_unit_left_on")]

    operations = [
        migrations.RunPython(say_which_posts_are_held, migrations.RunPython.noop),
        migrations.RunPython(open_missing_records, migrations.RunPython.noop),
    ]
