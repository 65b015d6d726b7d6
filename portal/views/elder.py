"""The switch between the ordinary and the large version."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal import elder as version


@never_cache
@require_safe
def elder(request: HttpRequest) -> HttpResponse:
    """Turn it on or off and go back to the same page; never to another host.

    A link and not a form: it changes nothing but how this browser is shown the pages.
    """
    back = request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    response = HttpResponseRedirect(back if safe else "/")
    return version.switch(request, response, on=request.GET.get("on") == "1")
