"""Logs: one line an event, in English, with the request's id and nothing that is not ours to keep.

JSON in production, readable lines in the trial. Query strings are left out of request lines (people
search for names and numbers); what still looks like a mobile number is masked, values under a telling
name are dropped, and so are rows that the database quotes, wherever they come from: a message, a key, a
traceback.
"""

from __future__ import annotations

import re
from typing import Any

import structlog
from django_structlog.middlewares import RequestMiddleware

# Grouped as people group it, with or without the country before it. The number of a request or a
# task, by which somebody will look for the line, may hold as many digits: it is matched first, and left.
_ID_OR_MOBILE = re.compile(
    r"\b(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b"
    r"|(?<!\d)((?:\+?86[- ]?)?1[3-9]\d)[- ]?\d{4}[- ]?(\d{4})(?!\d)"
)
_TELLING = re.compile(
    r"passw|secret|token|cookie|session|authorization|phone|mobile|otp", re.IGNORECASE
)
# The same within a text: ``password='…'`` of a printed dictionary, ``token=…`` of an address.
_PAIR = re.compile(
    r"(\w*(?:passw|secret|token|sessionid|authorization)\w*[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;)}\]]+",
    re.IGNORECASE,
)
# The database prints the whole row that it refuses, and the key of which there is one already.
_ROW = re.compile(r"(DETAIL:\s+)(?:Failing row|Key \().*")
_PROBES = (" /healthz/", " /metrics")  # asked every few seconds by machines


def without_private(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor: drop what has a telling name, mask what looks like a mobile number,
    leave out the rows that the database quotes."""
    return _clean(event)


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: "***" if _TELLING.search(str(k)) else _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set):
        return [_clean(one) for one in value]
    if value is None or isinstance(value, bool | float):
        return value
    text = _PAIR.sub(r"\1***", _ROW.sub(r"\1***", _ID_OR_MOBILE.sub(_masked, str(value))))
    return value if isinstance(value, int) and text == str(value) else text


def _masked(found: re.Match[str]) -> str:
    first, last = found.groups()
    return f"{first}****{last}" if first else found[0]


def without_probes(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor: no line for a health probe that went well."""
    if event.get("code", 0) < 400 and any(p in str(event.get("request", "")) for p in _PROBES):
        raise structlog.DropEvent
    return event


_SHARED = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.PositionalArgumentsFormatter(),
]


def configure() -> None:
    """Send structlog's own loggers through the standard library's handlers."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            without_probes,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def logging_config(*, as_json: bool, level: str = "INFO") -> dict[str, Any]:
    """A `logging.config.dictConfig` dictionary; Django, Celery and gunicorn all take this one."""
    if as_json:
        renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        # Plain tracebacks: the pretty ones print local variables, and those hold people's data.
        renderer = structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    without_private,
                    renderer,
                ],
            }
        },
        "handlers": {"line": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["line"], "level": level},
        "loggers": {
            # The request middleware tells of every answer once, failures with their traceback.
            "django.request": {"level": "CRITICAL"},
            "django.server": {"level": "WARNING"},
            # These speak at INFO of each connection, heartbeat or sign-in name.
            "axes": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
            "celery.utils.functional": {"level": "WARNING"},
        },
    }


def leave_unnamed() -> None:
    """The line of this request is not to say who asked: what they do is confidential."""
    if "request_id" in structlog.contextvars.get_contextvars():  # else there is no such line
        structlog.contextvars.bind_contextvars(confidential=True)


class RequestLogMiddleware(RequestMiddleware):
    """django-structlog's line a request, with the path alone: queries hold names and numbers. Who
    asked is known by its end, unless what they did is confidential."""

    @staticmethod
    def bind_user_id(request: Any) -> None:
        if "confidential" not in structlog.contextvars.get_contextvars():
            RequestMiddleware.bind_user_id(request)

    @staticmethod
    def format_request(request: Any) -> str:
        return f"{request.method} {request.path}"
