from django.urls import reverse

from core.models import Job
from core.periods import last_finished
from core.views import Action, ActionFormView, DetailView, ListView
from reports.actions.compute import start_run
from reports.actions.review import raise_later
from reports.filters import RunFilter
from reports.forms import ApproveAllForm, ReportAllForm, RunForm
from reports.models import Review, Run
from reports.tables import RunTable


class _OfResults:
    """Runs hang on the list of results: only who may start one has them in the menu."""

    def crumbs(self):
        above = ("评估结果", reverse("reports:reviews") + self.place_suffix)
        return [above, *(crumb for crumb in super().crumbs() if crumb != above)]


class RunList(_OfResults, ListView):
    model = Run
    table = RunTable
    filters = RunFilter
    perm = "reports.view"
    title = "评估批次"
    empty = "还没有发起过评估。季度结束后系统会自动发起，也可以现在发起。"
    actions = (Action("发起评估", "reports:run-add", perm="reports.run", tone="primary"),)


class RunDetail(_OfResults, DetailView):
    model = Run
    template = "reports/run.html"
    perm = "reports.view"
    related = ("area", "started_by")
    list_label = "评估批次"

    def extra(self):
        reviews = Review.objects.visible_to(self.request.user).filter(run=self.object)
        jobs = Job.objects.visible_to(self.request.user)  # the system's own and others' are not
        return {
            "job": jobs.filter(pk=self.object.job_id).first(),
            "written": reviews.count(),
        }


class _ForPlace(_OfResults, ActionFormView):
    """A deed for a place and a period; the chosen place and the last finished quarter offered."""

    creates = True

    def initial(self):
        found = {"period": last_finished().text}
        return {**found, "area": self.place.pk} if self.place else found


class RunAdd(_ForPlace):
    model = Run
    form = RunForm
    action = staticmethod(start_run)
    perm = "reports.run"
    title = "发起评估"
    lead = "在后台统计各项记录并打分，完成后通知您。已上报、已审定的单位不会重算。"
    submit = "开始评估"
    done = "评估已开始，可以离开本页，完成后会通知您。"


class _RaiseAll(_ForPlace):
    model = Review
    step = ""

    def run(self, data):
        return raise_later(step=self.step, by=self.request.user, **data)

    def success_url(self, result):
        return reverse("core:job", args=[result.pk])


class ReportAll(_RaiseAll):
    form = ReportAllForm
    step = "report"
    perm = "reports.submit"
    title = "批量上报"
    lead = "把所选范围内已核对的评估结果逐级上报。下级没有上报的单位会列出原因，不影响其他单位。"
    submit = "开始上报"
    done = "已在后台开始上报。"


class ApproveAll(_RaiseAll):
    form = ApproveAllForm
    step = "approve"
    perm = "reports.approve"
    title = "批量审定"
    lead = "把所选范围内已上报的评估结果自下而上审定。审定后锁定；下级未审定的单位会列出原因。"
    submit = "开始审定"
    done = "已在后台开始审定。"
