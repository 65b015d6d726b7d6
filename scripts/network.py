"""Machines of one's own: network namespaces on a bridge that stands in a namespace too.

Nothing outside is touched, and nobody outside is reached. Needs root and iproute2. A process enters
with `ip netns exec NAME …`, which replaces itself: the process id is the program's own.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress

from scripts.throwaway import Place

SUBNET = "10.98.0"


class Network:
    """`with Network(["web1", "db1"]) as network:`; on the way out, whatever ran inside is ended."""

    def __init__(self, names: list[str]) -> None:
        self.tag = f"al{os.getpid()}"
        self.names = names

    @property
    def hub(self) -> Place:
        """Where the bridge stands: who runs here reaches every machine."""
        return self._place("hub", 1)

    def place(self, name: str) -> Place:
        return self._place(name, 10 + self.names.index(name))

    def _place(self, name: str, number: int) -> Place:
        return Place(f"{SUBNET}.{number}", ("ip", "netns", "exec", f"{self.tag}-{name}"))

    def __enter__(self) -> Network:
        try:
            self._build()
        except BaseException:
            self._drop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()

    def _build(self) -> None:
        hub = f"{self.tag}-hub"
        _ip("netns", "add", hub)
        _ip("-n", hub, "link", "set", "lo", "up")
        _ip("-n", hub, "link", "add", "lan", "type", "bridge")
        _ip("-n", hub, "address", "add", f"{self.hub.host}/24", "dev", "lan")
        _ip("-n", hub, "link", "set", "lan", "up")
        for name in self.names:
            there = f"{self.tag}-{name}"
            _ip("netns", "add", there)
            peer = ("type", "veth", "peer", "name", "eth0", "netns", there)
            _ip("-n", hub, "link", "add", name, *peer)
            _ip("-n", hub, "link", "set", name, "master", "lan", "up")
            _ip("-n", there, "link", "set", "lo", "up")
            _ip("-n", there, "address", "add", f"{self.place(name).host}/24", "dev", "eth0")
            _ip("-n", there, "link", "set", "eth0", "up")

    def _drop(self) -> None:
        for name in [*self.names, "hub"]:
            there = f"{self.tag}-{name}"
            found = subprocess.run(
                ["ip", "netns", "pids", there], capture_output=True, text=True, check=False
            )
            for pid in found.stdout.split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "delete", there], capture_output=True, check=False)


def cut(tag: str, name: str) -> None:
    """Pull a machine's cable: what it sends and what is sent to it is lost without a word."""
    _ip("-n", f"{tag}-hub", "link", "set", name, "down")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
