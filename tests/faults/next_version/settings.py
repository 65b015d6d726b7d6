"""The settings of a version whose `services` has more migrations than this one."""

from config.settings.test import *  # noqa: F403

MIGRATION_MODULES = {"services": "tests.faults.next_version.migrations"}
