"""The commonest widgets written by plain functions: what Django's templates give, letter by letter.

A list's filters are a dozen boxes, and Django renders one with as many templates as it has options:
a third of what the page around the rows took. `FORM_RENDERER` names the class below; what it does not
know is rendered as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from django.forms.renderers import Jinja2
from django.utils.safestring import SafeString, mark_safe


class Renderer(Jinja2):
    """Django's Jinja2 renderer with a short cut."""

    def render(self, template_name: str, context: dict, request: Any = None) -> SafeString:
        widget = context.get("widget")
        if widget is None or not _is_known(template_name, widget):
            return super().render(template_name, context, request)
        write = _WRITERS[template_name]
        return mark_safe(write(widget))  # noqa: S308  (escaped below, part by part)  # nosec B308 B703


def _is_known(template_name: str, widget: Mapping[str, Any]) -> bool:
    parts = widget.get("subwidgets", ()) if template_name == _SEVERAL else ()
    return template_name in _WRITERS and all(p["template_name"] in _WRITERS for p in parts)


def _input(widget: Mapping[str, Any]) -> str:
    value = widget["value"]
    said = "" if value is None else f' value="{_text(value)}"'
    name = _text(widget["name"])
    return f'<input type="{_text(widget["type"])}" name="{name}"{said}{_attributes(widget)}>'


def _select(widget: Mapping[str, Any]) -> str:
    parts = [f'<select name="{_text(widget["name"])}"{_attributes(widget)}>']
    for group, options, _ in widget["optgroups"]:
        if group:
            parts.append(f'\n  <optgroup label="{_text(group)}">')
        for option in options:
            value, label = _text(option["value"]), _text(option["label"])
            parts.append(f'\n  <option value="{value}"{_attributes(option)}>{label}</option>')
        if group:
            parts.append("\n  </optgroup>")
    parts.append("\n</select>")
    return "".join(parts)


def _several(widget: Mapping[str, Any]) -> str:
    parts = widget["subwidgets"]
    return "".join(_WRITERS[part["template_name"]](part) for part in parts)


def _attributes(widget: Mapping[str, Any]) -> str:
    parts = []
    for name, value in widget["attrs"].items():
        if value is True:
            parts.append(f" {_text(name)}")
        elif value is not False:
            parts.append(f' {_text(name)}="{_text(value)}"')
    return "".join(parts)


def _text(value: Any) -> str:
    if hasattr(value, "__html__"):
        return value.__html__()
    # As markupsafe has it, which Django's templates escape with.
    return escape(str(value)).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


_SEVERAL = "django/forms/widgets/multiwidget.html"
_WRITERS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "django/forms/widgets/select.html": _select,
    _SEVERAL: _several,
    **{
        f"django/forms/widgets/{kind}.html": _input
        for kind in ("text", "input", "date", "number", "email", "hidden")
    },
}
