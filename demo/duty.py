"""Dual reporting: members, their reports, their posts, the hours they served."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import cycle, islice
from typing import NamedTuple

from core.fields import blind_index
from demo import words
from demo.ground import Ground, placed
from demo.writing import Table
from members.enums import Opinion, PostState, ReportingState, ServiceState
from members.models import Feedback, Member, Post, PostClaim, Reporting, ServiceRecord
from orgs.models import Area

IDLE = (
    (ReportingState.PENDING, 4),
    (ReportingState.RETURNED, 1),
    (ReportingState.EXEMPT, 2),
    (ReportingState.CANCELLED, 1),
    (ReportingState.REPORTED, 42),
)
ON_POST = (
    (ReportingState.POSTED, 6),
    (ReportingState.SERVING, 13),
    (ReportingState.REVIEWED, 1),
)
MOVED = 0.01  # of all members have come from another community
OPINIONS = tuple(zip((Opinion.GOOD, Opinion.FAIR, Opinion.PLAIN), words.FEEDBACK, strict=True))
REASONS = {
    ReportingState.MOVED: "迁居本市其他社区。",
    ReportingState.CANCELLED: "已调离本单位。",
    ReportingState.RETURNED: "居住社区有误，请核对后重新提交。",
    ReportingState.EXEMPT: "长期外派。",
}
HOURS = [Decimal(n) / 2 for n in range(2, 9)]


class Serving(NamedTuple):
    """A member on a post, as the records of service need it: ids, but for the place."""

    member: int
    reporting: int
    unit: int
    area: Area
    since: date
    post: int
    home: int


def report_for_duty(ground: Ground) -> None:
    _Duty(ground).run()


class _Duty:
    def __init__(self, ground: Ground) -> None:
        self.ground, self.random = ground, ground.random
        self.today = ground.now.date()
        self.members, self.reportings = Table(Member), Table(Reporting)
        self.posts, self.post_claims = Table(Post), Table(PostClaim)
        self.services, self.feedbacks = Table(ServiceRecord), Table(Feedback)

    def run(self) -> None:
        ground, scale = self.ground, self.ground.scale
        homes = ground.communities
        units = [unit for group in ground.units.values() for unit in group]
        offered = self._offer_posts()
        on_post = set(self.random.sample(range(scale.members), scale.post_claims))
        serving = []
        for n in range(scale.members if units else 0):
            home = homes[n % len(homes)]
            unit_id, unit_name = units[self.random.randrange(len(units))]
            post = self.random.choice(offered[home.pk]) if n in on_post else None
            found = self._member(n, home, unit_id, unit_name, post)
            if found:
                serving.append(found)
        for post in (p for group in offered.values() for p in group):
            headcount = max(post["claimed"] + self.random.randrange(0, 4), 1)  # some are full
            self.posts.add(**post, headcount=headcount)
        self._serve(serving)
        people = (self.members, self.reportings, self.feedbacks)
        for table in (*people, self.posts, self.post_claims, self.services):
            table.close()

    def _offer_posts(self) -> dict[int, list[dict]]:
        """Posts by community, kept open until all claims are known."""
        ground, scale = self.ground, self.ground.scale
        each = max(scale.posts // len(ground.communities), 1)
        kinds = cycle(words.POSTS)
        offered: dict[int, list[dict]] = {}
        for home in ground.communities:
            offered[home.pk] = [
                {
                    "id": self.posts.reserve(),
                    **placed(home),
                    "title": title,
                    "category": category,
                    "description": "按社区安排参加，每次一至三小时。",
                    "claimed": 0,
                    "state": PostState.OPEN,
                    "created_by_id": ground.workers[home.pk][0],
                    "created_at": ground.at(ground.start),
                }
                for category, title in islice(kinds, each)
            ]
        return offered

    def _member(
        self, n: int, home: Area, unit_id: int, unit_name: str, post: dict | None
    ) -> Serving | None:
        """A member with the report to `home`, and the claim of `post`; returned if one serves."""
        ground, random = self.ground, self.random
        grids = ground.grids.get(home.pk)
        area = random.choice(grids) if grids else home
        phone = ground.phone(n + 1)
        shares = ON_POST if post else IDLE
        state = random.choices([s for s, _ in shares], [w for _, w in shares])[0]
        opened, reported = self._days(state)
        at = ground.at(opened)
        closed = self.today if state == ReportingState.CANCELLED else None
        member = self.members.add(
            **placed(area),
            unit_id=unit_id,
            name=ground.name(),
            phone=phone,
            phone_index=blind_index(phone),
            speciality=random.choice(words.SPECIALITIES),
            party_org=f"{unit_name}党支部",
            left_on=closed,
            created_at=at,
            updated_at=at,
        )
        if random.random() < MOVED:
            self._came_from_elsewhere(member, unit_id, opened)
        reporting = self.reportings.add(
            **placed(area),
            member_id=member,
            unit_id=unit_id,
            state=state,
            opened_on=opened,
            reported_on=reported,
            closed_on=closed,
            reason=REASONS.get(state, ""),
        )
        if state == ReportingState.REVIEWED:
            self._feed_back(reporting, home)
        if post is None:
            return None
        self._claim(post, member, reporting, unit_id, reported)
        if state == ReportingState.POSTED:
            return None
        return Serving(member, reporting, unit_id, area, reported, post["id"], home.pk)

    def _claim(self, post: dict, member: int, reporting: int, unit_id: int, reported: date) -> None:
        post["claimed"] += 1
        self.post_claims.add(
            post_id=post["id"],
            member_id=member,
            reporting_id=reporting,
            unit_id=unit_id,
            claimed_on=min(reported + timedelta(days=self.random.randrange(20)), self.today),
        )

    def _came_from_elsewhere(self, member: int, unit_id: int, moved: date) -> None:
        self.reportings.add(
            **placed(self.random.choice(self.ground.communities)),
            member_id=member,
            unit_id=unit_id,
            state=ReportingState.MOVED,
            opened_on=moved - timedelta(days=365),
            reported_on=moved - timedelta(days=350),
            closed_on=moved,
            reason=REASONS[ReportingState.MOVED],
        )

    def _feed_back(self, reporting: int, home: Area) -> None:
        opinion, comment = self.random.choice(OPINIONS)
        self.feedbacks.add(
            reporting_id=reporting,
            year=self.today.year,
            opinion=opinion,
            comment=comment,
            on=self.today,
            by_id=self.ground.workers[home.pk][0],
        )

    def _days(self, state: ReportingState) -> tuple[date, date | None]:
        """When a member registered and was received: what waits is new, the rest came by and by
        before the reviewed quarter."""
        period, random = self.ground.period, self.random
        if state in (ReportingState.PENDING, ReportingState.RETURNED):
            span = (min(period.last, self.today) - period.first).days
            return period.first + timedelta(days=random.randrange(max(span, 1))), None
        span = (period.first - self.ground.start).days + 200
        opened = period.first - timedelta(days=random.randrange(span))
        if state == ReportingState.EXEMPT:
            return opened, None
        return opened, min(opened + timedelta(days=random.randrange(1, 30)), self.today)

    def _serve(self, serving: list[Serving]) -> None:
        """Service records, busier members more often."""
        ground, random = self.ground, self.random
        if not serving:
            return
        for _ in range(ground.scale.services):
            who = serving[int(random.expovariate(2.5) % 1 * len(serving))]
            day = ground.day()
            if day < who.since:
                day = ground.day_after(who.since)
            self._record(who, day)

    def _record(self, who: Serving, day: date) -> None:
        ground, random = self.ground, self.random
        recorded = ground.at(day)
        waits = (self.today - day).days < 12 and random.random() < 0.6
        state = ServiceState.RECORDED if waits else ServiceState.CONFIRMED
        if not waits and random.random() < 0.02:
            state = ServiceState.RETURNED
        recorder, decider = ground.workers[who.home][0], ground.workers[who.home][-1]
        decided = {} if waits else {"decided_by_id": decider, "decided_at": recorded}
        self.services.add(
            **placed(who.area),
            reporting_id=who.reporting,
            member_id=who.member,
            unit_id=who.unit,
            post_id=who.post,
            served_on=day,
            hours=random.choice(HOURS),
            content=random.choice(words.SERVICE_WORK),
            state=state,
            return_reason="时长与活动记录不符，请核对。" if state == ServiceState.RETURNED else "",
            recorded_by_id=recorder,
            recorded_at=recorded,
            **decided,
        )
