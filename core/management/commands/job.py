"""Background jobs from the command line: what a person does on their page."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import Http404
from django.utils import timezone

from core import jobs
from core.enums import JobState
from core.errors import Refused
from core.models import Job
from core.scope import get_visible


class Command(BaseCommand):
    help = "List background jobs, or retry or cancel one, or sweep as the clock does."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        listing = verbs.add_parser("list", help="the latest jobs")
        listing.add_argument("--state", choices=JobState.values)
        listing.add_argument("--limit", type=int, default=20)
        retry = verbs.add_parser("retry", help="begin a failed or cancelled job anew")
        retry.add_argument("job")
        retry.add_argument("--as", dest="username", required=True, help="who does it")
        retry.add_argument("--wait", action="store_true", help="until it has ended")
        retry.add_argument("--timeout", type=float, default=600, help="seconds, with --wait")
        cancel = verbs.add_parser("cancel", help="cancel a waiting job, stop a running one")
        cancel.add_argument("job")
        cancel.add_argument("--as", dest="username", required=True, help="who does it")
        verbs.add_parser("sweep", help="send what is due, take over what fell silent")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            getattr(self, f"_{verb}")(options)
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal

    def _list(self, options: dict[str, Any]) -> None:
        found = Job.objects.select_related("owner").order_by("-pk")
        if options["state"]:
            found = found.filter(state=options["state"])
        for job in found[: options["limit"]]:
            at = timezone.localtime(job.created_at)
            self.stdout.write(
                f"{job.pk}  {at:%Y-%m-%d %H:%M}  {job.get_state_display()}  {job.title}"
                f"  {job.owner or '系统'}  {job.error or job.message}".rstrip()
            )

    def _retry(self, options: dict[str, Any]) -> None:
        by = _person(options["username"])
        job = jobs.retry(_found(options["job"], by), by=by)
        if options["wait"]:
            job = jobs.wait_for(job, options["timeout"])
        self.stdout.write(f"{job.title}：{job.get_state_display()}")

    def _cancel(self, options: dict[str, Any]) -> None:
        by = _person(options["username"])
        job = jobs.cancel(_found(options["job"], by), by=by)
        self.stdout.write(f"{job.title}：{job.get_state_display()}")

    def _sweep(self, options: dict[str, Any]) -> None:
        jobs.sweep()


def _person(username: str) -> Any:
    """The account that acts, with its own rights: the audit names it."""
    model = get_user_model()
    found = model.objects.filter(**{model.USERNAME_FIELD: username}, is_active=True).first()
    if found is None:
        raise CommandError(f"没有登录名为 {username} 的启用账号。")
    return found


def _found(pk: str, by: Any) -> Job:
    try:
        return get_visible(Job.objects, by, pk=pk)
    except Http404:
        raise CommandError(
            f"{by} 看不到编号为 {pk} 的任务。用 manage.py job list 查看编号。"
        ) from None
