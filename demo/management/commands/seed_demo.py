from __future__ import annotations

import json
import os
import secrets

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from accounts.models import User
from core.errors import Refused
from core.periods import parse_period
from demo.cast import cast
from demo.duty import report_for_duty
from demo.ground import hire, prepare, settle_units
from demo.matters import fill_lists
from demo.pacts import sign_agreements
from demo.scales import SCALES
from orgs.models import Area

SIGN_INS = "demo-sign-ins.json"


class Command(BaseCommand):
    help = (
        "Fill a city with plausible activity: `small` to look at; `city`, `half` and `tenth` of one "
        "to measure on."
    )

    def add_arguments(self, parser):
        parser.add_argument("--scale", choices=sorted(SCALES), default="small")
        parser.add_argument("--seed", type=int, default=1, help="another seed, other records")
        parser.add_argument("--city", default="370200000000", help="code of the city to fill")
        parser.add_argument("--period", default="2026Q3", help="the quarter with most activity")

    def handle(self, *args, scale, seed, city, period, **options):
        area = Area.objects.filter(kind="city", code=city).first()
        if area is None:
            raise CommandError(f"没有代码为 {city} 的城市，请先用 import_areas 导入区划。")
        password = os.environ.get("DEMO_PASSWORD") or ""
        if User.objects.filter(username="org").exists():
            self._sign_ins_again(password)
            return
        try:
            with transaction.atomic():
                self._fill(SCALES[scale], area, parse_period(period), seed, password)
        except Refused as error:
            raise CommandError(str(error)) from error
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")

    def _fill(self, scale, area, period, seed, password):
        ground = prepare(scale, area, period, seed)
        self._say(f"{len(ground.communities)} communities with grids, building groups and posts")
        settle_units(ground)
        # Nobody needs the passwords of the crowd; the named sign-ins get their own below.
        hire(ground, secrets.token_urlsafe(16))
        self._say(f"{scale.units} units, and accounts for their liaisons and the communities")
        done = fill_lists(ground)
        self._say(f"{scale.items} items of the lists with their claims and ratings")
        sign_agreements(ground, done)
        self._say(f"{scale.agreements} agreements")
        report_for_duty(ground)
        self._say(f"{scale.members} members and {scale.services} records of service")
        self._write(cast(ground, password))

    def _sign_ins_again(self, password):
        """A second run changes nothing but the passwords, where another one was asked for."""
        path = settings.VAR_DIR / SIGN_INS
        known = json.loads(path.read_text()) if path.exists() else []
        if not known:
            raise CommandError(f"已有演示数据，但缺少登录信息文件 {path}。请删除 var/ 后重新生成。")
        for person in known:
            if password and person["password"] != password:
                user = User.objects.get(username=person["username"])
                user.set_password(password)
                user.save(update_fields=["password"])
                person["password"] = password
        self._write(known)
        self.stdout.write("已有演示数据，未作改动。")

    def _write(self, sign_ins):
        path = settings.VAR_DIR / SIGN_INS
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(json.dumps(sign_ins, ensure_ascii=False, indent=1))

    def _say(self, text):
        self.stdout.write(text)
