"""Background jobs: the list, one with its progress, its result."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from core import jobs, notify, replica
from core.enums import JobState
from core.errors import Refused
from core.files import send_file
from core.filters import FilterSet, Search
from core.models import Job
from core.tables import Column, Table
from core.views import DetailView, ListView, ObjectView

log = logging.getLogger(__name__)

_TONES = {state.value: state.tone for state in JobState}


def _progress(job: Job) -> str:
    if not job.is_active:
        return job.error or job.message
    percent = f"{job.percent}%" if job.percent is not None else ""
    return " ".join(filter(None, (percent, job.message)))


class JobTable(Table):
    columns = (
        Column("title", "任务", link=True),
        Column("state", "状态", tag=_TONES),
        Column("message", "进展", render=_progress),
        Column("owner", "发起人", minor=True),
        Column("created_at", "提交时间", time=True, sort="pk"),
        Column("finished_at", "结束时间", time=True, minor=True),
    )


class JobFilter(FilterSet):
    q = Search(fields=("title__icontains",), label="查找任务", hint="任务名称")

    class Meta:
        model = Job
        fields = ("state",)


class JobList(ListView):
    """One's own jobs; all of them for who watches over jobs."""

    model = Job
    table = JobTable
    filters = JobFilter
    title = "后台任务"
    exports = False  # each file would be a job more
    empty = "导入、导出和评估在后台进行，发起后会列在这里。"


class JobDetail(DetailView):
    """Its block `job` is asked for every two seconds while the job is active. Once it has ended
    the answer has the browser load the page anew, since buttons and results changed too; so the
    block may stand on any page (`ui.job`)."""

    model = Job
    template = "core/job.html"
    related = ("owner",)
    list_label = "后台任务"
    blocks = ("page", "job")

    def get_object(self) -> Job:
        job = super().get_object()
        if not job.is_active:
            replica.note_write()  # what the job wrote is what is looked at next
        return job

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.wanted_block() == "job":
            job = self.get_object()
            if job.is_active:
                return self.page(object=job)
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        return super().get(request, *args, **kwargs)

    def extra(self) -> dict[str, Any]:
        about = self.object.about
        scope = getattr(type(about), "scope", None)
        seen = scope is not None and scope.holds(about, self.request.user)
        return {"about": about, "about_url": notify.address_of(about) if seen else ""}


class JobResult(ObjectView):
    model = Job

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        job = self.get_object()
        try:
            path, name = jobs.result_of(job, request.user)
            return send_file(path, name)
        except Refused as refusal:
            messages.error(request, refusal.message)
        except FileNotFoundError:
            log.exception("job %s: result file is gone", job.pk)
            messages.error(request, "结果文件已不在存储中。请点“重试”重新生成，或联系系统管理员。")
        return HttpResponseRedirect(reverse("core:job", args=[job.pk]))
