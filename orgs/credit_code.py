"""The unified social credit code (GB 32100): 18 characters, the last one a check digit."""

from __future__ import annotations

import re

from stdnum.cn import uscc

# Registrar and type (digit or letter, e.g. A or N), six digits of a division, nine characters of
# the organisation and its check. The letters I, O, S, V and Z are not used. stdnum's own check is
# not asked, because it refuses registrars that begin with a letter.
_FORM = re.compile(r"[0-9A-HJ-NP-RT-UW-Y]{2}[0-9]{6}[0-9A-HJ-NP-RT-UW-Y]{10}")


def fault(code: str) -> str | None:
    """What is wrong with a code in upper case, as a Chinese phrase; None for a good one."""
    if len(code) != 18:
        return f"应为18位，现在是{len(code)}位"
    if not _FORM.fullmatch(code):
        return "应由数字和大写字母组成（不含 I、O、S、V、Z），第3至8位为数字"
    if code[-1] != uscc.calc_check_digit(code[:-1]):
        return "校验位不对，请核对是否有错字"
    return None
