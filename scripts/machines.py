"""Several machines on this one: `python3 -m scripts.machines`, which is `make machines`.

Two web and two worker machines, a pool, a primary and a standby, each in a network namespace of its
own. While people work, a web and a worker are killed and the primary loses power and network; the
standby is promoted and the pool led there. In the end all that was acknowledged must be there, once.
Needs root (namespaces); two minutes; touches nothing outside. See docs/operations.md.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from scripts import prepare, seeding
from scripts.clients import Client, Exporter, Reader, Writer
from scripts.network import Network, cut
from scripts.processes import BEAT, WEB, Process, worker
from scripts.replicas import PgBouncer, Standby
from scripts.throwaway import Place, Postgres, Redis, own_folder, started

MACHINES = ["db1", "db2", "pool", "web1", "web2", "work1", "work2", "clock"]
LOGS = prepare.ROOT / "var" / "machines"
PASSWORD = "demonstration-alone-4711"
WRITERS, RESIDENTS, OFFICERS, EXPORTERS = 3, 3, 1, 1
REPORTS = [
    ("/console/reports/overview/", "统计图"),
    ("/console/reports/reviews/", "评估结果"),
    ("/console/reports/runs/", "评估批次"),
]
NOTICED = 3  # seconds until somebody, or a watchdog, promotes the standby
PATIENCE = 90  # seconds until the last job must have ended
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


def main() -> int:
    """Outside: what the machine needs, the namespaces, and their end whatever happens."""
    if os.geteuid() != 0:
        prepare.fail("Network namespaces need root: sudo make machines")
    prepare.packages("base", "dev")
    prepare.assets()
    prepare.system({"pgbouncer": ["pgbouncer"], "iproute2": ["ip"], "util-linux": ["setpriv"]})
    prepare.stop_when_asked()
    with Network(MACHINES) as network:
        places = {name: network.place(name) for name in MACHINES}
        told = {name: [place.host, place.inside] for name, place in places.items()}
        child = subprocess.Popen(
            [
                *(*network.hub.inside, str(prepare.PYTHON), "-m", "scripts.machines"),
                *(network.tag, json.dumps(told)),
            ],
            cwd=prepare.ROOT,
            start_new_session=True,  # Ctrl-C reaches this one alone, which passes it on
        )
        try:
            return child.wait()
        except KeyboardInterrupt:
            child.send_signal(signal.SIGINT)
            child.wait(30)
            return 130


@dataclass
class Show:
    """Everything that runs, and what happened when (seconds of `time.monotonic`)."""

    tag: str
    primary: Postgres
    standby: Standby
    pool: PgBouncer
    processes: dict[str, Process]
    clients: list[Client] = field(default_factory=list)
    events: dict[str, float] = field(default_factory=dict)
    read_from_standby: int = 0  # looks into its tables, before it was promoted

    def note(self, what: str) -> None:
        self.events[what] = time.monotonic()
        print(f"    {what}", flush=True)


def inside(tag: str, told: str) -> int:
    """In the hub's namespace, from which every machine is reached."""
    prepare.stop_when_asked()
    places = {
        name: Place(host, tuple(command)) for name, (host, command) in json.loads(told).items()
    }
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    with own_folder() as folder, ExitStack() as stack:
        began = time.monotonic()
        show = set_up(tag, places, folder, stack)
        print(f"--- all up after {time.monotonic() - began:.0f} s; people begin", flush=True)
        stop = threading.Event()
        stack.callback(stop.set)
        show.clients = people(show, stop)
        play(show)
        stop.set()
        for client in show.clients:
            client.join(60)
        from scripts.verdict import judge  # asks the database: only this side of the door

        return judge(show, PATIENCE)


