"""What must hold of every page's markup, whatever it shows."""

from __future__ import annotations

import re

VOID_OF_NAME = re.compile(r"<(a|button)\b([^>]*)>(.*?)</\1>", re.DOTALL)


def faults(response) -> list[str]:
    """Everything on this page that the content policy forbids or a reader stumbles over."""
    policy = response.get("Content-Security-Policy", "")
    page = response.content.decode()
    found = _policy_faults(policy, page)
    if page.lstrip().startswith("<!doctype"):
        found += _page_faults(page)
    ids = re.findall(r'\sid="([^"]*)"', page)
    found += [f"id {i} stands twice" for i in {i for i in ids if ids.count(i) > 1}]
    found += [
        f"label for {i}, which is not there"
        for i in re.findall(r'<label[^>]* for="([^"]*)"', page)
        if i not in ids
    ]
    found += [f"nameless {tag}" for tag in _nameless(page)]
    return found


def _policy_faults(policy: str, page: str) -> list[str]:
    found = []
    if "default-src 'none'" not in policy or "unsafe" in policy or "http" in policy:
        found.append(f"loose content policy: {policy}")
    for tag in re.findall(r"<script[^>]*>", page):
        nonce = re.search(r'nonce="([^"]+)"', tag)
        if " src=" not in tag or not nonce or f"'nonce-{nonce[1]}'" not in policy:
            found.append(f"script without source or nonce: {tag}")
    forbidden = {
        "inline style": r"<style|<[^>]+\sstyle=",
        "inline event": r"<[^>]+\son[a-z]+=",
        "script address": r'="\s*javascript:',
        "outside host": r'(src|href|action)="(https?:)?//',
        "evaluated htmx": r"hx-(on|vals=\"js:)",
    }
    return found + [name for name, pattern in forbidden.items() if re.search(pattern, page)]


def _page_faults(page: str) -> list[str]:
    found = []
    if '<html lang="zh-Hans"' not in page:
        found.append("no language")
    if not re.search(r"<title>[^<\s]", page):
        found.append("no title")
    heads = len(re.findall(r"<h1[ >]", page))
    if heads != 1:
        found.append(f"{heads} main headings")
    if "<main " not in page:
        found.append("no main part")
    return found


def _nameless(page: str) -> list[str]:
    """Links and buttons that say nothing to who cannot see their picture."""
    return [
        f"<{tag}{attributes}>"[:120]
        for tag, attributes, inside in VOID_OF_NAME.findall(page)
        if not re.sub(r"<[^>]*>", "", inside).strip()
        and "aria-label" not in attributes
        and "aria-label" not in inside
    ]
