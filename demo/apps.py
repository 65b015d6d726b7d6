from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Plausible activity to try the platform on. Not installed in production."""

    name = "demo"
    verbose_name = "演示数据"
