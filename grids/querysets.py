from __future__ import annotations

from django.db.models import Count, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from grids.enums import PostState
from orgs.enums import AreaState
from orgs.models import PlacedQuerySet


def in_band(standard) -> Q:
    """Both counts within the standard. Neither true nor false of a grid that nobody counted."""
    return Q(
        households__gte=standard.households_min,
        households__lte=standard.households_max,
        members__gte=standard.members_min,
        members__lte=standard.members_max,
    )


class GridProfileQuerySet(PlacedQuerySet):
    def in_use(self):
        """Without the grids that were struck off; one that was merged counts in its successor."""
        return self.filter(area__state=AreaState.ACTIVE)

    def counted(self):
        return self.filter(counted_on__isnull=False)

    def uncounted(self):
        return self.filter(counted_on__isnull=True)

    def with_vacancies(self):
        """`vacancies`: how many of the grid's posts are to be filled."""
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
    def in_use(self):
        """Posts that a grid should have: of the kinds in force, in grids that were not struck off."""
        return self.filter(kind__is_active=True, area__state=AreaState.ACTIVE)

    def vacant(self):
        return self.in_use().filter(state=PostState.VACANT)
