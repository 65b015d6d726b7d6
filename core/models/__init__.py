from core.models.attachment import Attachment
from core.models.audit import AuditChain, AuditEvent
from core.models.draft import Draft
from core.models.job import Job
from core.models.notification import Notification
from core.models.saved_view import DefaultView, SavedView
from core.models.sheet_import import SheetImport
from core.models.watch import Watch
from core.models.workday import WorkdayOverride

__all__ = [
    "Attachment",
    "AuditChain",
    "AuditEvent",
    "DefaultView",
    "Draft",
    "Job",
    "Notification",
    "SavedView",
    "SheetImport",
    "Watch",
    "WorkdayOverride",
]
