"""The four lists in motion: items, claims, ratings, and what residents asked for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from core.fields import blind_index
from core.formats import short_place
from core.workdays import add_workdays
from demo import words
from demo.ground import Ground, placed
from demo.writing import Table
from orgs.models import Area
from services.enums import (
    BAD_GRADES,
    PATH,
    RECTIFY_WORKDAYS,
    Beneficiary,
    ItemKind,
    ItemState,
    RectificationState,
    TicketState,
)
from services.models import Claim, Item, Rating, Rectification, Serial, Ticket
from services.rounds import round_of

MIX = ((ItemKind.NEED, 0.5), (ItemKind.RESOURCE, 0.2), (ItemKind.SERVICE, 0.3))
GRADES = (("5", 52), ("4", 30), ("3", 11), ("2", 5), ("1", 2))
# Mean days from each step to the next, and how many go on to it.
WALK = (
    ("contacted_at", 4, 0.95),
    ("started_at", 4, 0.95),
    ("submitted_at", 11, 0.94),
    ("accepted_at", 3, 0.96),
    ("rated", 3, 0.92),
    ("closed_at", 2, 0.95),
)


@dataclass
class Done:
    """An accepted claim, for the agreements to count."""

    claim_id: int
    unit_id: int
    community_id: int
    on: datetime


def fill_lists(ground: Ground) -> list[Done]:
    """Items with their claims; returns the accepted ones of units."""
    return _Lists(ground).run()


def _put_right(opened_at: datetime, claim_closed_at: datetime) -> dict:
    """A rectification of a claim that is closed, which it could not be before: in between."""
    third = (claim_closed_at - opened_at) / 3
    return {
        "state": RectificationState.CLOSED,
        "measure": words.MEASURE,
        "reported_at": opened_at + third,
        "callback": words.CALLBACK,
        "closed_at": claim_closed_at - third,
    }


class _Lists:
    def __init__(self, ground: Ground) -> None:
        self.ground, self.random = ground, ground.random
        self.items, self.claims = Table(Item), Table(Claim)
        self.ratings, self.rectifications = Table(Rating), Table(Rectification)
        self.serials: dict[str, int] = defaultdict(int)
        for key, last in Serial.objects.values_list("key", "last"):
            self.serials[key] = last
        self.done: list[Done] = []

    def run(self) -> list[Done]:
        communities = self.ground.communities
        for n in range(self.ground.scale.items):
            self._item(communities[n % len(communities)])
        for table in (self.items, self.claims, self.ratings, self.rectifications):
            table.close()
        Serial.objects.bulk_create(
            [Serial(key=key, last=last) for key, last in self.serials.items()],
            update_conflicts=True,
            unique_fields=["key"],
            update_fields=["last"],
        )
        self._tickets()
        return self.done

    def _item(self, home: Area) -> None:
        ground, random = self.ground, self.random
        kind = random.choices([k for k, _ in MIX], [w for _, w in MIX])[0]
        units = ground.units.get(home.pk, [])
        by_unit = bool(units) and random.random() < (0.2 if kind == ItemKind.NEED else 0.8)
        unit = random.choice(units) if by_unit else None
        topic, title, content, beneficiary = random.choice(words.ITEMS[kind])
        if unit and kind == ItemKind.NEED:
            beneficiary = random.choice([Beneficiary.FIRMS, Beneficiary.LARGE_UNITS, beneficiary])
        created = ground.at(ground.day())
        worker = ground.workers[home.pk][0]
        year = timezone.localtime(created).year
        key = f"{home.code}-{year}"
        self.serials[key] += 1
        publisher = unit[1] if unit else home.name
        values = {
            **placed(home),
            "number": f"{key}-{self.serials[key]:04d}",
            "kind": kind,
            "unit_id": unit[0] if unit else None,
            "publisher": publisher,
            "title": title,
            "content": content,
            "topic": topic,
            "beneficiary": beneficiary,
            "capacity": 1 if kind == ItemKind.NEED else random.choice([3, 5, 8]),
            "contact": f"{short_place(home.name)}党群服务中心，工作日 8:30–17:00",
            "drafted_by_id": worker if unit is None else ground.liaisons[unit[0]],
            "created_at": created,
            "updated_at": created,
        }
        values["search"] = " ".join(
            (values["number"], publisher, title, content, values.get("venue", ""))
        ).lower()
        if kind != ItemKind.NEED:
            values |= {
                "venue": f"{short_place(home.name)}党群服务中心",
                "weekdays": random.choice(["12345", "135", "24", "67", "1234567"]),
                "opens_at": time(random.choice([8, 9])),
                "closes_at": time(random.choice([11, 17, 20]), 30),
            }
        fate = random.random()
        if fate < 0.04:
            values["state"] = ItemState.DRAFT if fate < 0.02 else ItemState.PENDING
            self.items.add(**values)
            return
        decided = created + timedelta(hours=random.randrange(2, 70))
        values |= {"decided_by_id": worker, "decided_at": decided}
        if fate < 0.055:
            values |= {
                "state": ItemState.RETURNED,
                "return_reason": "请补充时间和联系方式后再提交。",
            }
            self.items.add(**values)
            return
        day = timezone.localtime(decided).date()
        values |= {
            "published_at": decided,
            "round": round_of(day),
            "due_on": day + timedelta(days=random.randrange(20, 60)),
            "state": ItemState.PUBLISHED,
        }
        self._with_claims(home, unit, values)

    def _with_claims(self, home: Area, unit, values: dict) -> None:
        random, kind = self.random, values["kind"]
        wanted = random.random() < 0.82
        if kind == ItemKind.NEED:
            count = 1 if wanted else 0
        else:
            count = random.randrange(0, values["capacity"]) if wanted else 0
        claimants = self._claimants(home, unit, kind, count)
        item_id = self.items.reserve()
        ends = [self._claim(item_id, home, claimant, values) for claimant in claimants]
        if ends and kind == ItemKind.NEED:  # one place: the item stands where its claim stands
            values["state"], values["closed_at"] = ends[0]
        values["due_on"] = self._until(kind, values["due_on"], waits=not ends)
        self.items.add(id=item_id, claimed=len(ends), **values)

    def _until(self, kind: str, due: date, *, waits: bool) -> date | None:
        """Most of what is offered stands without an end; of what nobody has claimed yet most has
        its time still before it, or an office would have taken it down."""
        random, today = self.random, self.ground.now.date()
        if kind != ItemKind.NEED and random.random() < 0.7:
            return None
        if due < today and (kind != ItemKind.NEED or waits) and random.random() < 0.9:
            return today + timedelta(days=random.randrange(3, 60))
        return due

    def _claimants(self, home: Area, unit, kind: str, count: int) -> list:
        """Units claim what communities publish; communities claim what units publish."""
        if unit is not None:
            return [None] if count else []
        units = self.ground.units.get(home.pk, [])
        return self.random.sample(units, min(count, len(units)))

    def _claim(self, item_id: int, home: Area, unit, item: dict) -> tuple[str, datetime | None]:
        ground, random = self.ground, self.random
        claimed = item["published_at"] + timedelta(hours=random.randrange(5, 9 * 24))
        claimed = min(claimed, ground.now)
        user = ground.liaisons[unit[0]] if unit else ground.workers[home.pk][0]
        times: dict[str, datetime] = {}
        state, at = 0, claimed
        for step, days, chance in WALK:
            at += timedelta(hours=random.expovariate(1 / (days * 24)) + 1)
            if at > ground.now or random.random() > chance:
                break
            times[step], state = at, state + 1
        rated = times.pop("rated", None)
        direction = f"{'unit' if unit else 'area'}_{item['kind']}"
        values = {
            **placed(home),
            "item_id": item_id,
            "unit_id": unit[0] if unit else None,
            "claimant": unit[1] if unit else home.name,
            "direction": direction,
            "responsible": ground.name(),
            "due_on": timezone.localtime(claimed).date()
            + timedelta(days=random.choice([21, 30, 45])),
            "state": PATH[state],
            "claimed_by_id": user,
            "claimed_at": claimed,
            **times,
        }
        if "submitted_at" in times:
            values["result"] = random.choice(words.RESULTS)
        if "accepted_at" in times:
            values["accepted_by_id"] = ground.workers[home.pk][0]
        claim_id = self.claims.add(**values)
        if "accepted_at" in times and unit:
            self.done.append(Done(claim_id, unit[0], home.pk, times["accepted_at"]))
        if rated:
            self._rate(claim_id, rated, times.get("closed_at"))
        return PATH[state], times.get("closed_at")

    def _rate(self, claim_id: int, at: datetime, closed_at: datetime | None) -> None:
        grade = self.random.choices([g for g, _ in GRADES], [w for _, w in GRADES])[0]
        day = timezone.localtime(at).date()
        rating = self.ratings.add(
            claim_id=claim_id,
            grade=grade,
            comment=self.random.choice(words.COMMENTS[grade]),
            rated_on=day,
        )
        if grade in BAD_GRADES:
            self.rectifications.add(
                rating_id=rating,
                due_on=add_workdays(day, RECTIFY_WORKDAYS),
                created_at=at,
                **(_put_right(at, closed_at) if closed_at else {}),
            )

    def _tickets(self) -> None:
        """Open requests of residents: nobody knows their secrets, as it should be."""
        ground, table = self.ground, Table(Ticket)
        for n in range(ground.scale.tickets):
            home = ground.communities[n % len(ground.communities)]
            topic, title, content, _ = self.random.choice(words.ITEMS["need"])
            at = ground.now - timedelta(hours=self.random.randrange(3, 24 * 9))
            number = f"{timezone.localtime(at):%y%m}-{900_000 - n:06d}"
            table.add(
                **placed(home),
                number=number,
                secret_hash=blind_index(f"{number}:{self.random.random()}"),
                topic=topic,
                content=f"{title}。{content}",
                phone=ground.phone(n) if n % 3 else "",
                state=TicketState.RECEIVED,
                created_at=at,
            )
        table.close()
