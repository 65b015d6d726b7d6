"""The attacks walk the same small city as the guards."""

from tests.guards.conftest import world

__all__ = ["world"]
