"""What gunicorn's processes share with the one they are forked from: the dictionaries of pinyin."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A process of gunicorn's own, told what gunicorn tells it; its child spells and collects garbage.
# `Private_Dirty` is what a process cannot share with any other, in kB (proc(5), smaps_rollup).
FORKED = """
import gc, os, runpy, sys
from pathlib import Path

settings = runpy.run_path("deploy/gunicorn.conf.py")
{ready}
reader, writer = os.pipe()
if os.fork() == 0:
    def private():
        for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1])
    before = private()
    from orgs.pinyin import reading
    for start in range(0x4E00, 0x9FA5, 7):
        reading(chr(start) + chr(start + 1) + "路社区居委会")
    gc.collect()
    os.write(writer, str(private() - before).encode())
    os._exit(0)
os.close(writer)
os.wait()
print(os.read(reader, 100).decode())
settings["on_exit"](None)
"""


def _private_kilobytes(ready: str) -> int:
    said = subprocess.run(
        [sys.executable, "-c", FORKED.format(ready=ready)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(said.stdout)


def test_web_processes_share_the_dictionaries_of_pinyin():
    """A child that spells 3,000 names takes a fraction of what one takes that must load them."""
    alone = _private_kilobytes("")
    sharing = _private_kilobytes('settings["when_ready"](None)')

    assert alone > 40_000  # the dictionaries are what they were when this was decided
    assert sharing < alone / 4
