"""What a review counts. Each source reads one table once for all its figures; each figure is a
condition, so that the number and the records behind it come from the same definition.

::

    source.count(period, [*place_ids(area, period)])  # {area id: [number, …]}, one query
    measure.records(area, period)                   # the rows that a score opens to

The catalogue of measures stands in `reports.catalogue`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from core.among import Among
from core.periods import Period
from orgs.models import Area
from reports.enums import Basis
from reports.queries import place_ids

When = Callable[[Period], Q]
Numbers = dict[int, list[Any]]  # {area id: a number a figure}
FEW = 200  # places
_LEVELS = ("community", "street", "district")  # a row is the first's that it names


@dataclass(frozen=True)
class Figure:
    """One number of a source. `when` narrows the source's rows; `of` is what is counted:
    rows, `distinct:<field>` or `sum:<field>`.

    `apart` counts it in a query of its own, with `when` among the conditions of the whole: what
    asks of each row whether others exist is then one join and not a question a row."""

    name: str
    when: When = field(default=lambda period: Q())
    of: str = "rows"
    apart: bool = False

    def aggregate(self, period: Period):
        how, _, column = self.of.partition(":")
        condition = Q() if self.apart else self.when(period)
        if how == "sum":
            return Sum(column, filter=condition, default=0)
        return Count(column or "pk", filter=condition, distinct=how == "distinct")


@dataclass(frozen=True)
class Source:
    """Rows of one table that matter in a period. `path` leads to the placed record.

    A row belongs to its community; one that stands above any community (a unit registered
    with the street) belongs to the street or district itself, so nothing is lost on the way up.
    """

    name: str
    rows: Callable[[Period], QuerySet]
    figures: tuple[Figure, ...]
    path: str = ""
    related: tuple[str, ...] = ()  # what the name of a record is made of, read along with it
    number: str = ""  # the path to the number that people know a record by, if it has one

    def room(self, period: Period) -> str:
        """The app whose records it reads, as changes of them are marked (`reports.triggers`)."""
        return self.rows(period).model._meta.app_label

    @property
    def names(self) -> list[str]:
        return [figure.name for figure in self.figures]

    @property
    def sums(self) -> list[int]:
        """Where among the figures those stand that are no whole numbers."""
        return [at for at, figure in enumerate(self.figures) if figure.of.startswith("sum:")]

    def count(self, period: Period, places: Collection[int]) -> Numbers:
        """Every figure of every place that has rows: {area id: a number a figure, in the order of
        `figures`}. One query, and one for each figure that is counted apart.

        `places` holds the ids of districts, streets and communities.
        """
        found: Numbers = {}
        together = [f for f in self.figures if not f.apart]
        for figures in (together, *([f] for f in self.figures if f.apart)):
            at = [self.figures.index(figure) for figure in figures]
            for place, *numbers in self._counts(figures, period, places):
                own = found.setdefault(place, [0] * len(self.figures))
                for n, number in zip(at, numbers, strict=True):
                    own[n] = number
        return found

    def _counts(self, figures: list[Figure], period: Period, places: Collection[int]) -> QuerySet:
        """(area id, a number a figure) of each place."""
        place = Coalesce(*(f"{self.path}{level}_id" for level in _LEVELS))
        # A few places are found by their index; for many, one look at each row is the shorter way.
        if len(places) <= FEW:
            rows = self._within(period, places)
        else:
            rows = self.rows(period).alias(place=place).filter(Among("place", places))
        if figures[0].apart:
            rows = rows.filter(figures[0].when(period))
        counted = {f"f_{f.name}": f.aggregate(period) for f in figures}
        return rows.order_by().values_list(place).annotate(**counted)

    def records(self, name: str, period: Period, places: QuerySet) -> QuerySet:
        """The rows that figure `name` counted in `places`."""
        figure = next(f for f in self.figures if f.name == name)
        found = self._within(period, places).filter(figure.when(period))
        return found.select_related(*self.related) if self.related else found

    def _within(self, period: Period, places: QuerySet | Collection[int]) -> QuerySet:
        community, street, district = (f"{self.path}{level}" for level in _LEVELS)
        none = {f"{community}__isnull": True}
        return self.rows(period).filter(
            Q(**{f"{community}__in": places})
            | Q(**none, **{f"{street}__in": places})
            | Q(**none, **{f"{street}__isnull": True, f"{district}__in": places})
        )


@dataclass(frozen=True)
class Measure:
    """One indicator's formula: figure `part`, over figure `whole` of the same source (SHARE) or
    over the number of communities (AVERAGE). `weight` and `target` are where a new city starts;
    what is in force is data (`models.Indicator`)."""

    key: str
    label: str
    category: str
    source: Source
    part: str
    whole: str | None
    weight: int
    target: int
    unit_label: str
    about: str  # what is counted, in one sentence for those who are reviewed

    @property
    def basis(self) -> str:
        return Basis.SHARE if self.whole else Basis.AVERAGE

    @property
    def counts_rows(self) -> bool:
        """Whether the part is a number of records (and not of hours)."""
        return all(f.of == "rows" for f in self.source.figures if f.name == self.part)

    def records(self, area: Area, period: Period, *, missed: bool = False) -> QuerySet:
        """The records behind the score of `area`: those of the part; with `missed`, those of
        the whole that did not make it into the part."""
        within = place_ids(area, period)
        part = self.source.records(self.part, period, within)
        if not missed:
            return part
        if not self.whole:
            return part.none()
        whole = self.source.records(self.whole, period, within)
        return whole.exclude(pk__in=part.values("pk"))
