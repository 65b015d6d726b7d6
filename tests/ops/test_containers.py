"""The production shape at work: every command of docker-compose.yml, run for true.

No container engine is needed: the commands run on this machine under the production settings, in
the environment that the compose file gives them, against a PostgreSQL and a Redis of their own,
which some tests take away.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
from cryptography.fernet import Fernet

from scripts.throwaway import find_program, free_port, services
from tests.ops.containers import ROOT, Host, Running, compose, static_step
from tests.ops.settings_process import GOOD

pytestmark = [pytest.mark.postgres, pytest.mark.services]
NAME = GOOD["ALLOWED_HOSTS"]


@pytest.fixture(scope="module")
def host(tmp_path_factory) -> Iterator[Host]:
    """This machine in the place of the container host: services up, nothing of ours yet."""
    folder = tmp_path_factory.mktemp("host")
    with services() as running:
        at = ["-h", "127.0.0.1", "-p", str(running.postgres.port), "-U", "alliance"]
        subprocess.run([find_program("createdb"), *at, "alliance"], check=True)
        host = Host(
            folder=folder,
            database_url=running.database_url,
            redis_url=running.redis_url,
            web_port=free_port(),
            values={**GOOD, "POSTGRES_PASSWORD": "secret"},
            services=running,
        )
        yield host


@pytest.fixture(scope="module")
def migrated(host) -> Host:
    done = host.run("migrate", compose()["services"]["migrate"]["command"])
    assert done.returncode == 0, done.stderr
    return host


@pytest.fixture(scope="module")
def collected(host) -> Host:
    """The static files, by the Dockerfile's own command and with no secret at hand."""
    words = static_step()
    given = dict(w.split("=", 1) for w in words if "=" in w and not w.startswith("-"))
    command = [w for w in words if w.partition("=")[0] not in given]
    full = host.environment("web")
    known = {k: full[k] for k in ("PATH", "PYTHONPATH", "STATIC_ROOT", "ALLIANCE_VAR")}
    subprocess.run(command, cwd=ROOT, env={**known, **given}, check=True, capture_output=True)
    return host


@pytest.fixture(scope="module")
def site(migrated, collected) -> Iterator[SimpleNamespace]:
    """Web, worker, beat and nginx, all healthy by their own health checks."""
    host = migrated
    started = [Running(host, name) for name in ("web", "worker", "beat")]
    proxy = None
    try:
        for service in started:
            service.wait_healthy()
        proxy = Nginx(host)
        yield SimpleNamespace(
            host=host, proxy=proxy, **{service.service: service for service in started}
        )
    finally:
        if proxy:
            proxy.stop()
        for service in started:
            service.stop()


class Nginx:
    """deploy/nginx.conf with this machine's ports and folders put in."""

    def __init__(self, host: Host) -> None:
        folder = host.folder / "nginx"
        folder.mkdir()
        tls = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", *tls],
            check=True,
            capture_output=True,
        )
        self.http, self.https = free_port(), free_port()
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        text = (ROOT / "deploy" / "nginx.conf").read_text()
        for old, new in (
            ("server web:8000;", f"server 127.0.0.1:{host.web_port};"),
            ("listen 80 ", f"listen 127.0.0.1:{self.http} "),
            ("listen 443 ", f"listen 127.0.0.1:{self.https} "),
            ("/etc/nginx/tls", str(folder)),
            ("/tmp/nginx.pid", str(folder / "pid")),
            ("http {\n", f"http {{\n{temporary}"),
        ):
            assert old in text
            text = text.replace(old, new)
        if os.geteuid() == 0:  # the test's folder is root's own
            text = "user root;\n" + text
        (folder / "nginx.conf").write_text(text)
        command = [find_program("nginx"), "-c", str(folder / "nginx.conf")]
        subprocess.run([*command, "-t"], check=True, capture_output=True)
        self.log = folder / "log"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [*command, "-g", "daemon off;"], stdout=out, stderr=out, start_new_session=True
            )
        wait(lambda: self.health() == 0, "nginx")

    def health(self) -> int:
        _kind, *command = compose()["services"]["nginx"]["healthcheck"]["test"]
        here = [
            w.replace("https://127.0.0.1/", f"https://127.0.0.1:{self.https}/") for w in command
        ]
        return subprocess.run(here, capture_output=True, check=False).returncode

    def get(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.https, timeout=20, context=ssl._create_unverified_context()
        )
        connection.request(method, path, body, {"Host": NAME, **headers})
        response = connection.getresponse()
        response.body = response.read()
        connection.close()
        return response

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)


