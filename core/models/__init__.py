from core.models.audit import AuditChain, AuditEvent

__all__ = ["AuditChain", "AuditEvent"]
