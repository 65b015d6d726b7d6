from __future__ import annotations

from django.db.models import Count, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from orgs.models import PlacedQuerySet


def in_band(standard) -> Q:
    """Both counts within the standard."""
    return Q(
        households__gte=standard.households_min,
        households__lte=standard.households_max,
        members__gte=standard.members_min,
        members__lte=standard.members_max,
    )


class GridProfileQuerySet(PlacedQuerySet):
    def with_vacancies(self):
        """`vacancies`: how many of the grid's posts nobody holds."""
        from grids.models.post import GridPost

        vacant = (
            GridPost.objects.vacant()
            .filter(area=OuterRef("area"))
            .order_by()
            .values("area")
            .annotate(n=Count("pk"))
            .values("n")
        )
        return self.annotate(vacancies=Coalesce(Subquery(vacant, output_field=IntegerField()), 0))


class GridPostQuerySet(PlacedQuerySet):
    def vacant(self):
        return self.filter(holder="", kind__is_active=True)

    def held(self):
        return self.exclude(holder="").filter(kind__is_active=True)
