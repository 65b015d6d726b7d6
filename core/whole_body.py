"""A request whose sender left in the middle of it is not taken for a shorter one.

gunicorn ends the body where the connection ends and says nothing, so half a file would be read as
a small one and half a form as one with fewer words. (nginx waits for the whole request and hides
this; the trial has no nginx.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[[dict[str, Any], Callable], Iterable[bytes]]


class WholeBody:
    """`wsgi.input` of a known length: `OSError` where it ends too soon, which Django knows as a
    broken connection."""

    def __init__(self, stream: Any, length: int) -> None:
        self._stream, self._left = stream, length

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        parts = []
        while wanted:
            part = self._received(self._stream.read(wanted))
            wanted -= len(part)
            parts.append(part)
        return b"".join(parts)

    def readline(self, size: int = -1) -> bytes:
        if not self._left:
            return b""
        limit = self._left if size is None or size < 0 else min(size, self._left)
        return self._received(self._stream.readline(limit)) if limit else b""

    def _received(self, part: bytes) -> bytes:
        if not part:
            raise OSError(f"the sender left with {self._left} bytes still to come")
        self._left -= len(part)
        return part


def whole_bodies(application: Application) -> Application:
    """The WSGI application, with bodies that are whole or fail."""

    def answer(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or ""
        if length.isdecimal():
            environ["wsgi.input"] = WholeBody(environ["wsgi.input"], int(length))
        return application(environ, start_response)

    return answer
