#!/usr/bin/env python
"""Django's command line; with nothing set it works on what `make demo` made."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    from django.core.management import execute_from_command_line

    import config.celery  # noqa: F401  (tasks are sent through this application)

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
