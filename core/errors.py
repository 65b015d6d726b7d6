"""Errors that a person reads. The message is Chinese: what, where, what to do next."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied


class Refused(Exception):
    """A rule of the field forbids this now. `str(error)` is shown to the person as it is.

    `field` names the form field at fault, if one is.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Conflict(Refused):
    """Somebody else was first: the state, version or last place changed meanwhile."""


class OutOfReach(Refused, PermissionDenied):
    """The save would take the fact out of the person's own reach: told in the form, 403 elsewhere."""
