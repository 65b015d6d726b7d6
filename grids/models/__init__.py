from grids.models.post import GridPost, PostKind
from grids.models.profile import GridProfile, GridStandard

__all__ = ["GridPost", "GridProfile", "GridStandard", "PostKind"]
