"""What a copy says of itself: what is in it with its hashes, what it was made from, under which keys.

The keys themselves are never in it; their prints are, so that whoever restores without them hears
of it before anything is written. The whole is sealed with the audit's key, so that a copy that was
changed by other hands is refused like a damaged one.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from core.errors import Refused

FORMAT = 1
NAME, DATABASE, MEDIA = "manifest.json", "database", "media"
KEYS = ("FIELD_KEYS", "FIELD_INDEX_KEY", "AUDIT_KEYS")
_BLOCK = 2**20


class Damaged(Refused):
    """The copy is not what it was when it was made."""


@dataclass
class Manifest:
    """made_at: ISO time. engine: django's name of it. rows: number by table. files: size and SHA-256
    by path below the copy. missing: files that rows named and that were lost before the copy was
    made (or were no longer what was uploaded)."""

    made_at: str
    engine: str
    version: str
    migrations: list[str]
    rows: dict[str, int]
    keys: dict[str, list[str]]
    files: dict[str, list[Any]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        body = asdict(self)
        body["seal"] = _seal(body, settings.AUDIT_KEYS[0])
        with private(folder / NAME) as file:
            file.write(orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
            file.flush()
            os.fsync(file.fileno())

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a copy. Raises `Damaged`, or `Refused` without the keys it needs."""
        try:
            body = orjson.loads((folder / NAME).read_bytes())
            seal, number = body.pop("seal"), body["format"]
            made = cls(**body) if number == FORMAT else None
        except FileNotFoundError:
            raise Refused(f"{folder} 中没有 {NAME}，不是一份完整的备份。请核对路径。") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Damaged(
                f"备份清单 {folder / NAME} 已损坏，不能恢复。请换用另一份备份。"
            ) from None
        if made is None:
            raise Refused(f"这份备份的格式（{number}）不是当前版本认识的。请用备份时的版本恢复。")
        made.check_keys()
        if not any(hmac.compare_digest(seal, _seal(body, key)) for key in settings.AUDIT_KEYS):
            raise Damaged(f"备份清单 {folder / NAME} 被改动过，不能恢复。请换用另一份备份。")
        return made

    def check_keys(self) -> None:
        """Whether all keys under which the copy was written are at hand."""
        here = key_prints()
        if lacking := [name for name in KEYS if set(self.keys[name]) - set(here[name])]:
            raise Refused(
                f"缺少备份时使用的密钥：{'、'.join(lacking)}。没有它们，电话读不出、审计核对不了。"
                "请把备份时的 .env 中这几项配置好再恢复。"
            )


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def private(path: Path) -> Any:
    """A new file open for writing, readable by its owner alone."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def copied(source: Path, target: Path, folders: int = 0o700) -> list[Any]:
    """Copy a file, on the disk for good; its size and SHA-256. Raises `FileNotFoundError`.

    folders: the permissions of those that have to be made.
    """
    total, size = hashlib.sha256(), 0
    with source.open("rb") as old:
        for folder in reversed(target.parents):
            folder.mkdir(folders, exist_ok=True)
        with private(target) as new:
            while block := old.read(_BLOCK):
                total.update(block)
                size += len(block)
                new.write(block)
            new.flush()
            os.fsync(new.fileno())
    return [size, total.hexdigest()]


def version() -> str:
    return tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]["version"]


def key_prints() -> dict[str, list[str]]:
    """What tells the keys apart and gives nothing of them away: they are long and random."""
    found = {}
    for name in KEYS:
        value = getattr(settings, name)
        values = [value] if isinstance(value, str) else value
        found[name] = [_keyed(key, b"print of a backup's key")[:16] for key in values]
    return found


def _seal(body: dict[str, Any], key: str) -> str:
    return _keyed(key, b"backup:" + orjson.dumps(body, option=orjson.OPT_SORT_KEYS))


def _keyed(key: str, content: bytes) -> str:
    return hmac.new(key.encode(), content, hashlib.sha256).hexdigest()
