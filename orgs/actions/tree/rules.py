"""What a division may be called, coded and hung under. Sentences are for people."""

from __future__ import annotations

from core.errors import Refused
from orgs.enums import SIGNIFICANT, AreaKind

NAME_MAX = 80
_PARENT = {kind.value: kind.parent_kind for kind in AreaKind}
_ABOVE = {kind: SIGNIFICANT.get(parent, 0) for kind, parent in _PARENT.items()}  # digits


def code_fault(kind: str, code: str) -> str | None:
    """Why `code` cannot be the code of a `kind`, or None."""
    if fault := digits_fault(code):
        return fault
    digits, above = SIGNIFICANT[kind], _ABOVE[kind]
    length = max(digits, 12)
    if len(code) != length:
        return f"{AreaKind(kind).label}代码应为 {length} 位，这里是 {len(code)} 位"
    if code[digits:].strip("0"):
        return f"{AreaKind(kind).label}代码只用前 {digits} 位，其余应补 0"
    if not code[above:digits].strip("0"):
        return f"{AreaKind(kind).label}代码的第 {above + 1} 至 {digits} 位不能全是 0"
    return None


def digits_fault(code: str) -> str | None:
    """Why `code` cannot be the code of anything, or None."""
    if not code:
        return "不能为空"
    if code.isascii() and code.isdigit():
        return None
    if "E+" in code.upper():
        return "只能由数字组成；这是被表格软件改成的科学计数法，请把该列设为文本后重填"
    return "只能由数字组成"


def prefix_fault(kind: str, code: str, parent_code: str) -> str | None:
    """Why a new node's code does not belong below its parent's, or None.

    Asked at creation alone: codes change over time, and a node that is moved keeps its own.
    """
    prefix = parent_code[: _ABOVE[kind]]
    if code.startswith(prefix):
        return None
    return f"应以上级代码的前 {len(prefix)} 位 {prefix} 开头"


def name_fault(name: str) -> str | None:
    """Why `name` cannot be a name, or None."""
    if not name:
        return "不能为空"
    if len(name) > NAME_MAX:
        return f"最多 {NAME_MAX} 个字，这里是 {len(name)} 个"
    if not name.isprintable():
        return "含有换行或看不见的字符"
    return None


def parent_fault(kind: str, parent_kind: str | None) -> str | None:
    """Why a `kind` cannot hang below a `parent_kind` (None: below nothing; empty: below
    something, whatever it is), or None."""
    wanted = _PARENT[kind]
    if wanted == parent_kind:
        return None
    if wanted is None:
        return "城市没有上级，应留空"
    here = f"，不能是{AreaKind(parent_kind).label}" if parent_kind else "，不能为空"
    return f"{AreaKind(kind).label}的上级须是{wanted.label}{here}"


def refuse_if(fault: str | None, what: str, field: str) -> None:
    """Raise `Refused` on the form's `field`, saying which of its inputs is at fault and why."""
    if fault:
        raise Refused(f"{what}{fault}。", field=field)
