"""What stands before anything happens: grids, building groups, posts, units, people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import cycle, islice
from random import Random

from django.contrib.auth.hashers import make_password
from django.utils import timezone
from pypinyin import Style, lazy_pinyin

from accounts.enums import Role
from accounts.models import Grant, User
from core.errors import Refused
from core.formats import short_place
from core.periods import Period
from demo import words
from demo.scales import Scale
from demo.writing import Table
from grids.enums import PostState
from grids.models import GridPost, GridProfile, PostKind
from orgs.actions.tree import load_areas
from orgs.actions.tree.files import Line
from orgs.models import Area, Unit

STAMPS = ("city_id", "district_id", "street_id", "community_id", "grid_id")
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
SINCE = date(2024, 1, 1)


@dataclass
class Ground:
    """The stage of a seed, and what the rooms hand on to one another."""

    scale: Scale
    random: Random
    period: Period
    start: date
    now: datetime
    city: Area
    communities: list[Area] = field(default_factory=list)
    grids: dict[int, list[Area]] = field(default_factory=dict)  # by community
    units: dict[int, list[tuple[int, str]]] = field(default_factory=dict)  # (id, name), likewise
    workers: dict[int, list[int]] = field(default_factory=dict)  # user ids, likewise
    liaisons: dict[int, int] = field(default_factory=dict)  # user id by unit

    def day(self) -> date:
        """Some past day of the seed's time; the reviewed quarter may be busier than the rest."""
        first, last = self.start, self.now.date()
        if self.scale.days is None and self.random.random() < 0.6:
            first, last = self.period.first, min(self.period.last, last)
        return first + timedelta(days=self.random.randrange((last - first).days))

    def day_after(self, first: date) -> date:
        """Some day from `first` until today."""
        return first + timedelta(days=self.random.randrange((self.now.date() - first).days + 1))

    def at(self, day: date) -> datetime:
        """Some moment of that day's office hours, not later than now."""
        minute = self.random.randrange(9 * 60)
        opening = timezone.make_aware(datetime.combine(day, time(8)))
        return min(opening + timedelta(minutes=minute), self.now)

    def name(self) -> str:
        return self.random.choice(words.SURNAMES) + self.random.choice(words.GIVEN)

    def phone(self, serial: int) -> str:
        """A number of the right shape from the bottom of a block."""
        return f"130{serial:08d}"


def prepare(scale: Scale, city: Area, period: Period, seed: int) -> Ground:
    """Choose the communities and lay grids, building groups and posts below them."""
    now = timezone.now()
    start = now.date() - timedelta(days=scale.days) if scale.days else period.first
    if start >= now.date():
        raise Refused(f"{period.label}还没有开始，不能生成演示数据。")
    ground = Ground(scale, Random(seed), period, start, now, city)  # noqa: S311  (repeatable on purpose)
    communities = Area.objects.active().filter(kind="community", city=city).order_by("code")
    if scale.streets:
        for street in scale.streets:
            ground.communities += communities.filter(code__startswith=street)[: scale.communities]
    else:
        ground.communities = list(communities)[:: scale.every]
    if not ground.communities:
        raise Refused(f"“{city.name}”还没有社区，请先用 import_areas 导入区划。")
    _lay_grids(ground)
    _count_grids(ground)
    return ground


def placed(area: Area) -> dict[str, int | None]:
    """The place of a fact as its columns have it."""
    return {"area_id": area.pk, **{stamp: getattr(area, stamp) for stamp in STAMPS}}


def _lay_grids(ground: Ground) -> None:
    lines, number = [], 1
    for community in ground.communities:
        for g in range(1, ground.scale.grids + 1):
            code = f"{community.code}{g:03d}"
            lines.append(Line(number, code, f"第{_numeral(g)}网格", "grid", community.code))
            number += 1
            for b in range(1, ground.scale.buildings + 1):
                group = f"{(g - 1) * ground.scale.buildings + b}号楼栋组"
                lines.append(Line(number, f"{code}{b:03d}", group, "building", code))
                number += 1
    load_areas(lines, source="seed_demo")
    wanted = {c.pk for c in ground.communities}
    grids: dict[int, list[Area]] = defaultdict(list)
    for grid in Area.objects.filter(kind="grid", city=ground.city).order_by("code"):
        if grid.community_id in wanted:
            grids[grid.community_id].append(grid)
    ground.grids = dict(grids)


