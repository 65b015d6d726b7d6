"""`manage.py export_ledger lists --area 370202000000 --period 2026Q3 --out 台账.xlsx --as wang`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from core import places
from core.errors import Refused
from core.exports import EXPORTERS, Exporter, export_to
from core.scope import require

SUFFIXES = (".xlsx", ".csv")


class Command(BaseCommand):
    help = "Write a ledger to a file, with the rows that the named user may see."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", help="lists, assessment, reporting, agreements, …")
        parser.add_argument("--area", required=True, help="division code, 12 digits or more")
        parser.add_argument("--period", default="", help="e.g. 2026Q3")
        parser.add_argument("--out", required=True, type=Path, help="FILE.xlsx or FILE.csv")
        parser.add_argument("--as", required=True, dest="username", help="in whose name")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            what = _exporter(options["kind"])
            user = _user(options["username"])
            out = _writable(options["out"])
            asked = _asked(what, user, options["area"], options["period"])
            rows = export_to(out, what, by=user, asked=asked)
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        except PermissionDenied as error:
            raise CommandError(f"{user}没有导出“{what.title}”的权限。") from error
        except OSError as error:
            raise CommandError(f"写入 {out} 失败：{error.strerror}。原有文件没有改动。") from error
        self.stdout.write(f"已导出 {rows} 行到 {out}")


def _exporter(kind: str) -> Exporter:
    if kind not in EXPORTERS:
        known = "、".join(f"{name}（{what.title}）" for name, what in sorted(EXPORTERS.items()))
        raise Refused(f"没有名为“{kind}”的台账。可用的有：{known}。")
    return EXPORTERS[kind]()


def _user(username: str) -> User:
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise Refused(f"没有登录名为“{username}”的账号，或账号已停用。")
    return user


def _writable(out: Path) -> Path:
    if out.suffix.lower() not in SUFFIXES:
        raise Refused(f"输出文件 {out} 的扩展名须是 {' 或 '.join(SUFFIXES)}。")
    if not out.parent.is_dir():
        raise Refused(f"没有文件夹 {out.parent}，请先建立，或换一个输出位置。")
    if out.is_dir():
        raise Refused(f"{out} 是文件夹，请写明文件名。")
    return out


def _asked(what: Exporter, user: User, area: str, period: str):
    require(user, what.perm)
    source = places.source()
    if source is None or source.find(area, user, anywhere=True) is None:
        raise Refused(f"没有代码为“{area}”的区划，请核对（12位以上数字）。")
    if source.find(area, user, perm=what.perm) is None:
        raise Refused(f"{user}没有在区划 {area} 导出“{what.title}”的权限。")
    takes_period = what.form is not None and "period" in what.form.base_fields
    if period and not takes_period:
        raise Refused(f"“{what.title}”不按统计期导出，请去掉 --period。")
    return what.read({places.PARAM: area, **({"period": period} if period else {})}, user)
