"""Where a new city starts. The rows are data from then on: nothing here overwrites them."""

from __future__ import annotations

from grids.models import GridStandard, PostKind

# 一格五员 (domain.md row 7)
POSTS = [
    ("网格长", "统筹网格党建与服务，召集网格议事"),
    ("网格指导员", "街道下派，指导网格党组织工作"),
    ("专职网格员", "日常走访、收集需求、上报事项"),
    ("网格警务员", "社区民警，联系治安与调解"),
    ("网格督导员", "督促事项办理，听取居民评价"),
]


def fill(**kwargs) -> None:
    """After migrations: fill the tables that are still empty."""
    if not PostKind.objects.exists():
        PostKind.objects.bulk_create(
            PostKind(name=name, duty=duty, order=order)
            for order, (name, duty) in enumerate(POSTS, start=1)
        )
    if not GridStandard.objects.exists():
        GridStandard.objects.create(pk=1)
