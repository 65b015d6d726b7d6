from django.apps import AppConfig
from django.db.models.signals import post_migrate


class GridsConfig(AppConfig):
    name = "grids"
    verbose_name = "网格"

    def ready(self) -> None:
        from grids import defaults

        post_migrate.connect(defaults.fill, sender=self, dispatch_uid="grids.defaults")
