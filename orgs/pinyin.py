"""How a name is typed on a keyboard: full pinyin and initials.

pypinyin knows phrases (重庆路 is chongqinglu, 长沙路 changshalu) but takes a quarter of a
millisecond a name, 13 s for a city. Here a name is cut into the phrases that pypinyin knows, as
it does itself, and each phrase is asked for once.

Its dictionaries take 64 MB, so they are loaded when the first name is spelt: most processes,
an export's among them, never spell any. The web's all do: they have them from the process that
they are forked from (`load`, deploy/gunicorn.conf.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from operator import add
from typing import Any, NamedTuple

# What so many names end in and nobody types: initials stop before it. A syllable a character.
_ENDINGS = ("村民委员会", "居民委员会", "居委会", "村委会")
_LONGEST = 6  # phrases longer than any part of a place's name are not looked for
# Characters that stand in names of places with a second reading, where no phrase decides: 长庆
# is changqing to one and zhangqing to another, and both may type it.
_OTHERWISE = dict(
    pair.split(":")
    for pair in (
        *("长:chang", "重:chong", "乐:yue", "行:hang", "朝:zhao", "厦:xia", "单:shan", "盛:cheng"),
        *("解:xie", "仇:qiu", "柏:bo", "都:du", "曾:zeng", "盖:ge", "泊:bo", "铺:bu", "莘:xin"),
    )
)


class Reading(NamedTuple):
    """`full`: all syllables run together, without tones (重庆路 → chongqinglu).
    `initials`: their first letters, without the 居委会 at the end (湛山居委会 → zs).
    Each holds one reading, or two with a space between."""

    full: str
    initials: str


def _spelt(syllables: Iterable[str]) -> Reading:
    known = list(syllables)
    return Reading("".join(known), "".join([syllable[0] for syllable in known]))


_SECOND = {piece: _spelt([syllable]) for piece, syllable in _OTHERWISE.items()}


def load() -> None:
    """Loads what the first name would, for a process whose children will spell some."""
    _pieces("")
    _read("一")


@lru_cache(maxsize=8192)
def reading(name: str) -> Reading:
    """How `name` is typed. Latin letters and digits stand for themselves."""
    pieces = _pieces(name)
    ending = 0
    if name.endswith(_ENDINGS):
        ending = next((len(e) for e in _ENDINGS if name.endswith(e) and name != e), 0)
    first = _run_together(map(_read, pieces), ending)
    if _OTHERWISE.keys().isdisjoint(pieces):
        return first
    other = _run_together((_SECOND.get(piece) or _read(piece) for piece in pieces), ending)
    return Reading(*(" ".join(dict.fromkeys(both)) for both in zip(first, other, strict=True)))


def _run_together(pieces: Iterable[Reading], ending: int) -> Reading:
    """`ending`: syllables at the end without an initial, of which each has one letter."""
    both = [*zip(*pieces, strict=True)] or ["", ""]
    full, initials = map("".join, both)
    return Reading(full, initials[: len(initials) - ending])


@cache
def _phrases() -> tuple[Mapping[str, Any], Mapping[str, tuple[int, ...]]]:
    """The phrases that pypinyin knows, and for the two characters that each begins with, how long
    those are, the longest first."""
    from pypinyin.phrases_dict import phrases_dict

    lengths: dict[str, set[int]] = {}
    for phrase in phrases_dict:
        if len(phrase) <= _LONGEST:
            lengths.setdefault(phrase[:2], set()).add(len(phrase))
    ordered = {
        found: tuple(sorted(found, reverse=True)) for found in {*map(frozenset, lengths.values())}
    }
    return phrases_dict, {pair: ordered[frozenset(found)] for pair, found in lengths.items()}


def _pieces(name: str) -> list[str]:
    """The name in phrases, and in single characters where no phrase begins."""
    phrases, openings = _phrases()
    found, end = [], 0
    for start, pair in enumerate(map(add, name, name[1:])):
        if pair not in openings or start < end:
            continue
        for length in openings[pair]:
            phrase = name[start : start + length]
            if phrase in phrases:
                found += [*name[end:start], phrase]
                end = start + length
                break
    return [*found, *name[end:]]


@lru_cache(maxsize=20_000)
def _read(piece: str) -> Reading:
    from pypinyin import lazy_pinyin

    letters = (re.sub(r"[^a-z0-9]", "", syllable.lower()) for syllable in lazy_pinyin(piece))
    return _spelt(syllable for syllable in letters if syllable)
