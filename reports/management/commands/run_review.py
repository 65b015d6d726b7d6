from django.core.management.base import BaseCommand, CommandError

from core.errors import Refused
from core.jobs import NotDone, wait_for
from core.models import Job
from core.periods import parse_period
from orgs.models import Area
from reports.actions.compute import start_run
from reports.enums import ReviewKind


class Command(BaseCommand):
    help = "Compute the reviews of a period through a Celery worker; --wait follows it to the end."

    def add_arguments(self, parser):
        parser.add_argument("--kind", choices=ReviewKind.values, default=ReviewKind.QUARTERLY)
        parser.add_argument("--period", required=True, help="2026Q3, or 2026 with --kind annual")
        parser.add_argument("--area", help="code of a city, district, street or community")
        parser.add_argument("--wait", action="store_true", help="until the job has ended")
        parser.add_argument("--timeout", type=int, default=900, help="seconds to wait")

    def handle(self, *args, kind, period, area, wait, timeout, **options):
        try:
            when = parse_period(period)
        except Refused as error:
            raise CommandError(str(error)) from error
        if when.kind != kind:
            raise CommandError(
                f"期间 {period} 不是{ReviewKind(kind).label}的写法：季度写作 2026Q3，年度写作 2026。"
            )
        roots = (
            Area.objects.filter(code=area) if area else Area.objects.active().filter(kind="city")
        )
        if not roots:
            where = f"没有代码为 {area} 的区划" if area else "还没有任何城市"
            raise CommandError(f"{where}，请先用 import_areas 导入区划或核对代码。")
        runs = []
        for root in roots:
            try:
                runs.append(start_run(period=when, area=root, by=None))
            except Refused as error:
                raise CommandError(f"{root.name}：{error}") from error
            self.stdout.write(f"{root.name} {when.label}评估已提交。")
        if wait:
            for run in runs:
                self._follow(run, timeout)

    def _follow(self, run, timeout):
        try:
            wait_for(Job.objects.get(pk=run.job_id), timeout=timeout)
        except NotDone as error:
            raise CommandError(f"{run.area.name} 评估未完成：{error}") from error
        run.refresh_from_db()
        self.stdout.write(
            self.style.SUCCESS(
                f"{run.area.name}：评估 {run.counted} 个单位，{run.kept} 个已上报或审定未重算。"
            )
        )
