"""One template, whole or one named block of it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.template.backends.utils import csrf_input_lazy, csrf_token_lazy
from django.utils.cache import patch_vary_headers
from jinja2 import Environment


def render(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    block: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page, or one block of it for an HTMX request that swaps that part alone.

    Both come from one address: `Vary` keeps a cache from giving one for the other.
    """
    engine = engines["jinja2"]
    full = {
        **context,
        "request": request,
        "csrf_input": csrf_input_lazy(request),
        "csrf_token": csrf_token_lazy(request),
    }
    for processor in engine.template_context_processors:
        full.update(processor(request))
    if block:
        body = render_block(engine.env, template, block, full)
    else:
        body = engine.env.get_template(template).render(full)
    response = HttpResponse(body, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def render_block(env: Environment, template: str, block: str, context: dict[str, Any]) -> str:
    """One named block as the whole page would show it, whichever template of the chain has it.

    A template hands its blocks to the one it extends before the first character is written, so
    the page is started and left there: then the blocks are known and nothing is rendered twice.
    """
    page = env.get_template(template)
    ctx = page.new_context(context)
    try:
        start = page.root_render_func(ctx)
        next(start, None)
        start.close()
        return env.concat(ctx.blocks[block][0](ctx))
    except Exception:
        env.handle_exception()
        raise
