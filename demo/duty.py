"""Dual reporting: members, their reports, their posts, the hours they served."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from core.fields import blind_index, encrypt
from demo import words
from demo.ground import Ground, placed
from demo.writing import Table
from members.enums import PostCategory, PostState, ReportingState, ServiceState
from members.models import Member, Post, PostClaim, Reporting, ServiceRecord
from orgs.models import Area

STATES = (
    (ReportingState.PENDING, 6),
    (ReportingState.RETURNED, 1),
    (ReportingState.EXEMPT, 1),
    (ReportingState.REPORTED, 26),
    (ReportingState.POSTED, 20),
    (ReportingState.SERVING, 46),
)
HOURS = [Decimal(n) / 2 for n in range(2, 9)]


def report_for_duty(ground: Ground) -> None:
    _Duty(ground).run()


class _Duty:
    def __init__(self, ground: Ground) -> None:
        self.ground, self.random = ground, ground.random
        self.members, self.reportings = Table(Member), Table(Reporting)
        self.posts, self.post_claims = Table(Post), Table(PostClaim)
        self.services = Table(ServiceRecord)

    def run(self) -> None:
        ground, scale = self.ground, self.ground.scale
        homes = ground.communities
        units = [unit for group in ground.units.values() for unit in group]
        offered = self._offer_posts()
        serving = []
        for n in range(scale.members if units else 0):
            home = homes[n % len(homes)]
            unit_id, unit_name = units[self.random.randrange(len(units))]
            found = self._member(n, home, unit_id, unit_name, offered[home.pk])
            if found:
                serving.append(found)
        for post in (p for group in offered.values() for p in group):
            self.posts.add(**post)
        self._serve(serving)
        tables = (self.members, self.reportings, self.posts, self.post_claims, self.services)
        for table in tables:
            table.close()

    def _offer_posts(self) -> dict[int, list[dict]]:
        ground, scale = self.ground, self.ground.scale
        each = max(scale.posts // len(ground.communities), 1)
        room = max(scale.post_claims * 3 // (2 * each * len(ground.communities)), 2)
        categories = list(PostCategory)
        offered: dict[int, list[dict]] = {}
        for home in ground.communities:
            created = ground.at(ground.start)
            offered[home.pk] = [
                {
                    "id": self.posts.reserve(),
                    **placed(home),
                    "title": words.POSTS[n % len(words.POSTS)],
                    "category": categories[n % len(categories)],
                    "description": "按社区安排参加，每次一至三小时。",
                    "headcount": room + self.random.randrange(0, 3),
                    "claimed": 0,
                    "state": PostState.OPEN,
                    "created_by_id": ground.workers[home.pk][0],
                    "created_at": created,
                }
                for n in range(each)
            ]
        return offered

    def _member(self, n: int, home: Area, unit_id: int, unit_name: str, posts: list[dict]):
        ground, random = self.ground, self.random
        grids = ground.grids.get(home.pk)
        area = random.choice(grids) if grids else home
        phone = ground.phone(n + 1)
        opened = ground.start - timedelta(days=random.randrange(0, 200))
        at = ground.at(opened)
        member = self.members.add(
            **placed(area),
            unit_id=unit_id,
            name=ground.name(),
            phone=encrypt(phone),
            phone_index=blind_index(phone),
            speciality=random.choice(words.SPECIALITIES),
            party_org=f"{unit_name}党支部",
            created_at=at,
            updated_at=at,
        )
        state = random.choices([s for s, _ in STATES], [w for _, w in STATES])[0]
        post = None
        if state in (ReportingState.POSTED, ReportingState.SERVING):
            post = next((p for p in random.sample(posts, len(posts)) if _room(p)), None)
            if post is None:
                state = ReportingState.REPORTED
        reported = None
        if state not in (ReportingState.PENDING, ReportingState.RETURNED, ReportingState.EXEMPT):
            reported = opened + timedelta(days=random.randrange(1, 30))
        reporting = self.reportings.add(
            **placed(area),
            member_id=member,
            unit_id=unit_id,
            state=state,
            opened_on=opened,
            reported_on=reported,
            reason={
                ReportingState.RETURNED: "居住社区有误，请核对后重新提交。",
                ReportingState.EXEMPT: "长期外派。",
            }.get(state, ""),
        )
        if post is not None:
            post["claimed"] += 1
            self.post_claims.add(
                post_id=post["id"],
                member_id=member,
                reporting_id=reporting,
                unit_id=unit_id,
                claimed_on=reported + timedelta(days=random.randrange(0, 20)),
            )
        if state != ReportingState.SERVING:
            return None
        return member, reporting, unit_id, area, reported, post["id"], home.pk

    def _serve(self, serving: list) -> None:
        """Service records, busier members more often."""
        ground, random = self.ground, self.random
        if not serving:
            return
        today = ground.now.date()
        for _ in range(ground.scale.services):
            who = serving[min(int(random.expovariate(2.5) * len(serving)), len(serving) - 1)]
            member, reporting, unit_id, area, reported, post, home = who
            day = max(ground.day(today), reported)
            if day > today:
                continue
            self._record(day, today, member, reporting, unit_id, area, post, home)

    def _record(
        self,
        day: date,
        today: date,
        member: int,
        reporting: int,
        unit_id: int,
        area: Area,
        post: int,
        home: int,
    ) -> None:
        ground, random = self.ground, self.random
        recorded = ground.at(day)
        waits = (today - day).days < 12 and random.random() < 0.6
        state = ServiceState.RECORDED if waits else ServiceState.CONFIRMED
        if not waits and random.random() < 0.02:
            state = ServiceState.RETURNED
        recorder, decider = ground.workers[home][0], ground.workers[home][-1]
        decided = {} if waits else {"decided_by_id": decider, "decided_at": recorded}
        self.services.add(
            **placed(area),
            reporting_id=reporting,
            member_id=member,
            unit_id=unit_id,
            post_id=post,
            served_on=day,
            hours=random.choice(HOURS),
            content=random.choice(words.SERVICE_WORK),
            state=state,
            return_reason="时长与活动记录不符，请核对。" if state == ServiceState.RETURNED else "",
            recorded_by_id=recorder,
            recorded_at=recorded,
            **decided,
        )


def _room(post: dict) -> bool:
    return post["claimed"] < post["headcount"]
