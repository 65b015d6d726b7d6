"""The project as the guards walk it: its rooms, its files, its addresses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Model
from django.urls import get_resolver
from django.urls.resolvers import RoutePattern, URLResolver

from core.api import ScopedViewSet
from core.transitions import Transition

ROOMS = (
    *("core", "orgs", "accounts", "grids", "alliance", "members", "services", "reports", "portal"),
)


def models() -> list[type[Model]]:
    """Every concrete model of the rooms."""
    return [m for m in apps.get_models() if m.__module__.partition(".")[0] in ROOMS]


def sources(*suffixes: str, roots: tuple[str, ...] = ROOMS) -> list[Path]:
    """The project's own files of these kinds, without what is generated or fetched."""
    skipped = {"migrations", "node_modules", "__pycache__", "dist"}
    return sorted(
        path
        for root in roots
        for path in (settings.BASE_DIR / root).rglob("*")
        if path.suffix in suffixes and not skipped & set(path.parts)
    )


def name_of(path: Path) -> str:
    return path.relative_to(settings.BASE_DIR).as_posix()


@dataclass(frozen=True)
class Route:
    """One address: its name, what answers it, and what that declares of itself."""

    name: str
    pattern: str
    callback: Any

    @property
    def view(self) -> Any:
        """The view's class, or the function itself."""
        found = getattr(self.callback, "view_class", None) or getattr(self.callback, "cls", None)
        return found or self.callback

    @property
    def declared(self) -> dict[str, Any]:
        """Attributes given in the URL table (`as_view(model=…)`, a transition's step)."""
        given = getattr(self.callback, "view_initkwargs", None)
        return given or getattr(self.callback, "initkwargs", {}) or {}

    def of(self, attribute: str) -> Any:
        return self.declared.get(attribute, getattr(self.view, attribute, None))

    @property
    def model(self) -> type[Model] | None:
        return self.of("model")

    @property
    def perm(self) -> str | None:
        """The permission that the view asks for, or the sheet that it brings in or out."""
        sheet = self.declared.get("resource") or self.declared.get("exporter")
        return sheet.perm if sheet else self.of("perm")

    @property
    def step(self) -> Transition | None:
        """The transition that this address of the API takes."""
        return self.declared.get("step")

    @property
    def is_api(self) -> bool:
        return isinstance(self.view, type) and issubclass(self.view, ScopedViewSet)

    @property
    def takes_pk(self) -> bool:
        return ":pk>" in self.pattern

    @property
    def params(self) -> list[str]:
        """Names of the address's variable parts besides pk."""
        parts = self.pattern.split("<")[1:]
        names = [part.partition(">")[0].partition(":")[2] for part in parts]
        return [name for name in names if name != "pk"]

    @property
    def methods(self) -> set[str]:
        """get and post, as far as the view answers them."""
        if self.is_api:
            return set(self.callback.actions) & {"get", "post", "patch"}
        if isinstance(self.view, type):
            allowed = set(self.view.http_method_names)
            return {m for m in ("get", "post") if m in allowed and hasattr(self.view, m)}
        return {"get", "post"}


def routes() -> list[Route]:
    """Every address of the platform."""
    return list(_walk(get_resolver(), "", ""))


def _walk(resolver: URLResolver, prefix: str, space: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from _walk(entry, pattern, inner)
        elif isinstance(entry.pattern, RoutePattern):
            yield Route(f"{space}{entry.name}", pattern, entry.callback)
