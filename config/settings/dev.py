"""The trial: SQLite and secrets under var/, made on first use; what `make demo` runs on."""

from .base import *
