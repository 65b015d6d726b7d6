"""Claims: the matters in hand, one of them, and making one."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django import forms
from django.db.models import Model

from core import people
from core.scope import get_visible, require
from core.transitions import machine_of
from core.views import ActionFormView, DetailView, ListView
from core.views.details import transit_urls
from services.actions.claims import claim_item
from services.enums import PATH
from services.filters import ClaimFilter
from services.forms import ClaimForm
from services.models import Claim, Item, Rating, Rectification
from services.tables import ClaimTable, delivered

_LABEL = "认领办理"


class ClaimList(ListView):
    model = Claim
    table = ClaimTable
    filters = ClaimFilter
    perm = "services.view"
    title = _LABEL
    bulk = ("accept", "close")
    empty = "还没有认领。请在“可认领事项”中选择一项，确认后即完成认领。"


class ClaimDetail(DetailView):
    model = Claim
    template = "services/claim.html"
    perm = "services.view"
    path = PATH
    related = ("item__area", "item__unit", "unit", "area", "clause__agreement")
    list_label = _LABEL

    @cached_property
    def rating(self) -> Rating | None:
        found = Rating.objects.filter(claim=self.object).select_related("rectification").first()
        if found is not None:
            found.claim = self.object  # with the sides that are read already
        return found

    @property
    def matter(self) -> Rectification | None:
        """The rectification; it has no page of its own, and is waited for, put right and told here."""
        return getattr(self.rating, "rectification", None)

    def story(self) -> list[Model]:
        return [self.object, self.matter] if self.matter else [self.object]

    def extra(self) -> dict[str, Any]:
        return {
            "rating": self.rating,
            "delivered": delivered(self.object),
            "matter": self.matter,
            **(self._of_matter(self.matter) if self.matter else {}),
        }

    def _of_matter(self, matter: Rectification) -> dict[str, Any]:
        machine, user = machine_of(matter), self.request.user
        return {
            "matter_offers": machine.offers(matter, user),
            "matter_url": transit_urls(matter, self.place_suffix),
            "matter_waits_for": people.waited_for(machine, matter, user),
        }


class ClaimAdd(ActionFormView):
    """Claim one item; its side, date and responsible person are filled in. 404 for an item out
    of sight, 403 for one that the person sees and may not claim."""

    model = Claim
    form = ClaimForm
    action = staticmethod(claim_item)
    creates = True
    perm = "services.claim"
    template = "services/claim_form.html"
    title = "认领"
    submit = "确认认领"
    done = "认领成功，请在 7 日内与对方联系。"
    list_label = _LABEL

    def check_right(self) -> None:
        self.item = get_visible(Item.objects, self.request.user, pk=self.kwargs["pk"])
        require(self.request.user, self.perm, self.item)

    def build(self, *data: Any) -> forms.Form:
        initial = {"side": f"area-{self.place.pk}"} if self.place else {}
        return ClaimForm(*data, item=self.item, user=self.request.user, initial=initial)

    def run(self, data: dict[str, Any]) -> Claim:
        return claim_item(item=self.item, by=self.request.user, **data)

    def crumbs(self) -> list[tuple[str, str]]:
        here = self.item.get_absolute_url() + self.place_suffix
        return [*super().crumbs(), (str(self.item), here)]
