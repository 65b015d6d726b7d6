"""The mechanisms in the API."""

from core.api.routes import register
from core.api.views import ScopedViewSet
from core.models import Job, Notification
from core.pages.inbox import InboxFilter
from core.pages.jobs import JobFilter


@register("jobs")
class JobApi(ScopedViewSet):
    model = Job
    perm = None  # one's own need no permission: the scope decides
    filters = JobFilter
    lookup_value_converter = "uuid"
    fields = ("id", "kind", "title", "state", "done", "total", "message", "created_at")
    detail_fields = (
        "owner_id",
        "error",
        "attempt",
        "started_at",
        "finished_at",
        "result_name",
        "result_size",
        "result_expires_at",
    )


@register("notifications")
class NotificationApi(ScopedViewSet):
    model = Notification
    perm = None
    filters = InboxFilter
    fields = ("id", "kind", "title", "body", "url", "created_at", "read_at")
