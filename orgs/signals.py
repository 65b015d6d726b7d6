"""What happens to the tree, told to the rooms above in the same transaction."""

from django.dispatch import Signal

# areas: queryset of the new nodes; by: user or None.
areas_added = Signal()

# area: the retired node; successor: the node it was merged into, or None; day: the first day
# without it; reason: as given, may be empty; by: user or None. Active children have already gone
# along to the successor.
area_retired = Signal()
