from core.models.audit import AuditChain, AuditEvent
from core.models.job import Job
from core.models.notification import Notification

__all__ = ["AuditChain", "AuditEvent", "Job", "Notification"]
