from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "基础"

    def ready(self) -> None:
        # Tables of transitions, kinds of job, receivers of signals, what an app puts into the
        # console's shell and the tables it imports and exports stand in their own files of each
        # app; the modules of the second line are core's own.
        autodiscover_modules("transitions", "tasks", "receivers", "console", "sheets", "checks")
        autodiscover_modules("exports", "imports", "bulk", "list_export", "pages.shell")