def set_up(tag: str, places: dict[str, Place], folder: Path, stack: ExitStack) -> Show:
    def service(kind: type, name: str, *arguments: object):
        found = started(kind, folder, *arguments[:-1], places[name], *arguments[-1])
        stack.callback(found.stop)
        return found

    primary = service(Postgres, "db1", (DURABLE,))
    redis = service(Redis, "pool", ())
    var = folder / "state"  # on several hosts a network volume
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "ALLIANCE_VAR": str(var),
        "REDIS_URL": redis.url,
        "DATABASE_URL": primary.url,
        "SECOND_FACTOR_REQUIRED": "false",
        "DEMO_PASSWORD": PASSWORD,
        "JOB_HEARTBEAT_SECONDS": "1",
        "WEB_CONCURRENCY": "2",
        "PORT": "8000",
        "TMPDIR": str(folder),  # what a killed process leaves goes with the folder
    }
    seeding.fill("small", environment)
    standby = service(Standby, "db2", primary.url, (DURABLE,))
    # From here on a commit is acknowledged when the standby has it on disk too.
    ask(primary, "ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (standby)'")
    ask(primary, "SELECT pg_reload_conf()")
    pool = service(PgBouncer, "pool", primary.url, ())
    environment |= {"DATABASE_URL": pool.url, "REPLICA_URL": standby.url}
    processes = {}
    for name in MACHINES[3:]:
        command = {"web": WEB, "clo": BEAT}.get(name[:3])
        process = Process(
            name,
            command or worker(name, 1),
            {**environment, "HOST": places[name].host},
            LOGS,
            places[name],
        )
        stack.callback(process.kill)
        process.start()
        processes[name] = process
    show = Show(tag, primary, standby, pool, processes)
    for name in ("web1", "web2"):
        until_ready(processes[name])
    return show


def ask(server: Postgres, sql: str) -> list[tuple]:
    """Straight to a server, past the pool."""
    import psycopg2

    connection = psycopg2.connect(server.url, connect_timeout=5)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def until_ready(web: Process) -> None:
    from urllib.error import URLError
    from urllib.request import urlopen

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://{web.place.host}:8000/healthz/ready", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    prepare.fail(f"{web.name} is not ready; its log: {web.log}")


def people(show: Show, stop: threading.Event) -> list[Client]:
    """Everybody signs in before the first stone falls."""
    machines = [f"{show.processes[name].place.host}:8000" for name in ("web1", "web2")]
    public = ask(
        show.primary,
        "SELECT i.number, i.title, a.code FROM services_item i"
        " JOIN orgs_area a ON a.id = i.community_id WHERE i.state = 'published' ORDER BY i.id LIMIT 40",
    )
    # A matter's page is kept by the web; what somebody searches for is asked of the standby.
    pages = [(f"/item/{number}/", title) for number, title, _ in public]
    pages += [(f"/c/{code}/?{urlencode({'q': title})}", title) for _, title, code in public]
    found: list[Client] = [
        Reader(f"r{n}", machines, stop, pages=pages) for n in range(1, RESIDENTS + 1)
    ]
    for n in range(1, OFFICERS + 1):
        officer = Reader(f"o{n}", machines, stop, pages=REPORTS)
        officer.browser.sign_in("org", PASSWORD)
        found.append(officer)
    for kind, count, letter in ((Writer, WRITERS, "w"), (Exporter, EXPORTERS, "e")):
        for n in range(1, count + 1):
            client = kind(f"{letter}{n}", machines, stop)
            client.sign_in("community", PASSWORD)
            found.append(client)
    for client in found:
        client.start()
    return found


def play(show: Show) -> None:
    """A morning in which everything falls once. People go on working."""
    time.sleep(12)
    show.note("web1 is killed")
    show.processes["web1"].kill()
    time.sleep(6)
    show.processes["web1"].start()
    show.note("web1 starts again")
    kill_at_work(show, "work1")
    time.sleep(10)
    (show.read_from_standby,) = ask(
        show.standby, "SELECT sum(seq_scan + coalesce(idx_scan, 0))::int FROM pg_stat_user_tables"
    )[0]
    show.note("db1 loses its network and its power")
    cut(show.tag, "db1")
    show.primary.kill()
    time.sleep(NOTICED)
    show.standby.promote()
    show.pool.point_to(show.standby.url)
    show.note("db2 is promoted, the pool led there")
    time.sleep(14)
    show.processes["work1"].start()
    show.note("work1 starts again")
    time.sleep(6)
    show.note("people go home")


def kill_at_work(show: Show, name: str) -> None:
    """Kill a worker that has a job at hand; whichever moment it is after a while."""
    process = show.processes[name]
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and not _has_job(show, process):
        time.sleep(0.01)
    process.kill()
    show.note(f"{name} is killed")


def _has_job(show: Show, process: Process) -> bool:
    for (holder,) in ask(show.primary, "SELECT worker FROM core_job WHERE state = 'running'"):
        with suppress(ProcessLookupError, ValueError):
            if os.getpgid(int(holder.rpartition(":")[2])) == process.running.pid:
                return True
    return False


if __name__ == "__main__":
    sys.exit(inside(*sys.argv[1:]) if len(sys.argv) > 1 else main())
