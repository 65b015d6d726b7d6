from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = "考核报表"

    def ready(self) -> None:
        from reports import defaults

        post_migrate.connect(defaults.fill, sender=self, dispatch_uid="reports.defaults")
