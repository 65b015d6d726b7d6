"""A disk of a few megabytes, truly full when it is full: a tmpfs in a mount namespace of its own.

Root mounts it outright, anybody else in a user namespace; either way it is gone with its keeper,
the one process inside, and nothing of the machine's own is touched. Its files are reached from
outside through the keeper's entry in /proc, so that whoever runs there runs as always.
"""

from __future__ import annotations

import errno
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.throwaway import need, unprivileged

CHUNK = 256 * 1024


class Disk:
    """`root` is its top folder, which the user that services run as owns; `fill` takes all the room
    there is, `make_room` gives it back."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._ballast = root / "ballast"

    def fill(self) -> None:
        """To the brim, whatever was freed since the last time included."""
        size = CHUNK
        with self._ballast.open("ab", buffering=0) as file:
            while size:
                try:
                    file.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    size //= 2

    def make_room(self) -> None:
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(megabytes: int, at: Path) -> Iterator[Disk]:
    """`at`: an empty folder, which stays empty for everybody else."""
    user = unprivileged()
    options = f"size={megabytes}m,mode=0700"
    # The keeper is the services' user too: only then may they walk through its /proc.
    keep = ["sh", "-c", "echo mounted; exec cat"]
    if user:
        options += f",uid={user['user']},gid={user['group']}"
        ids = [f"--reuid={user['user']}", f"--regid={user['group']}", "--clear-groups"]
        keep = [need("setpriv"), *ids, *keep]
    alone = [need("unshare"), "--mount", *([] if user else ["--user", "--map-root-user"])]
    mount = [need("mount"), "-t", "tmpfs", "-o", options, "tmpfs", str(at)]
    inside = f"{shlex.join(mount)} && exec {shlex.join(keep)}"
    # It ends with its standard input, so with this process too, however that ends.
    keeper = subprocess.Popen(
        [*alone, "sh", "-c", inside],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        said = keeper.stdout.readline()
        if said != b"mounted\n":
            raise RuntimeError(f"no disk of one's own: {(said + keeper.stdout.read()).decode()}")
        yield Disk(Path(f"/proc/{keeper.pid}/root{at}"))
    finally:
        keeper.stdin.close()
        keeper.wait(10)
        keeper.stdout.close()
