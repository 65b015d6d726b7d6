"""What a chart shows: rows of figures, each of which may open to the list behind it.

::

    Chart(
        key="grades",
        title="评价",
        about="本期评价按五档计数。",
        kind=Kind.BARS,
        head="档次",
        series=(Series("评价数", "info"),),
        rows=[Row("非常满意", (Figure(12, href="/console/…"),)), …],
    )

`ui.chart(chart)` writes its table; the picture is drawn from that table (assets/scripts/chart.ts),
so the two cannot differ, and whoever has no script or no eyes for it loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from core.formats import EMPTY, number


class Kind(StrEnum):
    """LINE: time along, a line a series. BARS: names down, a bar each."""

    LINE = "line"
    BARS = "bars"


class Figure(NamedTuple):
    """One number, and the address of the list that has as many lines; None: there is none to tell."""

    value: float | None
    href: str = ""
    unit: str = ""

    @property
    def text(self) -> str:
        return EMPTY if self.value is None else f"{number(self.value)}{self.unit}"


class Series(NamedTuple):
    """A column of the table. `tone` names its colour (info ok warn bad neutral); a column without
    one stands in the table alone."""

    label: str
    tone: str = ""


class Row(NamedTuple):
    """One figure a series. `tone` gives this row's bar a colour of its own."""

    label: str
    figures: tuple[Figure, ...]
    tone: str = ""
    href: str = ""  # where the row as a whole leads


@dataclass(frozen=True)
class Chart:
    key: str
    title: str
    about: str
    kind: Kind
    head: str  # what the rows are
    series: tuple[Series, ...]
    rows: Sequence[Row]
    note: str = ""
    empty: str = "这段时间没有记录。"
    most: float | None = None  # where the scale ends, when that is known: 100 for a share
    shown: int | None = None  # the picture shows so many rows, the table all

    @property
    def drawn(self) -> list[Series]:
        return [series for series in self.series if series.tone]

    @property
    def is_empty(self) -> bool:
        return not any(figure.value for row in self.rows for figure in row.figures)
