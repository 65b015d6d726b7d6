"""Wapiti against the trial: `python3 -m scripts.wapiti [seconds]`, the residents' pages and the signed-in
console, each kind of attack for so many seconds (40).

Serves a trial of its own on loopback, on a state folder that is thrown away, scans it in bounded time
and shows what was found; ends with 1 when something was. Wapiti stands in a virtual environment of
its own (var/wapiti), because its pins are not ours.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import venv
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

from scripts import prepare
from scripts.throwaway import free_port

HOME = prepare.ROOT / "var" / "wapiti"
WAPITI = "wapiti3==3.2.3"
SECONDS = 40  # of each kind of attack; looking round takes three times as many
# All that a site like this can have. Left out: what asks a host outside for its findings (ssrf, xxe,
# log4shell), what knows single products, and TLS, which is nginx's.
MODULES = (
    *("backup", "cookieflags", "crlf", "csp", "csrf", "exec", "file", "htaccess", "http_headers"),
    *("ldap", "methods", "permanentxss", "redirect", "sql", "upload", "xss"),
)
NOBODY = "http://127.0.0.1:9/"  # where injected addresses lead: nothing leaves the machine
# What a scanner must not press: it would sign itself out.
LEFT_ALONE = ("/console/sign-out/", "/console/account/")
# Found and no fault: the start of what the scanner says, and why.
KNOWN = {
    "Secure Flag cookie": "the trial has no TLS; tests/attacks/test_sessions.py holds production's",
    "LDAP Injection": "there is no LDAP: the residents' search answers other words with other places",
}


def wapiti() -> str:
    """The program, installed on the first run."""
    program = HOME / "venv" / "bin" / "wapiti"
    if not program.exists():
        venv.create(HOME / "venv", with_pip=True)
        pip = [str(HOME / "venv" / "bin" / "pip"), "install", "--quiet", WAPITI]
        prepare.run([*pip, "--disable-pip-version-check"])
    return str(program)


def sign_in(at: str, person: dict[str, str]) -> str:
    """The `Cookie` header of somebody who has signed in."""
    jar = CookieJar()
    browser: OpenerDirector = build_opener(HTTPCookieProcessor(jar))
    page = browser.open(f"{at}/console/sign-in/").read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page).group(1)
    names = {"username": person["username"], "password": person["password"]}
    data = urlencode({**names, "csrfmiddlewaretoken": token}).encode()
    browser.open(f"{at}/console/sign-in/", data)
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def scan(name: str, url: str, folder: Path, seconds: int, cookie: str = "") -> list[str]:
    """What Wapiti found under `url`, one line each."""
    report = folder / f"{name}.json"
    command = [wapiti(), "--url", url, "--scope", "folder", "--module", ",".join(MODULES)]
    command += [
        "--flush-session",
        "--endpoint",
        NOBODY,
        "--format",
        "json",
        "--output",
        str(report),
        "--level",
        "1",
        "--depth",
        "6",
    ]
    command += ["--max-scan-time", str(3 * seconds), "--max-attack-time", str(seconds)]
    command += ["--max-links-per-page", "60", "--max-parameters", "12", "--tasks", "4"]
    command += ["--no-bugreport", "--store-session", str(folder / f"{name}-session")]
    for path in LEFT_ALONE:
        command += ["--exclude", f"{url.partition('/console')[0].rstrip('/')}{path}*"]
    if cookie:
        command += ["--header", f"Cookie: {cookie}"]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, timeout=60 * seconds)
    found = json.loads(report.read_text())
    kinds = {**found["vulnerabilities"], **found["anomalies"]}
    lines = [
        f"{name}: {kind}: {one['method']} {one['path']} {one.get('parameter') or ''}: {one['info']}"
        for kind, ones in kinds.items()
        for one in ones
    ]
    print(f"{name}: {found['infos'].get('crawled_pages_nbr', '?')} pages, {len(lines)} findings")
    return lines


def main(arguments: list[str]) -> int:
    seconds = int(arguments[0]) if arguments else SECONDS
    prepare.stop_when_asked()
    wapiti()
    with tempfile.TemporaryDirectory(prefix="alliance-wapiti-") as place:
        folder, port = Path(place), free_port()
        at = f"http://127.0.0.1:{port}"
        environment = {**os.environ, "ALLIANCE_VAR": str(folder / "var"), "PORT": str(port)}
        with (folder / "demo.log").open("wb") as log:
            demo = subprocess.Popen(
                [sys.executable, "-m", "scripts.demo"],
                cwd=prepare.ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            _wait_for(demo, folder / "demo.log")
            people = json.loads((folder / "var" / "demo-sign-ins.json").read_text())
            worker = next(p for p in people if p["role"] == "community_worker")
            found = scan("residents", f"{at}/", folder, seconds)
            found += scan("console", f"{at}/console/", folder, seconds, sign_in(at, worker))
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(60)
        log = (folder / "var" / "logs" / "web.log").read_text(errors="replace")
        found += [f"the server failed: {line[:300]}" for line in log.splitlines() if _failed(line)]
    new = [line for line in found if not any(known in line for known in KNOWN)]
    print("\n".join(new) or "nothing found")
    return 1 if new else 0


def _failed(line: str) -> bool:
    return "request_failed" in line


def _wait_for(demo: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 900
    while "Ctrl-C stops it" not in log.read_text():
        if demo.poll() is not None or time.monotonic() > deadline:
            prepare.fail(f"the trial did not start:\n{log.read_text()[-2000:]}")
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
