from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, models, transaction

from core.scope import ScopedQuerySet
from orgs.enums import STAMPS


def stamp_field() -> models.ForeignKey:
    """The id of the ancestor at one level.

    Without a database constraint: a stamp is a copy out of a row that can never be deleted,
    `check_tree` holds it against the tree, and five more checks a row would double what a fact
    costs to write (docs/adr/0007-orgs-stamps-and-history.md).
    """
    return models.ForeignKey(
        "orgs.Area",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )


class PlacedQuerySet(ScopedQuerySet):
    def at(self, area):
        """Facts of `area` and all below it. One indexed column, whatever the level."""
        if area.kind == "building":
            return self.filter(area=area)
        return self.filter(**{f"{area.kind}_id": area.pk})


class Placed(models.Model):
    """A fact that happens somewhere on the tree: `area` is where, the stamps its ancestors.

    A save that sets or changes `area` stamps; any other save leaves the stamps to
    `orgs.actions.tree`, which restamps what hangs below a moved node in one statement a model.
    With `bulk_create` call `stamp_all(objects)` first, in the same transaction.
    Each model declares the indexes that its lists need, e.g. (community, state, -id).
    """

    area = models.ForeignKey(
        "orgs.Area", models.PROTECT, related_name="+", db_index=False, verbose_name="所在地"
    )
    city = stamp_field()
    district = stamp_field()
    street = stamp_field()
    community = stamp_field()
    grid = stamp_field()

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db, field_names, values):
        obj = super().from_db(db, field_names, values)
        obj._placed_at = obj.__dict__.get("area_id")
        return obj

    def stamp(self) -> None:
        """Copy the ancestors' ids from the area, as the database has them now."""
        stamp_all([self])

    def save(self, *args, **kwargs):
        names = kwargs.get("update_fields")
        placed = self._state.adding or (
            "area_id" in self.__dict__ and self.area_id != getattr(self, "_placed_at", None)
        )
        if placed and (names is None or {"area", "area_id"} & set(names)):
            with transaction.atomic(savepoint=False):
                self.stamp()
                if names is not None:
                    kwargs["update_fields"] = {*names, *STAMPS}
                super().save(*args, **kwargs)
            self._placed_at = self.area_id
            return
        if names is None:
            # Stamps in memory may be older than a move of the tree: they are not written back.
            deferred = self.get_deferred_fields()
            kwargs["update_fields"] = [
                f.name
                for f in self._meta.concrete_fields
                if not f.primary_key and f.name not in STAMPS and f.attname not in deferred
            ]
        super().save(*args, **kwargs)


def stamp_all(objects: Iterable[Placed]) -> None:
    """Stamp facts about to be written, in the transaction that writes them.

    Reads the places fresh and, on PostgreSQL, holds them until the transaction ends: a move that
    runs meanwhile waits, and then restamps these facts too.
    """
    objects = list(objects)
    if not objects:
        return
    places = _hold({obj.area_id for obj in objects})
    for obj in objects:
        stamps = places[obj.area_id]
        if "fields_cache" in vars(obj._state):  # it may hold the places of before
            for name, value in stamps.items():
                setattr(obj, name, value)
        else:
            vars(obj).update(stamps)


def _hold(area_ids: set[int]) -> dict[int, dict[str, int | None]]:
    """The stamps below each of these areas, by attribute."""
    from orgs.models.area import Area

    names = [f"{level}_id" for level in STAMPS]
    fields = ("pk", *names)
    rows = Area._base_manager.filter(pk__in=area_ids).order_by("pk").values_list(*fields)
    if connection.vendor != "postgresql":  # SQLite: one writer at a time anyway
        return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        # Shared, so that writers of facts do not wait for one another (FOR UPDATE would).
        cursor.execute(f"{sql} FOR SHARE", params)
        return {row[0]: dict(zip(names, row[1:], strict=True)) for row in cursor.fetchall()}
