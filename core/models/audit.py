from django.db import models

from core.scope import Scope, ScopedManager


class AuditEvent(models.Model):
    """One thing somebody did. Append-only (database triggers), hash-chained, no foreign keys:
    it outlives whatever it tells of. Written by `core.audit.record` alone."""

    chain = models.PositiveSmallIntegerField("链")
    seq = models.PositiveBigIntegerField("链内序号")
    at = models.DateTimeField("时间")
    actor_id = models.BigIntegerField("操作人编号", null=True)
    actor_name = models.CharField("操作人", max_length=64)
    action = models.CharField("动作", max_length=64)
    object_type = models.CharField("对象类型", max_length=64)
    object_id = models.CharField("对象编号", max_length=64)
    object_label = models.CharField("对象", max_length=200)
    reason = models.TextField("理由", blank=True)
    # Canonical JSON text, not jsonb: the hash is over these very characters.
    before = models.TextField("此前", default="{}")
    after = models.TextField("此后", default="{}")
    request_id = models.CharField("请求编号", max_length=64, blank=True)
    prev_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    # The auditor's duty alone reaches the log; what happened to one object is shown with it.
    scope = Scope(view="audit.view")
    objects = ScopedManager()

    class Meta:
        verbose_name = "审计记录"
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="audit_chain_seq")]
        indexes = [
            models.Index(fields=["object_type", "object_id", "id"], name="audit_object"),
            models.Index(fields=["actor_id", "id"], name="audit_actor"),
            models.Index(fields=["at", "id"], name="audit_at"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_label}"


class AuditChain(models.Model):
    """The head of one chain. A writer locks a free head, so parallel writers neither fork a
    chain nor wait for one another; `verify_audit` holds the heads against the rows."""

    number = models.PositiveSmallIntegerField(primary_key=True)
    seq = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)
    seal = models.CharField(max_length=64)

    class Meta:
        verbose_name = "审计链"

    def __str__(self) -> str:
        return f"链 {self.number} @ {self.seq}"
