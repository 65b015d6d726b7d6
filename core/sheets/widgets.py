"""How each sort of cell is read and shown: import-export widgets that say in Chinese what is wrong.

`clean` takes a raw cell and raises `BadCell`; `render` gives the value as a ledger shows it.
`hint` and `choices` make the import template; `kind` is how the column is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from django.db.models import Choices, QuerySet
from import_export.widgets import Widget

from core.among import Among
from core.sheets.layout import Kind
from core.sheets.text import BadCell, to_code, to_date, to_number, to_text, typed_as_number


class CellWidget(Widget):
    """What all of ours share. An empty cell cleans to `empty`."""

    kind = Kind.TEXT
    empty: Any = ""
    choices: Sequence[str] = ()
    hint = ""

    def prepare(self, raws: Sequence[Any], user: Any) -> None:
        """See all cells of the column once, before the first is cleaned."""

    def understood(self) -> Mapping[str, str]:
        """Of the cells seen, those that were taken for something they do not say by its code: what
        it is, by what they say. A person should see it, and confirms it with the rest."""
        return {}

    def doubt(self, raw: Any) -> str:
        """What a person should look at although the cell, which holds no text, can be read; mostly
        nothing."""
        return ""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return value

    def quote(self, raw: Any) -> str:
        """A raw cell as a message about it may repeat it. Personal data hides its middle."""
        return to_text(raw)


class Text(CellWidget):
    """Words on one or several lines."""

    def __init__(self, longest: int = 200) -> None:
        super().__init__()
        self.longest = longest
        self.hint = f"不超过{longest}字"

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = to_text(value)
        if isinstance(value, float | int) and typed_as_number(value):
            text = to_code(value)  # refuses what was rounded
        if len(text) > self.longest:
            raise BadCell(f"有{len(text)}字，超过{self.longest}字的上限")
        return text


class PersonName(Text):
    """A name: the blanks that line up two-character names (王　强) go."""

    def __init__(self, longest: int = 40) -> None:
        super().__init__(longest)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = super().clean(value, row, **kwargs)
        return text if text.isascii() else re.sub(r"\s+", "", text)


class Code(CellWidget):
    """A code: text, half-width, without blanks. `pattern` must match all of it; `hint` says it in
    words."""

    kind = Kind.CODE

    def __init__(self, pattern: str = r".+", hint: str = "") -> None:
        super().__init__()
        self.pattern, self.hint = re.compile(pattern), hint

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        code = to_code(value)
        if code and not self.pattern.fullmatch(code):
            raise BadCell(f"格式不对，应为{self.hint}")
        return code

    def doubt(self, raw: Any) -> str:
        if not typed_as_number(raw):
            return ""
        return f"单元格是数值格式，按 {to_text(raw)} 读取；如开头有 0 请改为文本格式"


class Number(CellWidget):
    """A number between `least` and `most`, both included; whole unless it has `places`."""

    empty = None

    def __init__(
        self, least: int | None = 0, most: int | None = None, places: int = 0, kind=Kind.NUMBER
    ) -> None:
        super().__init__()
        self.least, self.most, self.places, self.kind = least, most, places, kind
        noun = "数字" if places else "整数"
        self.hint = f"{self._bounds()}的{noun}" if self._bounds() else noun

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int | Decimal | None:
        number = to_number(value)
        if number is None:
            return None
        if number != round(number, self.places):
            raise BadCell(f"最多{self.places}位小数" if self.places else "应为整数")
        if (self.least is not None and number < self.least) or (
            self.most is not None and number > self.most
        ):
            raise BadCell(f"应为{self.hint}")
        return number if self.places else int(number)

    def _bounds(self) -> str:
        if self.most is None:
            return "" if self.least is None else f"不小于{self.least}"
        return f"不大于{self.most}" if self.least is None else f"{self.least}至{self.most}"


class Day(CellWidget):
    """A date."""

    kind = Kind.DATE
    empty = None
    hint = "日期，例如 2026-11-21"

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> date | None:
        return to_date(value)


class Choice(CellWidget):
    """One of a model's choices, by its Chinese label (or its stored value)."""

    def __init__(self, choices: type[Choices]) -> None:
        super().__init__()
        self._values = {str(label): value for value, label in choices.choices}
        self._labels = dict(choices.choices)
        self.choices = tuple(self._values)
        self.hint = "从下拉列表中选择"

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = to_text(value)
        if not text or text in self._labels:
            return text
        try:
            return self._values[text]
        except KeyError:
            raise BadCell(f"应为{'、'.join(self.choices)}之一") from None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return self._labels.get(value, value)


class Names(Protocol):
    """How people name what they know no code of: said by the room that owns it (`orgs.names`)."""

    hint: str  # for the template
    apart: str  # what to write where a name means several

    def find(self, rows: QuerySet, texts: Iterable[str]) -> Mapping[str, Sequence[Any]]:
        """Those of `rows` that each of the texts names, by one query however many there are."""


class Lookup(CellWidget):
    """Another object among those that `among(user)` gives: by its code, which is in the unique
    field `by`, or by its name, if `names` says how it is named.

    The column is resolved by one query for its codes and one more if any cell holds a name. A
    name that means several is refused with their number, never guessed at. What does not exist
    and what lies out of the person's reach answer alike.
    """

    kind = Kind.CODE
    empty = None

    def __init__(
        self,
        among: Callable[[Any], QuerySet],
        *,
        by: str = "code",
        names: Names | None = None,
        noun: str,
        hint: str = "",
    ) -> None:
        super().__init__()
        self.among, self.by, self.names, self.noun = among, by, names, noun
        hint = hint or f"{noun}须在您的管理范围内"
        self.hint = f"{hint}；{names.hint}" if names else hint
        self._coded: dict[str, Any] = {}
        self._named: Mapping[str, Sequence[Any]] = {}

    def prepare(self, raws: Sequence[Any], user: Any) -> None:
        said = _distinct(raws)
        wanted = {code for raw in said if (code := _code(raw))}
        rows = self.among(user)
        found = rows.filter(Among(self.by, sorted(wanted)))
        self._coded, self._named = {getattr(obj, self.by): obj for obj in found}, {}
        # No code has a Chinese character, and the name of no place or unit is without one.
        others = {code for code in wanted - self._coded.keys() if not code.isascii()}
        if self.names and others:
            texts = {to_text(raw) for raw in said if _code(raw) in others}
            self._named = self.names.find(rows, texts)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        code = to_code(value)
        if not code:
            return None
        if code in self._coded:
            return self._coded[code]
        found = self._named.get(to_text(value), ())
        if not found:
            raise BadCell(f"没有这个{self.noun}，或不在您的管理范围内")
        if len(found) > 1:
            raise BadCell(f"有 {len(found)} 个同名的{self.noun}，{self.names.apart}")
        return found[0]

    def understood(self) -> dict[str, str]:
        one = {text: found[0] for text, found in self._named.items() if len(found) == 1}
        return {text: f"{one[text]} {self.render(one[text])}" for text in sorted(one)}

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return getattr(value, self.by, "")


def _distinct(raws: Sequence[Any]) -> list[Any]:
    """Each text once, as thousands of rows have a few hundred places. The other cells as they are:
    1 and a ticked box are equal, and say something else."""
    texts = {raw for raw in raws if type(raw) is str}
    return [*texts, *(raw for raw in raws if raw is not None and type(raw) is not str)]


def _code(raw: Any) -> str:
    """The code in a raw cell; empty where `clean` will say why there is none."""
    try:
        return to_code(raw)
    except BadCell:
        return ""
