from itertools import groupby

from core.views import Action, ActionFormView, DetailView, ListView
from reports.actions.review import adjust
from reports.enums import Category, ReviewState
from reports.filters import ReviewFilter
from reports.forms import AdjustForm
from reports.models import Review
from reports.queries import score_lines
from reports.tables import ReviewTable


class ReviewList(ListView):
    model = Review
    table = ReviewTable
    filters = ReviewFilter
    perm = "reports.view"
    title = "评估结果"
    lead = "每个指标都由日常记录算出，点进去可以看到计入的每一条记录。"
    empty = "还没有评估结果。由组织部门发起评估后，各单位的得分会显示在这里。"
    actions = (
        Action("发起评估", "reports:run-add", perm="reports.run", tone="primary"),
        Action(
            "导出考核汇总表", "reports:assessment-export", perm="reports.export", icon="download"
        ),
        Action("批量上报", "reports:report-all", perm="reports.submit", within=Review.scope),
        Action("批量审定", "reports:approve-all", perm="reports.approve", within=Review.scope),
        Action("评估批次", "reports:runs", perm="reports.view"),
    )


class ReviewDetail(DetailView):
    model = Review
    template = "reports/review.html"
    perm = "reports.view"
    path = tuple(ReviewState)
    related = ("area", "run", "parent_area")
    list_label = "评估结果"
    actions = (Action("加分或扣分", "reports:review-adjust", perm="reports.approve"),)

    def extra(self):
        lines = score_lines(self.object)
        groups = [
            (Category(category).label, list(own))
            for category, own in groupby(lines, lambda line: line["category"])
        ]
        return {
            "groups": groups,
            "lacking": any(line["score"].value is None for line in lines),
            "adjustments": self.object.adjustments.select_related("given_by").order_by("pk"),
        }


class AdjustReview(ActionFormView):
    model = Review
    form = AdjustForm
    action = staticmethod(adjust)
    perm = "reports.approve"
    title = "加分或扣分"
    submit = "确定"
    done = "已记入，总分已更新。"
    list_label = "评估结果"

    def initial(self):
        return {}

    def success_url(self, result):
        return self.object.get_absolute_url() + self.place_suffix
