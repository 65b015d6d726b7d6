from core.scope import ScopedQuerySet


class AreaQuerySet(ScopedQuerySet):
    """Reads of the tree. With `actions/tree.py` the only code that knows lft, rght, tree_id."""

    def active(self):
        return self.filter(state="active")

    def under(self, area):
        """`area` and all below it."""
        return self.filter(tree_id=area.tree_id, lft__gte=area.lft, rght__lte=area.rght)

    def above(self, area):
        """The ancestors of `area`, from the city down, without itself."""
        return self.filter(tree_id=area.tree_id, lft__lt=area.lft, rght__gt=area.rght).order_by(
            "lft"
        )

    def in_order(self):
        """Depth first, as a reader would draw the tree."""
        return self.order_by("tree_id", "lft")
