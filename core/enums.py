from django.db import models


class JobState(models.TextChoices):
    PENDING = "pending", "待派发"
    DISPATCHED = "dispatched", "已派发"
    RUNNING = "running", "运行中"
    DONE = "done", "已完成"
    FAILED = "failed", "失败"
    CANCELLED = "cancelled", "已取消"

    @property
    def tone(self) -> str:
        return {"running": "info", "done": "ok", "failed": "bad"}.get(self.value, "neutral")


WAITING = (JobState.PENDING, JobState.DISPATCHED)  # a worker may begin it
ACTIVE = (*WAITING, JobState.RUNNING)
ENDED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class ImportState(models.TextChoices):
    CHECKING = "checking", "检查中"
    FAILED = "failed", "未能读取"
    WRONG = "wrong", "有错误"
    READY = "ready", "待确认"
    WRITING = "writing", "写入中"
    WRITTEN = "written", "已写入"
    DROPPED = "dropped", "已放弃"

    @property
    def tone(self) -> str:
        tones = {
            "failed": "bad",
            "wrong": "bad",
            "ready": "warn",
            "written": "ok",
            "dropped": "neutral",
        }
        return tones.get(self.value, "info")


IMPORT_ENDED = (ImportState.FAILED, ImportState.WRITTEN, ImportState.DROPPED)  # without a file