def _count_grids(ground: Ground) -> None:
    profiles, posts = Table(GridProfile), Table(GridPost)
    kinds = list(PostKind.objects.filter(is_active=True))
    known = set(GridProfile.objects.counted().values_list("area_id", flat=True))
    # The records that came with the grids are written anew, counted and with most posts held.
    fresh = GridProfile.objects.uncounted().filter(community__in=[c.pk for c in ground.communities])
    GridPost.objects.filter(area__in=fresh.values("area")).delete()
    fresh.delete()
    random = ground.random
    for grids in ground.grids.values():
        for grid in grids:
            if grid.pk in known:
                continue
            # Most grids lie in the band; some are too large or too small, as they are.
            profiles.add(
                **placed(grid),
                households=int(random.gauss(400, 45)) if random.random() < 0.9 else 620,
                members=min(max(int(random.gauss(40, 5)), 12), 70),
                counted_on=ground.start,
            )
            for kind in kinds:
                held = random.random() < 0.93
                posts.add(
                    **placed(grid),
                    kind_id=kind.pk,
                    state=PostState.HELD if held else PostState.VACANT,
                    holder=ground.name() if held else "",
                    since=SINCE if held else None,
                )
    profiles.close()
    posts.close()


def settle_units(ground: Ground) -> None:
    """Member units, spread over the communities."""
    table, random = Table(Unit), ground.random
    taken = set(Unit.objects.values_list("credit_code", flat=True))
    kinds = list(words.UNIT_NAMES)
    serial = 0
    numbers: dict[tuple[int, str], int] = defaultdict(int)
    districts = dict(Area.objects.filter(kind="district").values_list("pk", "name"))
    for home in _homes(ground):
        kind = random.choice(kinds)
        pattern = random.choice(words.UNIT_NAMES[kind])
        numbers[home.pk, pattern] += 1
        n = numbers[home.pk, pattern]
        place = short_place(home.name).removesuffix("社区").removesuffix("村")
        name = pattern.format(
            c=place, d=districts[home.district_id] + place, n=f"（{_numeral(n)}）" if n > 1 else ""
        )
        serial += 1
        while (code := credit_code(serial)) in taken:
            serial += 1
        pk = table.add(
            **placed(home),
            name=name,
            credit_code=code,
            kind=kind,
            party_org=f"{name}党支部",
            contact_name=ground.name(),
            pinyin="".join(lazy_pinyin(name)),
            initials="".join(lazy_pinyin(name, style=Style.FIRST_LETTER)),
        )
        ground.units.setdefault(home.pk, []).append((pk, name))
    table.close()


def _homes(ground: Ground) -> Iterator[Area]:
    """The community of each unit. Evenly, so that each has somebody to work with."""
    busy = ground.communities[0].street_id
    crowded = [c for c in ground.communities if c.street_id == busy]
    others = [c for c in ground.communities if c.street_id != busy] or crowded
    scale = ground.scale
    yield from islice(cycle(crowded), scale.crowd)
    yield from islice(cycle(others), scale.units - scale.crowd)


def hire(ground: Ground, password: str) -> None:
    """Accounts for the staff of each community and the liaison of each unit."""
    hashed = make_password(password)  # once: hashing is slow on purpose
    users, grants = Table(User), Table(Grant)

    def account(username: str, name: str, role: str, **place) -> int:
        pk = users.add(username=username, name=name, password=hashed)
        grants.add(user_id=pk, role=role, starts_on=SINCE, **place)
        return pk

    for community in ground.communities:
        ground.workers[community.pk] = [
            account(
                f"c{community.code}-{n}",
                ground.name(),
                Role.COMMUNITY_WORKER,
                area_id=community.pk,
            )
            for n in range(1, ground.scale.workers + 1)
        ]
        for unit_id, _ in ground.units.get(community.pk, ()):
            ground.liaisons[unit_id] = account(
                f"u{unit_id}", ground.name(), Role.UNIT_LIAISON, unit_id=unit_id
            )
    users.flush()
    grants.close()
    users.close()


def credit_code(serial: int) -> str:
    """A well-formed unified social credit code (GB 32100) in a made-up series."""
    body = f"91370200MADM{serial:05d}"
    total = sum(_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + _ALPHABET[(31 - total % 31) % 31]


def _numeral(n: int) -> str:
    digits = "零一二三四五六七八九十"
    if n <= 10:
        return digits[n]
    if n < 20:
        return "十" + digits[n - 10]
    tens, ones = divmod(n, 10)
    return f"{digits[tens] if tens <= 10 else tens}十{digits[ones] if ones else ''}"
