from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "基础"

    def ready(self) -> None:
        # Tables of transitions, kinds of job, receivers of signals and what an app puts into the
        # console's shell stand in their own files of each app.
        autodiscover_modules("transitions", "tasks", "receivers", "console")
