"""Co-building agreements between communities and their units, and what was done under them."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from itertools import count

from django.utils import timezone

from alliance.enums import SIGNED, AgreementState, Side
from alliance.models import Agreement, Clause, Fulfilment, Party
from core.formats import short_place
from demo import words
from demo.ground import Ground, placed
from demo.matters import Done
from demo.writing import Table
from orgs.models import Area


def sign_agreements(ground: Ground, done: list[Done]) -> None:
    """A year's agreements, most in force, with deeds that count to their clauses."""
    _Pacts(ground, done).run()


class _Pacts:
    def __init__(self, ground: Ground, done: list[Done]) -> None:
        self.ground, self.random = ground, ground.random
        self.agreements, self.parties = Table(Agreement), Table(Party)
        self.clauses, self.fulfilments = Table(Clause), Table(Fulfilment)
        self.done: dict[tuple[int, int], list[Done]] = defaultdict(list)
        for deed in done:
            self.done[deed.community_id, deed.unit_id].append(deed)

    def run(self) -> None:
        homes = [c for c in self.ground.communities if self.ground.units.get(c.pk)]
        for n in range(self.ground.scale.agreements if homes else 0):
            self._agreement(homes[n % len(homes)])
        for table in (self.agreements, self.parties, self.clauses, self.fulfilments):
            table.close()

    def _agreement(self, home: Area) -> None:
        ground, random = self.ground, self.random
        units = ground.units[home.pk]
        several = 2 if len(units) > 1 and random.random() < 0.2 else 1
        chosen = random.sample(units, several)
        today = ground.now.date()
        state = random.choices(
            [AgreementState.ACTIVE, AgreementState.PENDING, AgreementState.DRAFT], [88, 7, 5]
        )[0]
        signed, starts = self._days(state)
        ends, ended = starts + timedelta(days=365), None
        if state == AgreementState.ACTIVE and ends < today:
            state, ended = AgreementState.EXPIRED, ends
        elif state == AgreementState.ACTIVE and random.random() < 0.03:
            state, ended = AgreementState.TERMINATED, ground.day_after(signed)
        in_force = state in SIGNED
        pk = self.agreements.reserve()
        self.numbers = count(1)  # of the clauses of this agreement
        created = ground.at(signed - timedelta(days=10))
        self.agreements.add(
            id=pk,
            **placed(home),
            number=f"GJ{signed.year}-{pk:06d}",
            title=f"{short_place(home.name)}与{chosen[0][1]}{'等' if several > 1 else ''}共建协议",
            goal="组织共建、资源共享、服务共办，年内完成各条款约定的事项。",
            starts_on=starts,
            ends_on=ends,
            state=state,
            signed_on=signed if in_force else None,
            ended_on=ended,
            ended_reason="单位迁出本社区，双方商定终止。"
            if state == AgreementState.TERMINATED
            else "",
            created_by_id=ground.workers[home.pk][0],
            created_at=created,
            updated_at=created,
        )
        confirmed = ground.at(signed)
        worker = ground.workers[home.pk][0]
        half = state == AgreementState.PENDING
        signature = {"confirmed_by_id": worker, "confirmed_at": confirmed}
        ours = self.parties.add(
            agreement_id=pk,
            side=Side.COMMUNITY,
            liaison=ground.name(),
            **(signature if in_force or half else {}),
        )
        for unit_id, _ in chosen:
            signature = {"confirmed_by_id": ground.liaisons[unit_id], "confirmed_at": confirmed}
            theirs = self.parties.add(
                agreement_id=pk,
                side=Side.UNIT,
                unit_id=unit_id,
                liaison=ground.name(),
                **(signature if in_force else {}),
            )
            deeds = self.done[home.pk, unit_id] if in_force else []
            self._clauses(pk, theirs, words.CLAUSES, starts, ends, ended, deeds)
        self._clauses(pk, ours, words.COMMUNITY_CLAUSES, starts, ends, ended, [])

    def _days(self, state: AgreementState) -> tuple[date, date]:
        """When it was signed (what waits for it: when it may have been) and begins."""
        ground, random = self.ground, self.random
        if state != AgreementState.ACTIVE:
            today = ground.now.date()
            return (
                today - timedelta(days=random.randrange(1, 20)),
                today + timedelta(days=random.randrange(5, 20)),
            )
        signed = ground.period.first - timedelta(days=random.randrange(0, 300))
        if random.random() < 0.2:
            signed = ground.day() - timedelta(days=1)
        return signed, signed

    def _clauses(
        self,
        agreement: int,
        party: int,
        texts: tuple,
        starts: date,
        ends: date,
        ended: date | None,
        deeds: list[Done],
    ) -> None:
        random, today = self.random, self.ground.now.date()
        for category, content, measure in random.sample(texts, 2):
            number = next(self.numbers)
            due = starts + timedelta(days=random.choice([90, 180, 270, 330]))
            quantity = random.choice([1, 2, 2, 4])
            clause = self.clauses.add(
                agreement_id=agreement,
                number=number,
                party_id=party,
                category=category,
                content=content,
                quantity=quantity,
                measure=measure,
                due_on=min(due, ends),
            )
            for _ in range(min(quantity, len(deeds))):
                deed = deeds.pop()
                on = timezone.localtime(deed.on).date()
                if starts <= on <= (ended or today):
                    self.fulfilments.add(
                        clause_id=clause,
                        quantity=1,
                        on=on,
                        source_type="services.claim",
                        source_id=deed.claim_id,
                        source_label=content,
                    )
