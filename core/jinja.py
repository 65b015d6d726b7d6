"""The Jinja2 environment of both faces: filters, globals, and nothing that queries."""

from django.templatetags.static import static
from django.urls import reverse
from jinja2 import Environment


def environment(**options) -> Environment:
    env = Environment(**options)  # noqa: S701  (Django's backend passes autoescape=True)
    env.globals.update(
        static=static, url=lambda name, *args, **kw: reverse(name, args=args, kwargs=kw)
    )
    return env
