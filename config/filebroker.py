"""kombu's file-system broker for the trial, safe for several writers.

The stock channel creates a message file and fills it afterwards, so a worker that looks in between
reads half a message; and it moves taken messages to the system's temporary folder, where the move
is a copy if that is another disk, so that two workers may take one message. Here a message appears
whole and is taken by one rename within the state folder.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from queue import Empty

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: object, **kwargs: object) -> None:
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns():020d}_{uuid.uuid4().hex}.{queue}.msg"
        fresh = folder / f"{name}.new"
        fresh.write_text(dumps(payload))
        fresh.replace(folder / name)

    def _get(self, queue: str) -> object:
        for path in sorted(Path(self.data_folder_in).glob(f"*_*.{queue}.msg")):
            taken = Path(self.processed_folder) / path.name
            try:
                path.rename(taken)
            except FileNotFoundError:
                continue  # another worker was quicker
            payload = loads(taken.read_text())
            taken.unlink()
            return payload
        raise Empty


class Transport(filesystem.Transport):
    Channel = Channel
