"""The way of a need through its pages, as a browser without scripts goes it."""

from __future__ import annotations

import re

from django.urls import reverse


def fill_in(client, content="楼道灯坏了，想请人修一修。", phone=""):
    client.post(reverse("portal:need-step", args=["topic"]), {"topic": "daily"})
    client.post(reverse("portal:need-step", args=["content"]), {"content": content})
    client.post(reverse("portal:need-step", args=["phone"]), {"phone": phone})


def submit(client, **answers):
    fill_in(client, **answers)
    return client.post(reverse("portal:need-check"), follow=True)


def number_and_secret(page) -> tuple[str, str]:
    return tuple(re.findall(r"<dd>([\w-]+)</dd>", page.content.decode())[:2])
