"""axe-core, the checker of WCAG, on the page that the browser shows."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from playwright.sync_api import Page

# WCAG 2.2 AA and axe's own advice; the size of targets is a rule that axe leaves out unless asked.
_RUN = """async rules => {
    const options = rules
        ? { runOnly: rules }
        : { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
            rules: { "target-size": { enabled: true } } };
    const { violations } = await axe.run({ ...options, resultTypes: ["violations"] });
    return violations.flatMap(({ id, help, nodes }) => nodes.map(
        node => `${id}: ${help} at ${node.target.join(" ")} ${node.any[0]?.message ?? ""}`));
}"""


@cache
def axe_source() -> str:
    """The script, as npm installed it; it is run from outside the page, so no policy is in its way."""
    return (settings.BASE_DIR / "node_modules" / "axe-core" / "axe.min.js").read_text()


def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds on the page as it stands, a line for each place; only `rules` if any are named."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe_source())
    return page.evaluate(_RUN, list(rules) or None)
