"""The migrations of `services` with those of a version that is yet to come (settings.py beside this folder)."""

from services import migrations

_mine = list(__path__)
__path__ = [*migrations.__path__, *_mine]
