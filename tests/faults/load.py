"""People who write all the time, each keeping an account of what they were told."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from django.db import connection

from services.models import Item
from tests.factories import services as make
from tests.faults.site import Answer, Person, Site, until

NEED = {
    "kind": "need",
    "content": "量血压",
    "capacity": 1,
    "topic": "health",
    "beneficiary": "residents",
    "then": "draft",
}


class Writer(threading.Thread):
    """Drafts one item after the other, by page or by API, until told to stop. Never sends one
    twice: what is there twice was written twice by the platform."""

    def __init__(self, person: Person, name: str, by_page: bool) -> None:
        super().__init__(name=name, daemon=True)
        self.person, self.by_page = person, by_page
        self.told: dict[str, Answer | OSError] = {}
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            title = f"{self.name}-{len(self.told)}"
            try:
                self.told[title] = self.write(title)
            except OSError as error:  # http.client's own are OSErrors or come with one
                self.told[title] = error
            if not isinstance(self.told[title], Answer) or self.told[title].status >= 500:
                self.over.wait(0.2)

    def write(self, title: str) -> Answer:
        if self.by_page:
            return self.person.post("/console/services/items/add/", title=title, **NEED)
        return self.person.send("items/", title=title, **NEED)

    def is_acknowledged(self, answer: Answer | OSError) -> bool:
        return isinstance(answer, Answer) and answer.status in (200, 201, 302)

    @property
    def acknowledged(self) -> list[str]:
        return [title for title, said in dict(self.told).items() if self.is_acknowledged(said)]

    @property
    def refused(self) -> dict[str, Answer | OSError]:
        return {t: said for t, said in dict(self.told).items() if not self.is_acknowledged(said)}


class Load:
    """Some writers at once: `with Load(site, "名") as load: …`."""

    def __init__(self, site: Site, name: str, writers: int = 4) -> None:
        self.name = name
        self.writers = [
            Writer(Person(site, make.worker(site.place.community)), f"{name}{n}", n % 2 == 0)
            for n in range(writers)
        ]

    def __enter__(self) -> Load:
        for writer in self.writers:
            writer.start()
        self.more_acknowledged()
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self.writers:
            writer.over.set()
        for writer in self.writers:
            writer.join(60)

    def more(self, counted: Callable[[Writer], int], number: int, what: str) -> None:
        """Until each writer has `number` more of them than now."""
        before = {w: counted(w) for w in self.writers}
        until(lambda: all(counted(w) >= before[w] + number for w in self.writers), what)

    def more_acknowledged(self, number: int = 2) -> None:
        self.more(lambda w: len(w.acknowledged), number, "writes that succeed")

    def more_refused(self, number: int = 1) -> None:
        self.more(lambda w: len(w.refused), number, "writes that are refused")

    @property
    def refused(self) -> list[Answer | OSError]:
        return [said for writer in self.writers for said in writer.refused.values()]

    def assert_kept_once(self) -> None:
        """What was acknowledged is there once; what was not is there once or not at all."""
        connection.close()  # the server may have been another one when it was opened
        titles = Item.objects.filter(title__startswith=self.name).values_list("title", flat=True)
        there = Counter(titles)
        for writer in self.writers:
            assert writer.acknowledged
            lost = [title for title in writer.acknowledged if there[title] != 1]
            assert not lost, f"acknowledged, and not there once: {lost}"
        assert set(there.values()) == {1}, "written twice"
