"""The components of the console, each in every state: the reference for whoever writes a page.

A new file in `templates/_components/` gets a line in `SPECIMENS` and a file of its states in
`templates/core/components/`, drawn from real tables, forms and offers over the examples of
`core.pages.examples`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template import engines
from django.urls import reverse

from core.pages import examples
from core.transitions import Transition
from core.views import ConsoleView
from core.views.transits import DIALOG, step_form


class Specimen(NamedTuple):
    """One component: its file, what it is called, when it is the right one."""

    name: str
    label: str
    purpose: str

    @property
    def template(self) -> str:
        return f"core/components/{self.name}.html"

    @property
    def call(self) -> str:
        """How a template asks for it; a macro that takes more says so itself."""
        module = engines["jinja2"].env.get_template(f"_components/{self.name}.html").module
        return f"ui.{self.name}({', '.join(getattr(module, self.name).arguments)})"


class Group(NamedTuple):
    label: str
    specimens: tuple[Specimen, ...]


_S = Specimen
GROUPS = (
    Group(
        "页面",
        (
            _S("page_head", "页头", "每页一个：标题、状态、所选地点和本页能做的事。"),
            _S("breadcrumb", "路径", "从列表到本页；不含本页自己。"),
            _S("place_button", "地点按钮", "在顶栏，打开地点选择；所选地点写在地址里。"),
            _S("place_tree", "地点树", "逐级展开区划，只取展开的一级。"),
            _S("toasts", "提示", "办完一件事后的一句话；出错时说明怎么办。"),
            _S("search_box", "查找", "按名称、首字母、代码或编号查找所有记录；按 / 打开。"),
            _S("empty", "空状态", "说明这里没有什么，并给出下一步。"),
        ),
    ),
    Group(
        "列表",
        (
            _S("filter_panel", "筛选", "条件写在地址里，改动后列表和各选项的条数随之更新。"),
            _S("chips", "已选条件", "正在起作用的条件，逐个或全部去掉。"),
            _S("list_head", "总数", "一万以内准确，超过时如实说“超过”。"),
            _S("list_bar", "列表工具", "保存的视图、显示的列、导出；都照当前条件。"),
            _S("table", "表格", "数字右对齐；窄屏上每行变成一张卡片。"),
            _S("pagination", "翻页", "按位置翻页，翻到多深都一样快。"),
            _S("bulk_bar", "批量办理", "对打勾的记录办同一件事；先看会怎样，再确认。"),
            _S("row_names", "记录名单", "名称通向各自的页面，旁边是同名之间的区别；多了收起。"),
            _S("row_groups", "按原因的名单", "批量办理时不能办的，按原因分开。"),
        ),
    ),
    Group(
        "详情",
        (
            _S("steps", "办理阶段", "一件事走到哪一步；退回、终止时不显示。"),
            _S("action_bar", "可办事项", "现在能办什么；不能办的说明原因。"),
            _S("next_steps", "下一步", "自己不能办时，说明待谁办。"),
            _S("transit_form", "办理对话框", "填写理由并确认；无脚本时是单独一页。"),
            _S("facts", "基本信息", "名称和值；空值显示横线。"),
            _S("masked", "遮盖的值", "中间遮盖；有权查看的人填写理由后查看。"),
            _S("timeline", "办理过程", "谁在何时做了什么，改前改后。"),
            _S("attachments", "附件", "记录所附的文件；不能改动时说明原因。"),
            _S("watch_button", "关注", "有进展时通知本人；再按一次取消。"),
            _S("tag", "标签", "状态或类别；颜色只重复文字已说的。"),
        ),
    ),
    Group(
        "表单",
        (
            _S("field", "字段", "名称、说明、错误、控件；选填的才注明。"),
            _S("form_fields", "字段组", "按小标题分组，一页不多于必要。"),
            _S("error_summary", "错误汇总", "得到焦点，逐条通向字段；标题以“错误：”开头。"),
            _S("clash", "他人已改", "填写期间别人保存了什么，填写的内容仍在。"),
            _S("draft_note", "带回的内容", "上次填写、没有提交的内容已带回，可以放弃。"),
            _S("stepper", "分步", "一件事分几页办时，现在是第几页。"),
        ),
    ),
    Group(
        "数字和进度",
        (
            _S("statistic", "数字", "一个要紧的数，可说明趋势，可通向所数的记录。"),
            _S("chart", "图", "由下面的数据表画出；无脚本时只有数据表。"),
            _S("progress", "进度", "总数未知时只说在做什么。"),
            _S("job", "后台任务", "运行时自动更新；结束后给出结果或原因。"),
        ),
    ),
)
TRIED = "return"  # the step whose form stands on the page
SPECIMENS = [specimen for group in GROUPS for specimen in group.specimens]


class Components(ConsoleView):
    """With `?step=` its block `dialog` is that step's dialogue, which can be tried and sent."""

    title = "界面组件"
    template = "core/components.html"
    blocks = ("page", "list", DIALOG)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show(self.build())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.build(request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        messages.success(request, f"已{self.step.label}。这是示例，没有写入任何记录。")
        here = reverse("core:components")
        if request.htmx:
            place = {"path": here, "target": "#page", "swap": "outerHTML show:window:top"}
            return HttpResponse(status=204, headers={"HX-Location": orjson.dumps(place).decode()})
        return HttpResponseRedirect(here)

    def build(self, *data: Any) -> forms.Form:
        """The form that stands on the page, or the one in the dialogue above it: no id twice."""
        auto_id = "id_%s" if self.wanted_block() == DIALOG else "here_%s"
        return step_form(self.step)(*data, auto_id=auto_id)

    @property
    def step(self) -> Transition:
        name = self.request.GET.get("step", TRIED)
        for offer in examples.OFFERS:
            if offer.transition.name == name and offer.allowed:
                return offer.transition
        raise Http404(f"no step {name!r} among the examples")

    def wanted_block(self) -> str | None:
        htmx = self.request.htmx
        branch = htmx and (htmx.target or "").startswith("branch-")
        return "branch" if branch else super().wanted_block()

    def show(self, form: forms.Form, status: int = 200) -> HttpResponse:
        return self.page(
            status,
            groups=GROUPS,
            show=examples.Examples(self.request),
            step_form=form,
            step=self.step,
        )
