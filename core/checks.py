"""Checks of one field while the form is being filled in: valid, in use, or what is wrong.

::

    check("credit-code", perm="units.edit", answer=code_of_unit)     # <app>/checks.py

    class UnitForm(ModelForm):
        live = {"credit_code": "credit-code"}

`answer(text, user, about)` says what the action would say; `about` is the id of the object whose
form it is, if it is one's. The action stays the judge: an answer is only sooner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """`url` leads to what is in the way, when the person may see it."""

    ok: bool
    text: str
    url: str = ""


@dataclass(frozen=True)
class Check:
    perm: str
    answer: Callable[[str, Any, str], Answer]


CHECKS: dict[str, Check] = {}


def check(name: str, *, perm: str, answer: Callable[[str, Any, str], Answer]) -> None:
    """`perm`: who may ask; others get 403."""
    if name in CHECKS:
        raise ValueError(f"two checks are called {name!r}")
    CHECKS[name] = Check(perm, answer)
