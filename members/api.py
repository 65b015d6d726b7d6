"""Dual reporting over the API. A phone goes out masked, and in full not at all."""

from core.api import ScopedViewSet, Write, register
from members.actions.member import register_member
from members.actions.post import publish_post
from members.filters import MemberFilter, PostFilter, ReportingFilter, ServiceFilter
from members.forms import PostForm, RegisterForm
from members.models import Member, Post, Reporting, ServiceRecord


@register("members")
class MemberApi(ScopedViewSet):
    model = Member
    perm = "members.view"
    filters = MemberFilter
    fields = ("id", "name", "unit_id", "unit__name", "area_id", "area__name", "phone")
    detail_fields = ("speciality", "party_org", "left_on", "created_at")
    creates = Write(RegisterForm, register_member, perm="members.register")


@register("reportings")
class ReportingApi(ScopedViewSet):
    model = Reporting
    perm = "members.view"
    filters = ReportingFilter
    fields = (
        "id",
        "member_id",
        "member__name",
        "unit_id",
        "unit__name",
        "area_id",
        "area__name",
        "state",
        "reported_on",
    )
    detail_fields = ("opened_on", "closed_on", "reason")


@register("posts")
class PostApi(ScopedViewSet):
    model = Post
    perm = "members.view"
    filters = PostFilter
    fields = ("id", "title", "category", "area_id", "area__name", "claimed", "headcount", "state")
    detail_fields = ("skills", "description", "created_at")
    creates = Write(PostForm, publish_post, perm="members.post")


@register("service-records")
class ServiceApi(ScopedViewSet):
    model = ServiceRecord
    perm = "members.view"
    filters = ServiceFilter
    fields = (
        "id",
        "reporting_id",
        "member_id",
        "member__name",
        "area_id",
        "served_on",
        "hours",
        "content",
        "state",
    )
    detail_fields = ("late_reason", "return_reason", "recorded_at", "decided_at")
