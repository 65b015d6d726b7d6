from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = "居民门户"

    def ready(self) -> None:
        from portal import stamp

        stamp.install()
