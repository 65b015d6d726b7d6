"""manage.py draw_transitions: put the tables of transitions into docs/transitions.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.transitions import MACHINES, Machine

PAGE = Path("docs/transitions.md")
MARK = "<!-- Below this line: made by `manage.py draw_transitions`. -->\n"


class Command(BaseCommand):
    help = "Draw every table of transitions into docs/transitions.md (below its mark)."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if stale")

    def handle(self, *args: Any, **options: Any) -> None:
        page = settings.BASE_DIR / PAGE
        kept = page.read_text(encoding="utf-8")
        written = drawn(kept)
        if written == kept:
            self.stdout.write(f"{PAGE} 与流转表一致。")
        elif options["check"]:
            raise CommandError(f"{PAGE} 与流转表不一致。请运行 manage.py draw_transitions 并提交。")
        else:
            page.write_text(written, encoding="utf-8")
            self.stdout.write(f"已重画 {PAGE}。")


def drawn(page: str) -> str:
    """The page with everything below its mark made anew from the tables."""
    head, mark, _ = page.partition(MARK)
    return head + mark + "".join(_section(MACHINES[name]) for name in sorted(MACHINES))


def _section(machine: Machine) -> str:
    lines = [
        f"\n## {machine.model._meta.verbose_name} `{machine.label}.{machine.field}`\n",
        "```mermaid",
        machine.drawing(),
        "```\n",
        "| 动作 | 名称 | 自 | 至 | 谁 | 理由 |",
        "|-|-|-|-|-|-|",
    ]
    label = {state.value: state.label for state in machine.states}
    for t in machine.transitions.values():
        who = " ".join(([f"`{t.perm}`"] if t.perm else []) + (["系统"] if t.by_system else []))
        sources = "、".join(label[s] for s in t.sources)
        reason = "必填" if t.reason else ""
        lines.append(
            f"| `{t.name}` | {t.label} | {sources} | {label[t.target]} | {who} | {reason} |"
        )
    return "\n".join(lines) + "\n"
