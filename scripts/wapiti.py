"""Wapiti against the trial: `python3 -m scripts.wapiti [seconds]`, the residents' pages and the signed-in
console, each kind of attack for so many seconds (40).

Serves a trial of its own on loopback, on a state folder that is thrown away, scans it in bounded time
and shows what was found; ends with 1 when something was. A scan that saw next to nothing finds nothing:
the sign-in has to be seen to succeed, and the server's log has to name the fewest pages that a scan must
have been shown. Wapiti stands in a virtual environment of its own (var/wapiti), because its pins are
not ours.
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
from collections import Counter
from http.cookiejar import CookieJar
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

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
_ALERT = re.compile(r'<div[^>]* role="alert".*?</div>', re.DOTALL)
# What a scanner must not press: it would sign itself out, or move to a community with nothing in it.
LEFT_ALONE = ("/console/sign-out/", "/console/account/", "/choose/3")
# Pages of different addresses that a scan must have been shown; in 40 seconds these are 30 and 600. What the
# scanner itself calls crawled counts links that it never followed. The console's count only as answers to
# who is signed in: at the sign-in page a scan is stuck with none.
FEWEST = {"residents": 20, "console": 200}
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


class Page(NamedTuple):
    status: int
    path: str
    text: str


class Browser:
    """What a person does before the scan begins; the scanner goes on with the cookies that are left."""

    def __init__(self, at: str) -> None:
        self.at, self.jar = at, CookieJar()
        self.opener = build_opener(HTTPCookieProcessor(self.jar))

    def open(self, path: str, data: dict[str, str] | None = None) -> Page:
        """The page that this leads to in the end, be it an error's."""
        try:
            answer = self.opener.open(self.at + path, urlencode(data).encode() if data else None)
        except HTTPError as error:
            answer = error
        with answer:
            text = answer.read().decode(errors="replace")
            return Page(answer.status, answer.url.removeprefix(self.at), text)

    def send(self, path: str, **data: str) -> Page:
        """Fill in the form at this address and send it."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.open(path).text)
        return self.open(path, {**data, "csrfmiddlewaretoken": token.group(1) if token else ""})

    @property
    def cookies(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)


def sign_in(at: str, person: dict[str, str]) -> str:
    """The `Cookie` header of somebody who has signed in, and is seen to have: their account's page shows
    their name. Ends the program, with what the sign-in said, where it does not."""
    browser, way_in, own = Browser(at), "/console/sign-in/", "/console/account/"
    answer = browser.send(way_in, username=person["username"], password=person["password"])
    account = browser.open(own)
    if account.path != own or person["username"] not in account.text:
        said = " ".join(re.sub(r"<[^>]+>", " ", "".join(_ALERT.findall(answer.text))).split())
        prepare.fail(
            f"{person['username']} is not signed in, so the console would not be scanned at all.\n"
            f"The sign-in answered {answer.status} at {answer.path}: {said or 'no word of why'}\n"
            f"The account's page led to {account.path}\n"
            "Look at the password in the trial's demo-sign-ins.json, at the form's fields in "
            "accounts/forms.py and at what follows a sign-in (a new password, a second factor)."
        )
    return browser.cookies


def settle(at: str, community: str) -> str:
    """The `Cookie` header of a resident who has chosen this community and begun to ask for help. Whoever
    has not is shown little more than two thousand communities to choose from."""
    browser = Browser(at)
    found = browser.open(f"/choose/?{urlencode({'q': community})}")
    links = re.findall(r'href="(/choose/\d+/)[^"]*"', found.text)
    home = browser.open(links[0]) if links else found
    asked = browser.send("/need/topic/", topic="other")
    if home.path != "/" or asked.path != "/need/content/":
        prepare.fail(
            f"No resident of {community} could begin, so the residents' pages would not be scanned.\n"
            f"/choose/ answered {found.status} with {len(links)} communities, the choice led to "
            f"{home.path}, the first answer about one's need to {asked.path} ({asked.status})\n"
            "Look at portal/views/browse.py and need.py, and at what the trial seeds."
        )
    return browser.cookies


def scan(name: str, url: str, folder: Path, seconds: int, cookie: str) -> list[str]:
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
    command += ["--header", f"Cookie: {cookie}"]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, timeout=60 * seconds)
    found = json.loads(report.read_text())
    kinds = {**found["vulnerabilities"], **found["anomalies"]}
    lines = [
        f"{name}: {kind}: {one['method']} {one['path']} {one.get('parameter') or ''}: {one['info']}"
        for kind, ones in kinds.items()
        for one in ones
    ]
    print(f"{name}: {len(lines)} findings")
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
            # First, so that nobody waits for a quarter of an hour to read that it failed.
            cookie = sign_in(at, worker)
            found = scan("console", f"{at}/console/", folder, seconds, cookie)
            found += scan("residents", f"{at}/", folder, seconds, settle(at, worker["where"]))
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(60)
        log = (folder / "var" / "logs" / "web.log").read_text(errors="replace").splitlines()
        found += [f"the server failed: {line[:300]}" for line in log if _failed(line)]
        seen = shown(log)
        print(*(f"{name}: {len(paths)} pages" for name, paths in seen.items()), sep="\n")
        found += too_few(seen)
    new = [line for line in found if not any(known in line for known in KNOWN)]
    print("\n".join([*no_fault(found), *(new or ["nothing found"])]))
    return 1 if new else 0


def no_fault(found: list[str]) -> list[str]:
    """What was found and is known for no fault: how often, and where. Who reads it sees when it
    turns up at an address that the reason does not speak of."""
    told = []
    for known, why in KNOWN.items():
        at = Counter(line.split(": ")[2] for line in found if known in line)
        if at:
            told.append(f"{known}, {at.total()} times, no fault ({why}):")
            told += [f"  {where}: {times}" for where, times in at.most_common()]
    return told


_SHOWN = re.compile(r"request_finished .*code=200 request='GET (/\S*)'(?:.* user_id=(\d+))?")


def shown(log: list[str]) -> dict[str, set[str]]:
    """The pages that each scan was shown, by the server's log."""
    found: dict[str, set[str]] = {name: set() for name in FEWEST}
    for line in log:
        if not (told := _SHOWN.search(line)):
            continue
        path, user = told.groups()
        if path.startswith("/console/"):
            found["console"] |= {path} if user else set()
        elif not path.startswith("/static/"):
            found["residents"].add(path)
    return found


def too_few(found: dict[str, set[str]]) -> list[str]:
    """The scans that were shown fewer pages than they must be."""
    return [
        f"{name}: only {len(paths)} pages were shown, not {FEWEST[name]} or more, so that what was not "
        f"found means nothing. The last of them: {', '.join(sorted(paths)[-5:]) or 'none'}. Look whether "
        "the sign-in was lost, at LEFT_ALONE, and whether there was time enough."
        for name, paths in found.items()
        if len(paths) < FEWEST[name]
    ]


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
