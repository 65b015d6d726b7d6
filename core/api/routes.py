"""Addresses of the API: what each app registers, and one for each transition of its table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path
from rest_framework.routers import SimpleRouter

from core.transitions import MACHINES


class Router(SimpleRouter):
    """``<noun>/``, ``<noun>/<id>/`` and ``<noun>/<id>/transitions/<name>/``."""

    def __init__(self) -> None:
        super().__init__(use_regex_path=False)

    def get_method_map(self, viewset: type, method_map: dict[str, str]) -> dict[str, str]:
        """Only what the viewset declares: without `creates` a POST is 405."""
        bound = super().get_method_map(viewset, method_map)
        absent = {"update", "destroy"}
        absent |= set() if viewset.creates else {"create"}
        absent |= set() if viewset.updates else {"partial_update"}
        return {method: action for method, action in bound.items() if action not in absent}

    def get_urls(self) -> list[URLPattern]:
        urls = super().get_urls()
        for noun, viewset, basename in self.registry:
            machine = MACHINES.get(viewset.model._meta.label_lower)
            for step in machine.transitions.values() if machine else ():
                if step.perm is None:  # the system's own
                    continue
                view = viewset.as_view(
                    {"post": "transit"}, step=step, basename=basename, detail=True
                )
                kind = viewset.lookup_value_converter
                route = f"{noun}/<{kind}:pk>/transitions/{step.name}/"
                urls.append(path(route, view, name=f"{basename}-{step.name}"))
        return urls


router = Router()


def register(noun: str) -> Callable[[type], type]:
    """Put a viewset at /api/v1/<noun>/."""

    def registered(viewset: type) -> Any:
        router.register(noun, viewset, basename=noun)
        return viewset

    return registered
