"""What a written table looks like: its columns, its title, its foot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby


class Kind(StrEnum):
    """What a column's cells are. The value of each is what `text`'s readers read back."""

    TEXT = "text"
    CODE = "code"  # codes, document numbers, phones: text, whatever it looks like
    NUMBER = "number"  # counts and sizes, as they come
    SCORE = "score"  # two decimals
    MONEY = "money"  # two decimals, thousands apart
    PERCENT = "percent"  # a share of 1
    DATE = "date"
    MOMENT = "moment"  # day and time

    @property
    def is_text(self) -> bool:
        return self in (Kind.TEXT, Kind.CODE)

    @property
    def is_figure(self) -> bool:
        return self in (Kind.NUMBER, Kind.SCORE, Kind.MONEY, Kind.PERCENT)


@dataclass(frozen=True)
class Column:
    """One column. `group` is the header above it; neighbours with one group share it, merged.

    key: stays in sight when the reader scrolls right, with all columns before it.
    width: in half-width characters; None fits the content.
    """

    title: str
    kind: Kind = Kind.TEXT
    group: str = ""
    key: bool = False
    width: int | None = None

    @property
    def label(self) -> str:
        return self.group + self.title


@dataclass(frozen=True)
class Layout:
    """A sheet: its tab's name, columns, title line, the line below it, and the lines at the foot."""

    name: str
    columns: Sequence[Column]
    title: str = ""
    subtitle: str = ""
    foot: Sequence[str] = field(default=())

    @property
    def groups(self) -> list[tuple[str, int, int]]:
        """(group, first column, last column) of neighbours, ``""`` for those without."""
        found, start = [], 0
        for name, members in groupby(self.columns, key=lambda c: c.group):
            end = start + len(list(members))
            found.append((name, start, end - 1))
            start = end
        return found

    @property
    def header_rows(self) -> int:
        return 2 if any(column.group for column in self.columns) else 1

    @property
    def frozen(self) -> int:
        """How many columns stay in sight."""
        keys = [n for n, column in enumerate(self.columns, start=1) if column.key]
        return keys[-1] if keys else 0
