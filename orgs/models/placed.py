from django.db import models

from core.scope import ScopedQuerySet
from orgs.enums import STAMPS


def _stamp() -> models.ForeignKey:
    return models.ForeignKey(
        "orgs.Area", models.PROTECT, null=True, editable=False, related_name="+", db_index=False
    )


class PlacedQuerySet(ScopedQuerySet):
    def at(self, area):
        """Facts of `area` and all below it. One indexed column, whatever the level."""
        if area.kind == "building":
            return self.filter(area=area)
        return self.filter(**{f"{area.kind}_id": area.pk})


class Placed(models.Model):
    """A fact that happens somewhere on the tree: `area` is where, the stamps its ancestors.

    The stamps follow `area` on every save; when the tree changes, `orgs.actions.tree` restamps
    what hangs below in one statement a model. With `bulk_create`, call `stamp()` first.
    Each model declares the indexes that its lists need, e.g. (community, state, -id).
    """

    area = models.ForeignKey(
        "orgs.Area", models.PROTECT, related_name="+", db_index=False, verbose_name="所在地"
    )
    city = _stamp()
    district = _stamp()
    street = _stamp()
    community = _stamp()
    grid = _stamp()

    class Meta:
        abstract = True

    def stamp(self) -> None:
        """Copy the ancestors' ids from `area`."""
        for level in STAMPS:
            setattr(self, f"{level}_id", getattr(self.area, f"{level}_id"))

    def save(self, *args, **kwargs):
        # A save of named fields that leaves the place alone needs no look at the tree.
        names = kwargs.get("update_fields")
        if names is None or "area" in names or "area_id" in names:
            self.stamp()
            if names is not None:
                kwargs["update_fields"] = {*names, *STAMPS}
        super().save(*args, **kwargs)