def wait(done: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"{what}: not in {seconds} s"
        time.sleep(0.1)


def ask(host: Host, path: str) -> tuple[int, dict]:
    """The web process itself, as the orchestrator asks it."""
    connection = http.client.HTTPConnection("127.0.0.1", host.web_port, timeout=20)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, json.loads(body) if body.startswith(b"{") else {}


def test_static_files_are_hashed_and_compressed(collected):
    manifest = json.loads((collected.folder / "static" / "staticfiles.json").read_text())
    assert manifest["paths"]
    assert list((collected.folder / "static").rglob("*.gz"))


@pytest.mark.parametrize("service", ["web", "worker", "beat"])
def test_each_command_runs_and_its_health_check_agrees(site, service):
    done = site.host.healthy(service)
    assert done.returncode == 0, done.stderr


def test_health_check_tells_a_missing_service(host):
    for service in ("web", "worker", "beat"):
        elsewhere = replace(host, folder=host.folder / "elsewhere", web_port=free_port())
        command = [*compose()["services"][service]["healthcheck"]["test"][1:]]
        environment = elsewhere.environment(service)
        if service == "worker":  # a broker that no worker listens to
            environment["REDIS_URL"] = re.sub(r"/\d+$", "/9", environment["REDIS_URL"])
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1, service
        assert done.stderr.startswith(f"{service}: ")


def test_beat_reaches_the_worker(site):
    def done() -> bool:
        said = site.worker.log.read_text()
        return '"core.tasks.sweep_jobs"' in said and "task_succeeded" in said

    wait(done, "a scheduled task at the worker")


def test_logs_are_json_with_one_id_in_both(site):
    answer = site.proxy.get("/no-such-page?q=13812345678")
    assert answer.status == 404

    def ids(log, field: str, value: str) -> set[str]:
        lines = [json.loads(line) for line in log.read_text().splitlines() if line[:1] == "{"]
        return {line["request_id"] for line in lines if line.get(field) == value}

    wait(lambda: ids(site.web.log, "request", "GET /no-such-page"), "the web's log line")
    wait(lambda: ids(site.proxy.log, "path", "/no-such-page"), "the proxy's log line")
    assert ids(site.web.log, "request", "GET /no-such-page") == ids(
        site.proxy.log, "path", "/no-such-page"
    )
    for log in (site.web.log, site.proxy.log):
        assert "13812345678" not in log.read_text()


def test_nginx_passes_people_and_keeps_machines_matters_inside(site):
    assert site.proxy.get("/healthz/live").status == 200
    for path in ("/healthz/ready", "/metrics", "/media/x.pdf", "/media/../metrics"):
        assert site.proxy.get(path).status == 404, path
    assert ask(site.host, "/healthz/ready") == (200, {"status": "ok"})
    assert ask(site.host, "/metrics")[0] == 200


def test_plain_http_is_sent_to_https(site):
    connection = http.client.HTTPConnection("127.0.0.1", site.proxy.http, timeout=20)
    connection.request("GET", "/console/", headers={"Host": NAME})
    response = connection.getresponse()
    assert response.status == 301
    assert response.headers["Location"] == f"https://{NAME}/console/"
    connection.close()


def test_pages_come_with_the_headers_that_protect_them(site):
    answer = site.proxy.get("/console/")
    assert answer.status in (200, 302)
    headers = answer.headers
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "default-src" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "geolocation=()" in headers["Permissions-Policy"]
    for cookie in headers.get_all("Set-Cookie") or []:
        assert "Secure" in cookie


def test_a_foreign_host_name_is_refused(site):
    assert site.proxy.get("/console/", Host="evil.example").status == 400


def test_static_files_are_compressed_and_kept_for_long(site):
    paths = json.loads((site.host.folder / "static" / "staticfiles.json").read_text())["paths"]
    name = paths["dist/console.css"]
    answer = site.proxy.get(f"/static/{name}", **{"Accept-Encoding": "gzip"})
    assert answer.status == 200
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "immutable" in answer.headers["Cache-Control"]


def test_an_oversized_upload_stops_at_nginx(site):
    answer = site.proxy.get("/console/", "POST", **{"Content-Length": str(61 * 1024 * 1024)})
    assert answer.status == 413


def test_a_copy_restores_beside_the_platform(migrated, tmp_path):
    """The commands of docs/backup.md, under the production settings."""
    at = ["-h", "127.0.0.1", "-p", str(migrated.services.postgres.port), "-U", "alliance"]
    subprocess.run([find_program("createdb"), *at, "restored"], check=True)
    here = migrated.environment("web")
    there = {
        **here,
        "DATABASE_URL": re.sub("alliance$", "restored", here["DATABASE_URL"]),
        "ALLIANCE_VAR": str(tmp_path / "state"),
    }
    copy = str(tmp_path / "copy")
    for environment, *command in (
        (here, "backup", copy),
        (there, "restore", copy),
        (there, "migrate", "--check"),
    ):
        subprocess.run(["python", "manage.py", *command], cwd=ROOT, env=environment, check=True)


ONE_PHONE = """
import django
django.setup()
from tests.factories import members
from tests.factories.orgs import small_city
members.member(members.side(small_city().community))
"""


def test_a_worker_with_the_keys_of_another_database_is_ill(migrated):
    """It answers, and would fail each job that opens a phone: its web says so, and so does it."""
    folder = migrated.folder / "aside"
    folder.mkdir()
    redis = re.sub(r"/\d+$", "/5", migrated.redis_url)
    values = migrated.values | {"FIELD_KEYS": Fernet.generate_key().decode()}
    wrong = replace(migrated, folder=folder, redis_url=redis, values=values)
    made = migrated.run("worker", ["python", "-c", ONE_PHONE])
    assert made.returncode == 0, made.stderr
    worker = Running(wrong, "worker")
    try:
        wait(lambda: " ready." in worker.log.read_text(), "the worker")
        done = wrong.healthy("worker")
    finally:
        worker.stop()
    assert (done.returncode, done.stderr) == (1, "worker: failing: keys\n")


def test_lost_broker_is_named_and_heals(site):
    site.host.services.redis.stop()
    status, said = ask(site.host, "/healthz/ready")
    assert (status, said) == (503, {"status": "failing", "failing": ["cache", "broker"]})
    assert ask(site.host, "/healthz/live")[0] == 200
    assert site.host.healthy("web").returncode == 1
    site.host.services.redis.start()
    wait(lambda: ask(site.host, "/healthz/ready")[0] == 200, "the web after the broker's return")
    wait(lambda: site.host.healthy("worker").returncode == 0, "the worker after its return", 120)


def test_lost_database_is_named_and_heals(site):
    site.host.services.postgres.stop()
    status, said = ask(site.host, "/healthz/ready")
    assert (status, said) == (503, {"status": "failing", "failing": ["database"]})
    for path in ("/healthz/live", "/metrics"):
        assert ask(site.host, path)[0] == 200
    assert site.host.healthy("worker").stderr == "worker: failing: database\n"
    site.host.services.postgres.start()
    wait(lambda: ask(site.host, "/healthz/ready")[0] == 200, "the web after the database's return")
    wait(lambda: site.host.healthy("worker").returncode == 0, "the worker after its return")


def test_every_process_stops_in_good_order_when_asked(site):
    """Last, because it ends them."""
    for service in (site.beat, site.worker, site.web):
        assert service.stop() == 0, service.log.read_text()[-2000:]


def test_unsafe_settings_stop_every_command(host):
    """The refusal reaches the operator from whatever was started, in words."""
    started = {}
    for name in ("migrate", "web", "worker", "beat"):
        environment = {**host.environment(name), "DEMO_PASSWORD": "let-me-in"}
        command = [str(word) for word in compose()["services"][name]["command"]]
        started[name] = subprocess.Popen(
            command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
        )
    for name, process in started.items():
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 1, name
        assert "DEMO_PASSWORD is set" in said
