from reports.views.evidence import Evidence
from reports.views.overview import Overview
from reports.views.reviews import AdjustReview, ReviewDetail, ReviewList
from reports.views.runs import ApproveAll, ReportAll, RunAdd, RunDetail, RunList

__all__ = [
    "AdjustReview",
    "ApproveAll",
    "Evidence",
    "Overview",
    "ReportAll",
    "ReviewDetail",
    "ReviewList",
    "RunAdd",
    "RunDetail",
    "RunList",
]
