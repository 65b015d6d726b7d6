"""axe-core on the page as it stands: it runs beside the page's own policy, not through it."""

from __future__ import annotations

from functools import cache

from playwright.sync_api import Page

from scripts.prepare import ROOT

# WCAG 2.2 AA. The 7:1 of 长辈版 (color-contrast-enhanced) is asked for by name.
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def axe_source() -> str:
    return (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()


def violations(page: Page, run_only: tuple[str, ...] = tuple(LEVELS)) -> list[str]:
    """What axe finds, one line a fault: the rule, what it asks for, where."""
    page.evaluate(axe_source())
    found = page.evaluate("only => axe.run(document, {runOnly: only})", list(run_only))
    return [
        f"{fault['id']}: {fault['help']} at {node['target']} ({node['failureSummary']})"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]
