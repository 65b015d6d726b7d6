"""The Jinja2 environment of both faces: filters, globals, and nothing that queries.

A name that a template does not get is an error everywhere, in production as in the tests:
what runs is what was tested.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.templatetags.static import static
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from core import formats, forms, tables
from core.periods import label_of


class Components:
    """`ui.empty(...)` is the macro `empty` of `templates/_components/empty.html`.

    A global and not an import, because a named block that is rendered alone for HTMX does not
    run the imports at the top of its template.
    """

    def __init__(self, env: Environment) -> None:
        self._env = env

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self._env.get_template(f"_components/{name}.html").module, name)
        if not self._env.auto_reload:
            setattr(self, name, found)  # found without a look at the loader from now on
        return found


def _side_menu(env: Environment) -> Any:
    """`side_menu(menu, now, suffix)`: the component, written once for all who are shown the same."""

    @lru_cache(maxsize=512)
    def written(items: tuple, now: str, suffix: str, *where: str | None) -> Markup:
        return Components(env).side_menu(items, now, suffix)

    def side_menu(menu: list, now: str, suffix: str) -> Markup:
        where = (get_urlconf(), settings.ROOT_URLCONF, get_script_prefix())
        return written(tuple(menu), now, suffix, *where)

    return side_menu


def environment(**options: Any) -> Environment:
    """What Django's Jinja2 backend calls."""
    options.setdefault("undefined", StrictUndefined)
    options["undefined"] = StrictUndefined
    options.update(trim_blocks=True, lstrip_blocks=True)
    options.pop("autoescape", None)  # never another's to switch off
    env = Environment(autoescape=True, **options)
    env.globals.update(
        static=static,
        url=url,
        url_or_none=url_or_none,
        query=query,
        icon=icon,
        ui=Components(env),
        side_menu=_side_menu(env),
    )
    env.filters.update(
        day=formats.day,
        moment=formats.moment,
        number=formats.number,
        marks=formats.marks,
        period=label_of,
        unit=formats.unit,
        masked_phone=formats.masked_phone,
        clock=formats.clock,
        weekdays=formats.weekdays,
        short_place=formats.short_place,
        paragraphs=paragraphs,
        due=tables.due,
        widget=forms.widget,
        is_check=forms.is_check,
        anchor=forms.anchor,
        live_id=forms.live_id,
    )
    return env


def url(name: str, *args: Any, **kwargs: Any) -> str:
    if args or kwargs:
        return reverse(name, args=args, kwargs=kwargs)
    return _address(name, get_urlconf(), settings.ROOT_URLCONF, get_script_prefix())


@lru_cache(maxsize=512)
def _address(name: str, urlconf: str | None, root: str, prefix: str) -> str:
    """The shell alone names forty addresses a page, and they do not change while a process runs."""
    return reverse(name, urlconf=urlconf)


def url_or_none(name: str, *args: Any) -> str | None:
    """For links that an app which is not there would serve."""
    try:
        return url(name, *args)
    except NoReverseMatch:
        return None


_PAGING = ("after", "before")


def query(request: HttpRequest | QueryDict, **changes: Any) -> str:
    """The address's own query with `changes`: None removes. Paging starts over unless it is set."""
    asked = request if isinstance(request, QueryDict) else request.GET
    params = {name: values for name, values in asked.lists() if name not in _PAGING}
    for name, value in changes.items():
        if value is None:
            params.pop(name, None)
        else:
            params[name] = [value]
    pairs = [(name, value) for name, values in params.items() for value in values if value != ""]
    return f"?{urlencode(pairs)}" if pairs else "?"


def paragraphs(text: str) -> Markup:
    """Plain text with its blank lines as paragraphs and its line ends kept; all of it escaped."""
    parts = [part for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
    return Markup("").join(
        Markup("<p>{}</p>").format(Markup("<br>").join(escape(line) for line in part.split("\n")))
        for part in parts
    )


@cache
def icon(name: str, label: str = "") -> Markup:
    """A picture from `assets/icons`. Without a label it only decorates and is not read out."""
    said = Markup('role="img" aria-label="{}"').format(label) if label else 'aria-hidden="true"'
    return Markup('<svg class="icon" {}><use href="{}#{}"></use></svg>').format(
        Markup(said),  # noqa: S704  (built above)
        static("dist/icons.svg"),
        escape(name),
    )
