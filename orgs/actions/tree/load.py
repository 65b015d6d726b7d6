"""Load divisions from a file: many nodes created, renamed and moved, all or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from core import audit
from core.among import Among
from core.errors import Refused
from core.garbage import no_collection
from orgs.actions.tree import history, numbers, rows, stamps
from orgs.actions.tree.files import BadFile, Known, Line, faults
from orgs.actions.tree.lock import tree_action
from orgs.actions.tree.nodes import AUDITED, typed
from orgs.enums import BEGINNING, STAMPS, AreaKind
from orgs.models import Area
from orgs.signals import areas_added

_DEPTH = {kind.value: depth for depth, kind in enumerate(AreaKind)}
_STAMPED = tuple(f"{level}_id" for level in STAMPS)
_CHUNK = (
    500  # codes in one look-up, rows in one update: SQLite bounds the parameters of a statement
)


@dataclass
class Loaded:
    """What a load did, or in a dry run would do. `created` is by kind."""

    created: Counter[str] = field(default_factory=Counter)
    renamed: int = 0
    moved: int = 0
    unchanged: int = 0

    @property
    def changes(self) -> int:
        return self.created.total() + self.renamed + self.moved


def load_areas(
    lines: Iterable[Line],
    *,
    by: Any = None,
    on: date | None = None,
    dry_run: bool = False,
    source: str = "",
) -> Loaded:
    """Create what is new, rename and move what has changed; what the file does not name stays.

    `on` is the day of these changes, today by default; without it the nodes of a city that is
    new here count as there before the platform. A dry run does it all and takes it back. Only
    the system loads (`by=None`). Raises `BadFile` naming every line at fault, `Refused` on a
    wrong day; then nothing is written.
    """
    if by is not None:
        raise PermissionDenied("files of divisions are loaded by the system alone")
    with transaction.atomic(), no_collection():
        loaded = _load(lines=list(lines), on=on, source=source)
        if dry_run:
            transaction.set_rollback(True)
    return loaded


@tree_action
def _load(*, lines: list[Line], on: date | None, source: str) -> Loaded:
    today = timezone.localdate()
    if on is not None and on > today:
        raise Refused(f"生效日期不能晚于今天（{today}）。", field="on")
    known = _known({line.code for line in lines} | {line.parent_code for line in lines})
    if bad := list(faults(lines, known)):
        raise BadFile(bad)
    load = _Load(lines, known, day=on or today, fresh=on or BEGINNING)
    loaded = load.run()
    if loaded.changes:
        after = {
            "source": source,
            "created": dict(loaded.created),
            "renamed": loaded.renamed,
            "moved": loaded.moved,
        }
        cities = Area.objects.filter(pk__in=load.cities)
        entries = [audit.Entry(city, {}, after) for city in cities]
        audit.record_many("orgs.tree.load", entries, by=None)
    return loaded


class _Load:
    """One load, under the lock. Level by level from the city down: when a level is written, the
    stamps of all above it are right, whether it stood there, is new or has moved."""

    def __init__(
        self, lines: list[Line], known: dict[str, Known], *, day: date, fresh: date
    ) -> None:
        self.known, self.day, self.fresh = known, day, fresh
        # In the order of writing, so that ids ascend as the rows go in: the index then grows at
        # its end, and whatever asks for one parent after another finds them side by side.
        self.new = sorted(
            (n for n in lines if n.code not in known), key=lambda n: (_DEPTH[n.kind], n.code)
        )
        self.old = [line for line in lines if line.code in known]
        self.pks = {code: node.pk for code, node in known.items()}
        taken = rows.take_pks(len(self.new))
        self.taken = (taken[0], taken[-1]) if taken else (0, 0)
        self.pks |= zip((n.code for n in self.new), taken, strict=True)
        self.renames = [n for n in self.old if n.name != known[n.code].name]
        self.moves = [
            n
            for n in self.old
            if n.parent_code and self.pks[n.parent_code] != known[n.code].parent_id
        ]
        self.paths: dict[int, tuple[int | None, ...]] = {}
        self.numbers = self._number_new_cities()
        self.cities: set[int] = set()  # that anything changed in
        self.disordered: set[int] = set()  # whose numbers must be laid out again

    def run(self) -> Loaded:
        changed = {self.pks[n.code] for n in (*self.renames, *self.moves)}
        before = Area.objects.in_bulk(changed)
        for kind in AreaKind:
            self._create([n for n in self.new if n.kind == kind])
            for line in (n for n in self.moves if n.kind == kind):
                self._move(line)
        self._rename()
        numbers.renumber(sorted(self.disordered))
        created = Area.objects.filter(pk__range=self.taken)  # no other writer: none in between
        if self.new:
            history.begin(created, new=True)
        if changed:
            history.follow(Area.objects.filter(city__in=self.cities), self.day)
            self._audit(before)
        if self.new:
            areas_added.send(Area, areas=created, by=None)
        return Loaded(
            Counter(n.kind for n in self.new),
            len(self.renames),
            len(self.moves),
            len(self.old) - len(changed),
        )

    def _create(self, lines: Sequence[Line]) -> None:
        """Write the new nodes of one level."""
        self._read_paths({self.pks[n.parent_code] for n in lines if n.parent_code})
        if not lines:
            return
        paths, places = self.paths, [self.numbers.get(line.code) for line in lines]
        pks = [self.pks[line.code] for line in lines]
        parents = [self.pks.get(line.parent_code) for line in lines]
        stamped = [
            _below(paths.get(parent, ()), line.kind, pk)
            for line, parent, pk in zip(lines, parents, pks, strict=True)
        ]
        paths.update(zip(pks, stamped, strict=True))
        cities = [path[0] for path in stamped]
        self.cities.update(cities)
        # Below a node that is here already there are no numbers yet.
        self.disordered.update(
            city for city, place in zip(cities, places, strict=True) if not place
        )
        rows.insert(
            pks=pks,
            parents=parents,
            lines=lines,
            since=[self.fresh if place else self.day for place in places],
            places=[place or (0, 0, 0, 0) for place in places],
            stamps=stamped,
        )

    def _move(self, line: Line) -> None:
        area = Area.objects.get(pk=self.pks[line.code])
        parent = Area.objects.get(pk=self.pks[line.parent_code])
        stamps.restamp(area, stamps.own_path(area, parent))
        Area.objects.filter(pk=area.pk).update(parent=parent)
        self.cities |= {area.city_id, parent.city_id}
        self.disordered.add(parent.city_id)

    def _rename(self) -> None:
        areas = Area.objects.in_bulk([self.pks[n.code] for n in self.renames])
        for line in self.renames:
            area = areas[self.pks[line.code]]
            area.name = line.name
            area.__dict__.update(typed(line.name))
            self.cities.add(area.city_id)
        Area.objects.bulk_update(areas.values(), ["name", "pinyin", "initials"], batch_size=_CHUNK)

    def _audit(self, before: dict[int, Area]) -> None:
        Area.objects.filter(pk__in=before).update(version=F("version") + 1)
        after = Area.objects.in_bulk(list(before))
        moved = {self.pks[n.code] for n in self.moves}
        for action, pks in (
            ("orgs.area.move", moved),
            ("orgs.area.rename", before.keys() - moved),
        ):
            entries = [
                audit.Entry(
                    after[pk],
                    audit.snapshot(before[pk], AUDITED),
                    audit.snapshot(after[pk], AUDITED),
                )
                for pk in sorted(pks)
            ]
            audit.record_many(action, entries, by=None)

    def _read_paths(self, pks: set[int]) -> None:
        rows = Area.objects.filter(Among("pk", pks - self.paths.keys()))
        self.paths |= {row[0]: row[1:] for row in rows.values_list("pk", *_STAMPED)}

    def _number_new_cities(self) -> dict[str, tuple[int, int, int, int]]:
        """(lft, rght, tree_id, level) of all that is new below a new city, by code."""
        parents = [self.pks.get(line.parent_code) for line in self.new]
        pks = [self.pks[line.code] for line in self.new]
        size = dict.fromkeys(pks, 1)  # of the subtree of each; parents come before children
        for pk, parent in zip(reversed(pks), reversed(parents), strict=True):
            if parent in size:
                size[parent] += size[pk]
        step, free, trees = numbers.STEP, {}, {}  # the next number below each, and its tree
        laid: dict[str, tuple[int, int, int, int]] = {}
        for line, pk, parent in zip(self.new, pks, parents, strict=True):  # siblings by their codes
            if parent is None:
                start, tree = 1, pk
            elif parent in free:
                start, tree = free[parent], trees[parent]
                free[parent] += 2 * size[pk]
            else:
                continue
            free[pk], trees[pk] = start + 1, tree
            end = start + 2 * size[pk] - 1
            laid[line.code] = (start * step, end * step, tree, _DEPTH[line.kind])
        return laid


def _below(path: Sequence[int | None], kind: str, pk: int) -> tuple[int | None, ...]:
    """Stamps of a new node from its parent's."""
    own = tuple(path) or (None,) * len(STAMPS)
    if kind not in STAMPS:
        return own
    place = STAMPS.index(kind)
    return (*own[:place], pk, *own[place + 1 :])


def _known(codes: set[str]) -> dict[str, Known]:
    """The nodes of these codes. A file of a whole city asks for all that lies between its first
    code and its last: tens of thousands of single codes take longer to ask for than to read."""
    plain = sorted(code for code in codes if code.isascii() and code.isdigit())
    among = Q(code__range=(plain[0], plain[-1])) if len(plain) > _CHUNK else Q(code__in=plain)
    rows = Area.objects.filter(among).values_list(*Known._fields)
    return {node.code: node for node in map(Known._make, rows) if node.code in codes}
