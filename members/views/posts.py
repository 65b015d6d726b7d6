"""Pages of volunteer posts."""

from __future__ import annotations

from typing import Any

from core.scope import may
from core.views import Action, ActionFormView, DetailView, ListView
from members.actions.post import publish_post, revise_post
from members.filters import PostFilter
from members.forms import PostForm, PostRevision
from members.models import Post, PostClaim
from members.tables import PostTable

LABEL = "服务岗位"


class PostList(ListView):
    model = Post
    table = PostTable
    filters = PostFilter
    perm = "members.view"
    title = LABEL
    empty = "还没有服务岗位。请由社区按需要发布，写明人数和特长。"
    actions = (Action("发布岗位", "members:post-add", "members.post", icon="plus", tone="primary"),)


class PostDetail(DetailView):
    model = Post
    template = "members/post.html"
    perm = "members.view"
    related = ("area", "created_by")
    list_label = LABEL
    actions = (Action("修改", "members:post-edit", "members.post", icon="edit"),)

    def extra(self) -> dict[str, Any]:
        user = self.request.user
        claims = PostClaim.objects.visible_to(user).filter(post=self.object, ended_on=None)
        return {
            "claims": claims.select_related("member", "unit", "reporting").order_by("pk"),
            "mine": may(user, "members.post", self.object),
        }


class PostAdd(ActionFormView):
    model = Post
    form = PostForm
    action = staticmethod(publish_post)
    creates = True
    perm = "members.post"
    title = "发布服务岗位"
    submit = "发布"
    done = "岗位已发布。"
    list_label = LABEL


class PostEdit(ActionFormView):
    model = Post
    form = PostRevision
    action = staticmethod(revise_post)
    perm = "members.post"
    title = "修改岗位"
    list_label = LABEL

    def run(self, data: dict[str, Any]) -> Post:
        return super().run({"version": self.object.version, **data})
